using System.Text;
using NodeStash.Core.Storage;
using NodeStash.LocalHost.Store;
using NodeStash.Support.Databases;

namespace NodeStash.LocalHost.Tests.Store;

/// <summary>Every page of an indexed sort is read off its index, however deep: nothing is sorted, nothing is read from the beginning.</summary>
public sealed class QueryPlanTests : IAsyncLifetime
{
    private static readonly RecordIndex[] Indexes = [
        new("contact", "email"), new("contact", "updated_at"), new("deal", "value"), new(TypeFamily.Records, "name"), new(TypeFamily.Records, "updated_at")];
    private readonly TemporaryDatabase file = new(Indexes);
    private readonly QueryTranslator translator = new(Indexes);

    public async ValueTask InitializeAsync()
    {
        var stores = new SqliteStores(file.Database, Indexes, new SqliteChangeFeed(file.Database), TimeProvider.System);
        foreach (var workspace in new[] { "ws_1", "ws_2" })
        {
            for (var batch = 0; batch < 10; batch++)
            {
                var writes = Enumerable.Range(batch * 100, 100).Select(i => new Write.Insert(
                    new StoredRecord(
                        i % 3 == 0 ? "deal" : i % 10 == 0 ? "record:projects" : i % 10 == 1 ? "record:houses" : "contact", $"r_{i}", 1, "{}"u8.ToArray()),
                    Encoding.UTF8.GetBytes(
                        $$"""{"created_at":"{{i}}","email":{{(i % 5 == 0 ? "null" : $"\"{i}@example.com\"")}},"value":{{i}},"name":"{{i}}","updated_at":"{{i / 7}}"}""")));
                await stores.Open(new Partition(workspace, WorkspaceEnvironment.Live)).Commit(new Commit { Writes = [.. writes] }, CancellationToken.None);
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        file.Dispose();
        return ValueTask.CompletedTask;
    }

    public static TheoryData<string, string, object?, bool, bool> Pages()
    {
        var pages = new TheoryData<string, string, object?, bool, bool>();
        foreach (var analyzed in new[] { false, true })
        {
            foreach (var descending in new[] { false, true })
            {
                foreach (var (type, key, value) in new (string, string, object?)[]
                {
                    ("contact", "email", "5@example.com"), ("contact", "email", null), ("contact", "updated_at", "5"), ("deal", "value", 5L),
                    ("contact", "created_at", "5"), ("deal", "created_at", "5"), ("pipeline", "created_at", "5"),
                    ("record:projects", "name", "5"), ("record:projects", "updated_at", "5"), ("record:houses", "created_at", "5"),
                })
                {
                    pages.Add(type, key, value, descending, analyzed);
                }
            }
        }

        return pages;
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task A_page_is_a_range_of_an_index(string type, string key, object? value, bool descending, bool analyzed)
    {
        if (analyzed) await file.Database.Write(session => session.Execute("ANALYZE"));
        foreach (var after in new[] { null, new Keyset([value], "r_5") })
        {
            foreach (var plan in Plans(new RecordQuery(type, Condition.Always, [new(new(key), descending)], after, 20)))
            {
                var step = Assert.Single(plan);
                Assert.StartsWith("SEARCH records USING INDEX", step, StringComparison.Ordinal);
                Assert.Contains(key == "created_at" ? "records_by_creation" : $"key of {TypeFamily.Of(type)}: {key}", step, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void A_page_after_a_keyset_begins_at_the_keyset()
    {
        var plans = Plans(new RecordQuery("contact", Condition.Always, [new(new("email"), false)], new Keyset(["5@example.com"], "r_5"), 20))
            .Select(plan => plan.Single()).ToList();

        Assert.EndsWith("(partition=? AND <expr>=? AND id>?)", plans[0], StringComparison.Ordinal);
        Assert.EndsWith("(partition=? AND <expr>>?)", plans[1], StringComparison.Ordinal);
    }

    public static TheoryData<Condition> Filters =>
    [
        new Condition.Equal(new("email"), "x"), new Condition.Equal(new("email"), null), new Condition.In(new("email"), ["x", "y"]),
        new Condition.StartsWith(new("email"), "x"), new Condition.Compare(new("email"), Comparison.Greater, "x"),
    ];

    [Theory]
    [MemberData(nameof(Filters))]
    public void A_filter_on_an_indexed_key_is_a_range_of_its_index(Condition where)
    {
        var count = translator.Count(1, "contact", where);

        Assert.Contains(
            Plan(count), step => step.Contains("key of contact: email", StringComparison.Ordinal) && step.Contains("<expr>", StringComparison.Ordinal));
    }

    [Fact]
    public void In_a_new_file_a_filter_on_an_indexed_key_is_preferred_to_a_walk_in_the_order_asked_for()
    {
        var query = new RecordQuery("contact", new Condition.Equal(new("email"), "x"), [new(new("created_at"), true)], null, 20);

        Assert.Contains("(partition=? AND <expr>=?)", Plans(query).Single()[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_filter_among_ids_looks_each_of_them_up(bool analyzed)
    {
        if (analyzed) await file.Database.Write(session => session.Execute("ANALYZE"));
        var among = new Condition.All([new Condition.In(KeyPath.Id, ["r_1", "r_2"]), new Condition.Equal(new("value"), 1L)]);

        Assert.Contains("records_by_id (partition=? AND id=?)", Plans(new RecordQuery("contact", among, [new(new("created_at"), true)], null, 2)).Single()[0],
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_past_its_time_is_a_range_of_an_index(bool analyzed)
    {
        if (analyzed) await file.Database.Write(session => session.Execute("ANALYZE"));

        Assert.Contains("SEARCH events USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)", Plan(new Statement(SqliteChangeFeed.Passed, [0L, 500L])));
        Assert.Equal(
            ["SEARCH p USING INTEGER PRIMARY KEY (rowid>?)", "SEARCH d USING INDEX deliveries_by_id (partition=? AND id>? AND id<?)"],
            Plan(new Statement(SqliteDeliveryStores.ExpiredQuery, [0L, "", "dlv_1", 0L, 500L])));
    }

    [Fact]
    public async Task Refreshed_statistics_disturb_nobody()
    {
        var query = new RecordQuery("contact", Condition.Always, [new(new("email"), true)], null, 20);
        var before = Plans(query).Single();

        await file.Database.Optimize();

        Assert.Equal(before, Plans(query).Single());
    }

    [Fact]
    public void What_is_bound_makes_no_new_plan()
    {
        var (first, then) = file.Database.Read(session =>
        {
            Run(session, 1);
            var first = session.Recompilations;
            for (var limit = 2; limit < 10; limit++) Run(session, limit);
            return (first, session.Recompilations);
        });

        Assert.Equal(first, then);

        void Run(Session session, int limit)
        {
            var query = new RecordQuery(
                "contact", new Condition.In(KeyPath.Id, ["r_1", "r_2"]), [new(new("created_at"), true)], new Keyset(["5"], "r_5"), limit);
            foreach (var statement in translator.Page(1, query)) session.Each(statement.Sql, _ => { }, statement.Arguments);
            session.Each(
                "SELECT id FROM records WHERE partition = ?1 AND id IN (SELECT value FROM json_each(?2)) AND type = ?3", _ => { }, 1L, "[]", "contact");
        }
    }

    private IEnumerable<List<string>> Plans(RecordQuery query) => translator.Page(1, query).Select(Plan);

    private List<string> Plan(Statement statement) =>
        file.Database.Read(session => session.All("EXPLAIN QUERY PLAN " + statement.Sql, row => row.GetString(3), statement.Arguments));
}
