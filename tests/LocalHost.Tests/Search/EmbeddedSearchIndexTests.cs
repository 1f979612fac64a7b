using Microsoft.Extensions.Logging.Abstractions;
using NodeStash.Core.Records;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;
using NodeStash.LocalHost.Search;
using NodeStash.LocalHost.Store;
using NodeStash.Support.Clocks;
using NodeStash.Support.Contracts.Search;

namespace NodeStash.LocalHost.Tests.Search;

public sealed class EmbeddedSearchIndexTests : SearchIndexContract, IAsyncLifetime
{
    private static readonly Partition Ours = new("ws_ours", WorkspaceEnvironment.Live);

    private readonly string folder = Directory.CreateTempSubdirectory("nodestash-").FullName;
    private readonly SettableClock clock = new(new DateTimeOffset(2026, 1, 15, 10, 30, 0, TimeSpan.Zero));
    private SearchFile file;
    private EmbeddedSearchIndexes indexes;

    public EmbeddedSearchIndexTests()
    {
        file = SearchFile.Open(Path, NullLogger.Instance);
        indexes = new EmbeddedSearchIndexes(file, clock);
    }

    protected override ISearchIndexes Indexes => indexes;

    private string Path => System.IO.Path.Combine(folder, "search.db");

    public async ValueTask InitializeAsync() => await indexes.Complete(CancellationToken.None);

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

        using var tables = Tables();
        Assert.Equal((1, 2, 2), tables.Read(session => (Count(session, "sets"), Count(session, "documents"), Count(session, "words"))));
        Assert.Equal(2,
            tables.Read(session =>
                session.One("SELECT count(*) FROM terms WHERE terms MATCH ?1", row => row.GetInt64(0), "name : (\"1_jane\" OR \"2_jane\" OR \"3_jane\")")));
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
    public async Task An_index_that_was_made_by_other_settings_or_terms_is_not_sound_until_it_was_built_anew()
    {
        await indexes.Open(Ours).Write([Jane("ct_1")], CancellationToken.None);
        Assert.True((await State()).IsSound);
        using (var tables = Tables()) await tables.Write(session => session.Execute("UPDATE partitions SET settings = 'of yesterday'"));
        Assert.False((await State()).IsSound);

        await indexes.Open(Ours).BeginRebuild("one", CancellationToken.None);
        Assert.Equal(new IndexState(Ours, false, "one"), await State());
        await indexes.Open(Ours).EndRebuild("one", CancellationToken.None);
        Assert.Equal(new IndexState(Ours, true, null), await State());
    }

    [Theory]
    [InlineData("gone")]
    [InlineData("of another kind")]
    [InlineData("damaged")]
    public async Task A_file_that_is_damaged_or_gone_is_begun_anew_at_a_start(string how)
    {
        await indexes.Open(Ours).Write([.. Enumerable.Range(0, 500).Select(i => Jane($"ct_{i}"))], CancellationToken.None);
        file.Dispose();
        Spoil(how);

        Reopen();

        await IsBegunAnew();
    }

    [Fact]
    public async Task A_file_that_is_found_damaged_or_gone_while_it_is_used_is_begun_anew()
    {
        foreach (var how in new[] { "gone", "damaged" })
        {
            await indexes.Open(Ours).Write([.. Enumerable.Range(0, 500).Select(i => Jane($"ct_{i}"))], CancellationToken.None);
            Reopen();
            Spoil(how);

            await IsBegunAnew();
        }
    }

    [Fact]
    public async Task A_search_ends_in_the_middle_of_it_once_it_is_cancelled()
    {
        const int All = 2000;
        await indexes.Open(Ours).Write([.. Enumerable.Range(0, All).Select(i => Jane($"ct_{i:0000}"))], CancellationToken.None);
        using var stop = new CancellationTokenSource();
        var read = 0;

        using var tables = Tables();
        Assert.ThrowsAny<OperationCanceledException>(() => tables.ReadUntil(
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
        using (var tables = Tables())
        {
            await tables.Write(session => session.Execute("ANALYZE"));
            await tables.Write(session => session.Execute("DROP TABLE knows_all"));
            await tables.Write(session => session.Execute("PRAGMA user_version = 1"));
        }

        Reopen();

        using var migrated = Tables();
        var plan = migrated.Read(session => session.One("EXPLAIN QUERY PLAN DELETE FROM terms_data WHERE id >= 1 AND id <= 2", row => row.GetString(3)));

        Assert.StartsWith("SEARCH", plan);
    }

    public ValueTask DisposeAsync()
    {
        file.Dispose();
        Directory.Delete(folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>Spoils the file, open or not.</summary>
    private void Spoil(string how)
    {
        if (how == "gone") File.Delete(Path);
        else if (how == "of another kind") File.WriteAllText(Path, new string('?', 10_000));
        else
        {
            using var written = new FileStream(Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            written.Position = 100;
            written.Write(Enumerable.Repeat((byte)0xEE, (int)(written.Length - written.Position)).ToArray());
        }
    }

    /// <summary>What upkeep and the others find: refusals first, then what is built from the records.</summary>
    private async Task IsBegunAnew()
    {
        for (var look = 0; look < 2; look++)
        {
            try
            {
                if (!(await State()).IsSound) break;
            }
            catch (SearchUnavailableException)
            {
            }
        }

        Assert.Equal(new IndexState(Ours, false, null), await State());
        await Assert.ThrowsAsync<SearchUnavailableException>(() => Find("jane"));
        await Assert.ThrowsAsync<SearchUnavailableException>(async () => await indexes.Open(Ours).Write([Jane("ct_2")], CancellationToken.None));
        await Assert.ThrowsAsync<SearchUnavailableException>(async () => await indexes.Check(CancellationToken.None));

        await indexes.Open(Ours).BeginRebuild("anew", CancellationToken.None);
        await indexes.Complete(CancellationToken.None);
        await indexes.Open(Ours).Fill("anew", [Jane("ct_1")], CancellationToken.None);
        await indexes.Open(Ours).EndRebuild("anew", CancellationToken.None);
        Assert.Equal(["ct_1"], await Find("jame"));
        Assert.True((await State()).IsSound);
        await indexes.Check(CancellationToken.None);
    }

    private async Task<IndexState> State() => Assert.Single(await indexes.States([Ours], CancellationToken.None));

    private static SearchChange Jane(string id) =>
        new("contact", id, 1, [new("first_name", Searchable.Name, "Jane"), new("last_name", Searchable.Name, "Doe")]);

    private static long Count(Session session, string table) => session.One($"SELECT count(*) FROM {table}", row => row.GetInt64(0));

    private async Task<IEnumerable<string>> Find(string text) =>
        (await indexes.Open(Ours).Find(new SearchQuery(["contact"], text, 10), CancellationToken.None)).Hits.Select(hit => hit.Id);

    /// <summary>The tables, past the product.</summary>
    private Database Tables() => Database.Open(Path, SearchFile.Migrations, NullLogger.Instance);

    private void Reopen()
    {
        file.Dispose();
        file = SearchFile.Open(Path, NullLogger.Instance);
        indexes = new EmbeddedSearchIndexes(file, clock);
    }
}
