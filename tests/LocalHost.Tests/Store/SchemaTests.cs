using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
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
    public void The_file_has_the_indexes_that_are_listed_and_no_others()
    {
        using (Schema.Open(File, [new("contact", "email"), new("contact", "last_name"), new("it's", "na\"me")], NullLogger.Instance)) { }

        using var database = Schema.Open(File, [new("contact", "email"), new("deal", "value"), new("contact", "created_at")], NullLogger.Instance);

        Assert.Equal(["key of contact: email", "key of deal: value"], Names(database, "index").Where(name => name.StartsWith("key of", StringComparison.Ordinal)));
    }

    private static List<string> Names(Database database, string kind) => database.Read(session => session.All(
        "SELECT name FROM sqlite_schema WHERE type = ?1 AND name NOT LIKE 'sqlite_%' ORDER BY name", row => row.GetString(0), kind));
}
