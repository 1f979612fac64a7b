using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using NodeStash.Core.Storage;
using NodeStash.LocalHost.Store;

namespace NodeStash.LocalHost.Tests.Store;

public sealed class SchemaTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("nodestash-").FullName;

    private string File => Path.Combine(folder, "test.db");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_file_of_a_newer_version_is_refused_and_left_as_it_is()
    {
        Database.Open(File, [.. Schema.Migrations, "CREATE TABLE future (x)"], NullLogger.Instance).Dispose();

        var refusal = Assert.Throws<NewerDatabaseException>(() => Schema.Open(File, [], NullLogger.Instance));

        Assert.Contains($"version {Schema.Migrations.Count + 1}", refusal.Message, StringComparison.Ordinal);
        using var newer = Database.Open(File, [.. Schema.Migrations, "CREATE TABLE future (x)"], NullLogger.Instance);
        Assert.Contains("future", Names(newer, "table"));
    }

    [Fact]
    public void A_migration_that_fails_half_way_leaves_nothing_and_can_be_run_again()
    {
        const string First = "CREATE TABLE first (x)";
        Assert.Throws<SqliteException>(() => Database.Open(File, [First, "CREATE TABLE second (x); CREATE TABLE first (x)"], NullLogger.Instance));
        using (var database = Database.Open(File, [First], NullLogger.Instance)) Assert.Equal(["first"], Names(database, "table"));

        using var repaired = Database.Open(File, [First, "CREATE TABLE second (x)"], NullLogger.Instance);
        Assert.Equal(["first", "second"], Names(repaired, "table"));
    }

    [Fact]
    public void A_migration_runs_once()
    {
        for (var i = 0; i < 2; i++)
        {
            using var database = Database.Open(File, ["CREATE TABLE first (x)"], NullLogger.Instance);
            Assert.Equal(["first"], Names(database, "table"));
        }
    }

    [Fact]
    public async Task Records_of_a_file_from_before_updated_at_had_its_column_are_found_and_sorted_by_it()
    {
        using (var before = Database.Open(File, [.. Schema.Migrations.Take(2)], NullLogger.Instance))
        {
            await before.Write(session => session.Execute("INSERT INTO partitions (number, key) VALUES (1, 'ws_1')"));
            foreach (var (id, at) in new[] { ("ct_1", "2026-01-03"), ("ct_2", "2026-01-01"), ("ct_3", "2026-01-02") })
            {
                await before.Write(session => session.Execute(
                    "INSERT INTO records (partition, type, id, version, attributes, keys) VALUES (1, 'contact', ?1, 1, x'7b7d', jsonb(?2))", id,
                    $$"""{"email":"sx","updated_at":"s{{at}}"}"""));
            }
        }

        IReadOnlyList<RecordIndex> indexes = [new("contact", "updated_at"), new("contact", "email")];
        using var database = Schema.Open(File, indexes, NullLogger.Instance);
        var store = new SqliteStores(database, indexes, new SqliteChangeFeed(database), TimeProvider.System).Open(
            new Partition("ws_1", WorkspaceEnvironment.Live));
        var page = await store.Query(
            new RecordQuery("contact", new Condition.Equal(new("email"), "x"), [new SortKey(new("updated_at"), true)], null, 10), CancellationToken.None);

        Assert.Equal(["ct_1", "ct_3", "ct_2"], page.Records.Select(r => r.Id));
    }

    [Fact]
    public async Task Events_of_a_file_from_before_they_were_chained_are_found_by_their_record_gone_or_not()
    {
        using (var before = Database.Open(File, [.. Schema.Migrations.Take(4)], NullLogger.Instance))
        {
            await before.Write(session =>
            {
                session.Execute("INSERT INTO partitions (number, key) VALUES (1, 'ws_1'), (2, 'ws_2')");
                session.Execute("INSERT INTO records (partition, type, id, version, attributes, keys) VALUES (1, 'contact', 'ct_1', 2, x'7b7d', jsonb('{}'))");
                foreach (var (partition, id,
                    record) in new[] { (1L, "evt_1", "ct_1"), (2, "evt_2", "ct_1"), (1, "evt_3", "ct_2"), (1, "evt_4", "ct_1"), (1, "evt_5", "ct_2") })
                {
                    session.Execute(
                        "INSERT INTO events (partition, id, name, record_type, record_id, version, at, body) VALUES (?1, ?2, 'contact.updated', "
                            + "'contact', ?3, 1, ?4, x'7b7d')",
                        partition, id, record, TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
                }

                return true;
            });
        }

        using var database = Schema.Open(File, [], NullLogger.Instance);
        var store = new SqliteStores(database, [], new SqliteChangeFeed(database), TimeProvider.System).Open(new Partition("ws_1", WorkspaceEnvironment.Live));

        Assert.Equal(["evt_4", "evt_1"], (await store.EventsOf("ct_1", null, 10, CancellationToken.None)).Select(e => e.Id));
        Assert.Equal(["evt_5", "evt_3"], (await store.EventsOf("ct_2", null, 10, CancellationToken.None)).Select(e => e.Id));
    }

    [Fact]
    public void The_file_has_the_indexes_that_are_listed_and_no_others()
    {
        using (Schema.Open(File, [new("contact", "email"), new("contact", "last_name"), new("it's", "na\"me")], NullLogger.Instance)) { }

        using var database = Schema.Open(File, [new("contact", "email"), new("deal", "value"), new("contact", "created_at")], NullLogger.Instance);

        Assert.Equal(
            ["key of contact: email", "key of deal: value"], Names(database, "index").Where(name => name.StartsWith("key of", StringComparison.Ordinal)));
    }

    private static List<string> Names(Database database, string kind) => database.Read(session => session.All(
        "SELECT name FROM sqlite_schema WHERE type = ?1 AND name NOT LIKE 'sqlite_%' ORDER BY name", row => row.GetString(0), kind));
}
