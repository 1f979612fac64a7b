using System.Collections.Concurrent;
using System.Net;
using Microsoft.Azure.Cosmos;
using Newtonsoft.Json.Linq;

namespace NodeStash.CosmosStandIn.Tests;

public sealed class ChangeFeedTests : IAsyncLifetime
{
    private readonly Fixture fixture = new();

    public async ValueTask InitializeAsync() => await fixture.Open();

    public async ValueTask DisposeAsync() => await fixture.Close();

    [Fact]
    public async Task Each_document_is_told_of_once_as_it_is_in_the_order_of_writes()
    {
        await Write("1", "ws_1");
        await Write("2", "ws_2");
        await Write("3", "ws_1");
        await Write("1", "ws_1");
        await fixture.Crm.DeleteItemAsync<object>("3", new PartitionKey("ws_1"));
        Assert.Equal(["2", "1"], (await Changes(ChangeFeedStartFrom.Beginning())).Ids);
        Assert.Equal(["1"], (await Changes(ChangeFeedStartFrom.Beginning(FeedRange.FromPartitionKey(new PartitionKey("ws_1"))))).Ids);
    }

    [Fact]
    public async Task A_continuation_goes_on_behind_what_was_read()
    {
        await Write("1", "ws_1");
        var (ids, continuation) = await Changes(ChangeFeedStartFrom.Beginning());
        Assert.Equal(["1"], ids);
        await Write("2", "ws_1");
        (ids, continuation) = await Changes(ChangeFeedStartFrom.ContinuationToken(continuation));
        Assert.Equal(["2"], ids);
        Assert.Empty((await Changes(ChangeFeedStartFrom.ContinuationToken(continuation))).Ids);
    }

    [Fact]
    public async Task It_starts_now_or_at_a_time()
    {
        await Write("1", "ws_1");
        var (_, now) = await Changes(ChangeFeedStartFrom.Now());
        fixture.Clock.Advance(TimeSpan.FromSeconds(10));
        await Write("2", "ws_1");
        Assert.Equal(["2"], (await Changes(ChangeFeedStartFrom.ContinuationToken(now))).Ids);
        Assert.Equal(["2"], (await Changes(ChangeFeedStartFrom.Time(fixture.Clock.GetUtcNow().UtcDateTime))).Ids);
    }

    [Fact]
    public async Task A_page_never_ends_within_a_batch()
    {
        await Write("1", "ws_1");
        using var response = await fixture.Crm.CreateTransactionalBatch(new PartitionKey("ws_1")).CreateItem(new { id = "2", pk = "ws_1" })
            .CreateItem(new { id = "3", pk = "ws_1" }).ExecuteAsync();
        using var pages = fixture.Crm.GetChangeFeedIterator<JObject>(
            ChangeFeedStartFrom.Beginning(), ChangeFeedMode.Incremental, new ChangeFeedRequestOptions { PageSizeHint = 2 });
        Assert.Equal(["1", "2", "3"], (await pages.ReadNextAsync()).Select(document => (string)document["id"]!));
    }

    [Fact]
    public async Task The_client_s_processor_reads_all_keeps_its_place_in_leases_and_repeats_a_batch_that_failed()
    {
        Container leases = await fixture.Crm.Database.CreateContainerAsync("leases", "/id");
        var seen = new ConcurrentQueue<string>();
        var failures = 1;
        await RunProcessor(leases, batch =>
        {
            if (Interlocked.Decrement(ref failures) >= 0) throw new InvalidOperationException("The first batch fails.");
            foreach (var document in batch) seen.Enqueue((string)document["id"]!);
        }, async () =>
        {
            for (var i = 0; i < 10; i++) await Write($"{i}", $"ws_{i % 3}");
            await Until(() => seen.Count >= 10);
        });
        Assert.Equal(10, seen.Distinct().Count());

        seen.Clear();
        await Write("after", "ws_1");
        await RunProcessor(leases, batch =>
        {
            foreach (var document in batch) seen.Enqueue((string)document["id"]!);
        }, () => Until(() => !seen.IsEmpty));
        Assert.Equal(["after"], seen);
    }

    private async Task RunProcessor(Container leases, Action<IReadOnlyCollection<JObject>> handle, Func<Task> meanwhile)
    {
        var processor = fixture.Crm.GetChangeFeedProcessorBuilder<JObject>("feed", (batch, _) =>
            {
                handle(batch);
                return Task.CompletedTask;
            })
            .WithInstanceName("only").WithLeaseContainer(leases).WithStartTime(DateTime.MinValue.ToUniversalTime())
            .WithPollInterval(TimeSpan.FromMilliseconds(20)).Build();
        await processor.StartAsync();
        try
        {
            await meanwhile();
        }
        finally
        {
            await processor.StopAsync();
        }
    }

    private Task Write(string id, string partition) => fixture.Crm.UpsertItemAsync(new { id, pk = partition }, new PartitionKey(partition));

    private async Task<(List<string> Ids, string Continuation)> Changes(ChangeFeedStartFrom from)
    {
        var ids = new List<string>();
        using var pages = fixture.Crm.GetChangeFeedIterator<JObject>(from, ChangeFeedMode.Incremental);
        while (true)
        {
            var page = await pages.ReadNextAsync();
            if (page.StatusCode == HttpStatusCode.NotModified) return (ids, page.ContinuationToken);
            ids.AddRange(page.Select(document => (string)document["id"]!));
        }
    }

    private static async Task Until(Func<bool> condition)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2), TimeProvider.System);
        while (!condition()) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, deadline.Token);
    }
}
