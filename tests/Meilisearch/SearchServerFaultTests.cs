using System.Text.Json;
using Meilisearch;
using Meilisearch.QueryParameters;
using NodeStash.Azure.Meilisearch;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;
using NodeStash.Support;
using SearchQuery = NodeStash.Core.Search.SearchQuery;

namespace NodeStash.Meilisearch.Tests;

public sealed class SearchServerFaultTests(SearchServerProcess server) : IClassFixture<SearchServerProcess>, IDisposable
{
    private const string Records = "nodestash-records", Partitions = "nodestash-datasets";

    private readonly Partition partition = new($"ws_{Guid.CreateVersion7():N}", WorkspaceEnvironment.Live);
    private readonly List<MeilisearchIndexes> opened = [];

    [Fact]
    public async Task While_the_server_is_down_all_members_say_so_and_afterwards_everything_is_there()
    {
        var index = Open().Open(partition);
        await index.Write([Jane("ct_1")], CancellationToken.None);

        await server.Kill();
        await Unavailable(() => index.Find(new SearchQuery(["contact"], "jane", 10), CancellationToken.None).AsTask());
        await Unavailable(() => index.Count(["contact"], "jane", CancellationToken.None).AsTask());
        await Unavailable(() => index.Write([Jane("ct_2")], CancellationToken.None).AsTask());
        await Unavailable(() => index.BeginRebuild("one", CancellationToken.None).AsTask());
        await Unavailable(() => index.Fill("one", [Jane("ct_2")], CancellationToken.None).AsTask());
        await Unavailable(() => index.EndRebuild("one", CancellationToken.None).AsTask());
        await Unavailable(() => opened[0].Check(CancellationToken.None).AsTask());
        await Unavailable(() => Open().Open(partition).Write([Jane("ct_2")], CancellationToken.None).AsTask());

        await server.Start();
        await opened[0].Check(CancellationToken.None);
        Assert.Equal(["ct_1"], await Found(index));
        await index.Write([Jane("ct_2")], CancellationToken.None);
        Assert.Equal(["ct_2", "ct_1"], await Found(index));
    }

    [Fact]
    public async Task A_server_that_is_killed_in_the_middle_of_batches_has_them_all_once_they_came_again()
    {
        var (index, begun) = (Open().Open(partition), new SemaphoreSlim(0));
        var feed = Task.Run(async () =>
        {
            for (var batch = 0; batch < 12; batch++)
            {
                begun.Release();
                var changes = Enumerable.Range(batch * 50, 50).Select(i => Jane($"ct_{i:0000}", version: 2)).ToList();
                await Eventually.True(() => IsWritten(index, changes), "the batch");
            }
        });

        for (var time = 0; time < 3; time++)
        {
            for (var batch = 0; batch < 3; batch++) await begun.WaitAsync();
            await server.Kill();
            await server.Start();
        }

        await feed;
        Assert.Equal(600, (await index.Count(["contact"], "jane", CancellationToken.None))["contact"]);
        Assert.Equal(600, (await Found(index)).Distinct().Count());
    }

    [Fact]
    public async Task A_task_that_fails_is_a_write_that_fails()
    {
        var index = Open().Open(partition);
        await index.Write([Jane("ct_1")], CancellationToken.None);
        await Done(client => client.DeleteIndexAsync(Records));
        await Done(client => client.CreateIndexAsync(Records, "another_key"));
        await Done(client => client.Index(Records).UpdateFilterableAttributesAsync(["key"]));
        await Unavailable(() => index.Write([Jane("ct_2")], CancellationToken.None).AsTask());

        await Done(client => client.DeleteIndexAsync(Records));
        await Eventually.True(() => IsRebuilt(opened[0], [Jane("ct_2")]), "the index");
        Assert.Equal(["ct_2"], await Found(index, "jnae"));
    }

    [Theory]
    [InlineData(Records)]
    [InlineData(Records, Partitions)]
    public async Task A_server_that_has_lost_what_it_had_refuses_until_every_data_set_is_built_anew_and_then_takes_new_ones(params string[] lost)
    {
        var (indexes, another) = (Open(), new Partition(partition.WorkspaceId, WorkspaceEnvironment.Test));
        var index = indexes.Open(partition);
        await index.Write([Jane("ct_1")], CancellationToken.None);
        foreach (var one in lost) await Done(client => client.DeleteIndexAsync(one));

        // Found by the first request, whichever that is.
        await Unavailable(() => index.Find(new SearchQuery(["contact"], "jane", 10), CancellationToken.None).AsTask());
        foreach (var same in new[] { indexes, Open() })
        {
            await Unavailable(() => same.Open(partition).Find(new SearchQuery(["contact"], "jane", 10), CancellationToken.None).AsTask());
            await Unavailable(() => same.Open(partition).Count(["contact"], "jane", CancellationToken.None).AsTask());
            await Unavailable(() => same.Open(another).Write([Jane("ct_3")], CancellationToken.None).AsTask());
            await Unavailable(() => same.Check(CancellationToken.None).AsTask());
            Assert.Equal(new IndexState(partition, false, null), Assert.Single(await same.States([partition], CancellationToken.None)));
        }

        Assert.True(await IsRebuilt(indexes, [Jane("ct_1"), Jane("ct_2")]));

        await opened[^1].Check(CancellationToken.None);
        Assert.Equal(["ct_2", "ct_1"], await Found(index, "jnae"));
        Assert.Equal([new(partition, true, null), new(another, true, null)], await opened[^1].States([partition, another], CancellationToken.None));
        await opened[^1].Open(another).Write([Jane("ct_3")], CancellationToken.None);
        Assert.Equal(["ct_3"], await Found(indexes.Open(another)));
    }

    [Fact]
    public async Task An_index_that_was_made_by_other_terms_is_not_sound_until_it_was_built_anew()
    {
        var indexes = Open();
        await indexes.Open(partition).Write([Jane("ct_1")], CancellationToken.None);
        var note = (await server.Client.Index(Partitions).GetDocumentsAsync<JsonElement>(new DocumentsQuery { Limit = 1000 })).Results
            .Single(document => document.TryGetProperty("partition", out var key) && key.GetString() == partition.Key);
        Assert.True(Assert.Single(await indexes.States([partition], CancellationToken.None)).IsSound);

        await Done(client => client.Index(Partitions)
            .AddDocumentsJsonAsync($"[{note.GetRawText().Replace(note.GetProperty("settings").GetString()!, "of yesterday", StringComparison.Ordinal)}]"));

        Assert.Equal(new IndexState(partition, false, null), Assert.Single(await indexes.States([partition], CancellationToken.None)));
        Assert.Equal(["ct_1"], await Found(indexes.Open(partition)));
        await IsRebuilt(indexes, [Jane("ct_1")]);
        Assert.Equal(new IndexState(partition, true, null), Assert.Single(await indexes.States([partition], CancellationToken.None)));
    }

    [Fact]
    public async Task Settings_are_applied_where_their_version_is_another_and_only_there()
    {
        await Open().Open(partition).Write([Jane("ct_1")], CancellationToken.None);
        await Done(client => client.Index(Records).UpdateSettingsAsync(new Settings { TypoTolerance = new TypoTolerance { Enabled = false } }));

        Assert.Empty(await Found(Open().Open(partition), "jnae"));

        await Done(client => client.Index(Partitions).AddDocumentsJsonAsync("""[{"key":"settings","version":"of yesterday","complete":true}]"""));
        Assert.Equal(["ct_1"], await Found(Open().Open(partition), "jnae"));
    }

    [Fact]
    public async Task A_key_that_is_refused_is_unavailable_too()
    {
        using var indexes = new MeilisearchIndexes(server.Url, "another-key-of-the-same-length-..", TimeProvider.System);

        await Unavailable(() => indexes.Open(partition).Find(new SearchQuery(["contact"], "jane", 10), CancellationToken.None).AsTask());
    }

    public void Dispose() => opened.ForEach(each => each.Dispose());

    private static SearchChange Jane(string id, long version = 1) => MeilisearchIndexTests.Jane(id, version: version);

    private static Task Unavailable(Func<Task> ask) => Assert.ThrowsAsync<SearchUnavailableException>(ask);

    /// <summary>As upkeep and its job do.</summary>
    private async Task<bool> IsRebuilt(MeilisearchIndexes indexes, IReadOnlyList<SearchChange> changes)
    {
        try
        {
            var index = indexes.Open(partition);
            await index.BeginRebuild("anew", CancellationToken.None);
            await indexes.Complete(CancellationToken.None);
            await index.Fill("anew", changes, CancellationToken.None);
            await index.EndRebuild("anew", CancellationToken.None);
            return true;
        }
        catch (SearchUnavailableException)
        {
            return false;
        }
    }

    /// <summary>As the feed does: what fails comes again.</summary>
    private static async Task<bool> IsWritten(ISearchIndex index, IReadOnlyList<SearchChange> changes)
    {
        try
        {
            await index.Write(changes, CancellationToken.None);
            return true;
        }
        catch (SearchUnavailableException)
        {
            return false;
        }
    }

    private static async Task<List<string>> Found(ISearchIndex index, string text = "jane") =>
        [.. (await index.Find(new SearchQuery(["contact"], text, 1000), CancellationToken.None)).Hits.Select(hit => hit.Id)];

    private MeilisearchIndexes Open()
    {
        opened.Add(new MeilisearchIndexes(server.Url, SearchServerProcess.Key, TimeProvider.System));
        return opened[^1];
    }

    /// <summary>Does something past the product.</summary>
    private async Task Done(Func<MeilisearchClient, Task<TaskInfo>> ask)
    {
        var task = await server.Client.WaitForTaskAsync((await ask(server.Client)).TaskUid, 60_000);
        Assert.Equal(TaskInfoStatus.Succeeded, task.Status);
    }
}
