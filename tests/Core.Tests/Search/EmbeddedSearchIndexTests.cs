using Microsoft.Extensions.Logging.Abstractions;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;
using NodeStash.Core.Tests.Storage;
using NodeStash.LocalHost.Search;
using NodeStash.LocalHost.Store;

namespace NodeStash.Core.Tests.Search;

public sealed class EmbeddedSearchIndexTests : SearchIndexContract, IDisposable
{
    private static readonly Partition Ours = new("ws_ours", DataEnvironment.Live);

    private readonly string folder = Directory.CreateTempSubdirectory("nodestash-").FullName;
    private readonly SettableClock clock = new(new DateTimeOffset(2026, 1, 15, 10, 30, 0, TimeSpan.Zero));
    private Database database;
    private EmbeddedSearchIndexes indexes;

    public EmbeddedSearchIndexTests()
    {
        database = Open();
        indexes = new EmbeddedSearchIndexes(database, clock);
    }

    protected override ISearchIndexes Indexes => indexes;

    [Fact]
    public async Task Everything_is_found_after_a_restart()
    {
        await indexes.Open(Ours).Write([Jane("ct_1")], CancellationToken.None);

        Reopen();

        Assert.Equal(["ct_1"], await Find("jame"));
        await indexes.Open(Ours).Write([Jane("ct_2")], CancellationToken.None);
        Assert.Equal(["ct_2", "ct_1"], await Find("jame"));
    }

    [Fact]
    public async Task A_build_that_is_searched_no_more_leaves_nothing_in_the_file()
    {
        var index = indexes.Open(Ours);
        await index.Write([.. Enumerable.Range(0, 1200).Select(i => Jane($"ct_{i:0000}"))], CancellationToken.None);
        await index.BeginRebuild("abandoned", CancellationToken.None);
        await index.Fill("abandoned", [Jane("ct_1")], CancellationToken.None);
        await index.BeginRebuild("one", CancellationToken.None);
        await index.Fill("one", [Jane("ct_0001"), Jane("ct_0002")], CancellationToken.None);
        await index.EndRebuild("one", CancellationToken.None);

        Assert.Equal((1, 2, 2), database.Read(session => (Count(session, "sets"), Count(session, "documents"), Count(session, "words"))));
        Assert.Equal(2, database.Read(session => session.One("SELECT count(*) FROM terms WHERE terms MATCH ?1", row => row.GetInt64(0), "name : (\"1_jane\" OR \"2_jane\" OR \"3_jane\")")));
    }

    [Fact]
    public async Task Removals_are_forgotten_in_the_end_and_the_index_searches_on()
    {
        var index = indexes.Open(Ours);
        await index.Write([Jane("ct_1"), Jane("ct_2"), SearchChange.Removal("contact", "ct_2", 2)], CancellationToken.None);
        clock.Now += TimeSpan.FromDays(31);
        await index.Write([Jane("ct_3"), SearchChange.Removal("contact", "ct_4", 2)], CancellationToken.None);

        Assert.Equal(1, await indexes.Purge(clock.Now.AddDays(-30), 10, CancellationToken.None));
        Assert.Equal(0, await indexes.Purge(clock.Now.AddDays(-30), 10, CancellationToken.None));
        await index.Write([Jane("ct_5")], CancellationToken.None);

        Assert.Equal(["ct_5", "ct_3", "ct_1"], await Find("jane"));
    }

    [Fact]
    public async Task An_index_is_outdated_until_it_was_built_to_its_end_with_the_settings_of_today()
    {
        var other = new Partition("ws_other", DataEnvironment.Live);
        await indexes.Open(other).Write([Jane("ct_1")], CancellationToken.None);
        Assert.Equal([Ours], indexes.Outdated([Ours, other]));

        await indexes.Open(Ours).BeginRebuild("one", CancellationToken.None);
        Assert.Equal([Ours], indexes.Outdated([Ours, other]));
        await indexes.Open(Ours).EndRebuild("one", CancellationToken.None);
        Assert.Empty(indexes.Outdated([Ours, other]));

        await database.Write(session => session.Execute("UPDATE partitions SET settings = 'of yesterday' WHERE key = ?1", other.Key));
        Assert.Equal([other], indexes.Outdated([Ours, other]));
    }

    [Fact]
    public async Task A_search_ends_in_the_middle_of_it_once_it_is_cancelled()
    {
        const int All = 2000;
        await indexes.Open(Ours).Write([.. Enumerable.Range(0, All).Select(i => Jane($"ct_{i:0000}"))], CancellationToken.None);
        using var stop = new CancellationTokenSource();
        var read = 0;

        Assert.ThrowsAny<OperationCanceledException>(() => database.ReadUntil(
            session =>
            {
                session.Each("SELECT rowid FROM terms WHERE terms MATCH ?1", row => Read(), "\"1_jane\" AND \"1_d\"*");
                return true;
            },
            stop.Token));

        Assert.InRange(read, 1, All / 2);
        Assert.Equal(All, (await indexes.Open(Ours).Count(["contact"], "jnae do", CancellationToken.None))["contact"]);

        void Read()
        {
            read++;
            stop.Cancel();
        }
    }

    [Fact]
    public async Task What_a_merge_has_put_together_is_deleted_without_reading_the_rest_of_the_index()
    {
        await database.Write(session => session.Execute("ANALYZE"));
        await database.Write(session => session.Execute("PRAGMA user_version = 1"));
        Reopen();

        var plan = database.Read(session => session.One("EXPLAIN QUERY PLAN DELETE FROM terms_data WHERE id >= 1 AND id <= 2", row => row.GetString(3)));

        Assert.StartsWith("SEARCH", plan);
    }

    public void Dispose()
    {
        database.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private static SearchChange Jane(string id) => new("contact", id, 1, [new("first_name", Searchable.Name, "Jane"), new("last_name", Searchable.Name, "Doe")]);

    private static long Count(Session session, string table) => session.One($"SELECT count(*) FROM {table}", row => row.GetInt64(0));

    private async Task<IEnumerable<string>> Find(string text) =>
        (await indexes.Open(Ours).Find(new SearchQuery(["contact"], text, 10), CancellationToken.None)).Hits.Select(hit => hit.Id);

    private Database Open() => SearchFile.Open(Path.Combine(folder, "search.db"), NullLogger.Instance);

    private void Reopen()
    {
        database.Dispose();
        database = Open();
        indexes = new EmbeddedSearchIndexes(database, clock);
    }
}
