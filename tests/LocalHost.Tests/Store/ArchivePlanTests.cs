using System.Text;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.LocalHost.Store;
using NodeStash.Support.Databases;

namespace NodeStash.LocalHost.Tests.Store;

/// <summary>Hiding archived records takes no index away from a query, and the purge reads nothing but what it deletes.</summary>
public sealed class ArchivePlanTests : IAsyncLifetime
{
    private readonly TemporaryDatabase file = new(Crm.Catalog.Indexes);
    private readonly QueryTranslator translator = new(Crm.Catalog.Indexes);

    public static TheoryData<string, string, bool> Sorts()
    {
        var sorts = new TheoryData<string, string, bool>();
        foreach (var index in Crm.Catalog.Indexes.Where(index => Crm.Catalog.IsArchivable(index.Type)))
        {
            sorts.Add(index.Type, index.Key, false);
            sorts.Add(index.Type, index.Key, true);
        }

        return sorts;
    }

    /// <summary>Statistics tell nothing of an empty table: every type has records, some of them archived.</summary>
    public async ValueTask InitializeAsync()
    {
        var store = new SqliteStores(file.Database, Crm.Catalog.Indexes, new SqliteChangeFeed(file.Database), TimeProvider.System)
            .Open(new Partition("ws_1", WorkspaceEnvironment.Live));
        string[] types = ["contact", "company", "deal", "activity", "record:projects", "record:houses"];
        for (var batch = 0; batch < 6; batch++)
        {
            var writes = Enumerable.Range(batch * 200, 200).Select(i => new Write.Insert(
                new StoredRecord(types[i % 6], $"r_{i}", 1, "{}"u8.ToArray()),
                Encoding.UTF8.GetBytes(
                    $$"""{"created_at":"{{i}}","updated_at":"{{i / 7}}","name":"{{i}}"{{(i % 40 < 6 ? $",\"archived_at\":\"{i}\"" : "")}}}""")));
            await store.Commit(new Commit { Writes = [.. writes] }, CancellationToken.None);
        }
    }

    public ValueTask DisposeAsync()
    {
        file.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [MemberData(nameof(Sorts))]
    public async Task A_page_of_visible_records_is_a_range_of_the_index_of_its_sort(string type, string key, bool analyzed)
    {
        if (analyzed) await Analyze();
        var query = new RecordQuery(
            type == TypeFamily.Records ? CustomRecord.TypeOf("projects") : type, ArchiveState.IsVisible, [new(new(key), true)], null, 20);

        var step = Assert.Single(Assert.Single(Plans(query)));

        Assert.StartsWith("SEARCH records USING INDEX", step, StringComparison.Ordinal);
        Assert.Contains(key == "created_at" ? "records_by_creation" : $"key of {type}: {key}", step, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_links_to_a_record_is_counted_by_the_index_of_the_link(bool analyzed)
    {
        if (analyzed) await Analyze();

        foreach (var statement in new[]
        {
            translator.Count(1, "contact", new Condition.Equal(new("company_id"), "co_1").And(ArchiveState.IsVisible)),
            translator.CountEach(1, "contact", new("company_id"), ["co_1", "co_2"], ArchiveState.IsVisible),
        })
        {
            var steps = string.Join('\n', Plan(statement));
            Assert.Contains("key of contact: company_id", steps, StringComparison.Ordinal);
            Assert.Contains("<expr>=?", steps, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("contact", false)]
    [InlineData("contact", true)]
    [InlineData("record:projects", false)]
    [InlineData("record:projects", true)]
    public async Task What_is_to_be_purged_is_a_range_of_archived_records(string type, bool analyzed)
    {
        if (analyzed) await Analyze();
        var due = new Condition.Compare(ArchiveState.Path, Comparison.LessOrEqual, "2026-01-15T10:30:00Z");

        foreach (var after in new[] { null, new Keyset(["2026-01-14T10:30:00Z"], "ct_1") })
        {
            foreach (var plan in Plans(new RecordQuery(type, due, [new(ArchiveState.Path, false)], after, 50)))
            {
                const string Range = "SEARCH records USING INDEX records_by_archival (partition=? AND type=? AND <expr>";
                Assert.StartsWith(Range, Assert.Single(plan), StringComparison.Ordinal);
            }
        }
    }

    private Task Analyze() => file.Database.Write(session => session.Execute("ANALYZE"));

    private IEnumerable<List<string>> Plans(RecordQuery query) => translator.Page(1, query).Select(Plan);

    private List<string> Plan(Statement statement) =>
        file.Database.Read(session => session.All("EXPLAIN QUERY PLAN " + statement.Sql, row => row.GetString(3), statement.Arguments));
}
