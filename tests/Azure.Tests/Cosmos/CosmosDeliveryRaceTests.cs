using Microsoft.Azure.Cosmos;
using NodeStash.Azure.Cosmos;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;
using NodeStash.CosmosStandIn;
using NodeStash.Support.Contracts.Storage;

namespace NodeStash.Azure.Tests.Cosmos;

/// <summary>What only this adapter can show: where a partition is large, where others are first, and what it costs.</summary>
public sealed class CosmosDeliveryRaceTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Now = new(2026, 1, 15, 10, 30, 0, TimeSpan.Zero);
    private readonly DeliveriesStandIn standIn = new();
    private IDeliveryStore store = null!;

    private StandInAccount Account => standIn.Account;

    public async ValueTask InitializeAsync()
    {
        await standIn.InitializeAsync();
        store = DeliveriesStandIn.Open(standIn.Client).Open(new Partition("ws_1", WorkspaceEnvironment.Live));
        await store.Find("dlv_0", CancellationToken.None);
        Account.ClearLog();
    }

    public ValueTask DisposeAsync() => standIn.DisposeAsync();

    [Fact]
    public async Task More_than_fits_a_batch_is_recorded_settled_and_reopened()
    {
        var many = Enumerable.Range(100, 250).Select(i => New(i, record: i < 330 ? "ct_1" : $"ct_{i}")).ToList();
        await store.Add(many, Now, CancellationToken.None);
        await store.Add(many, Now, CancellationToken.None);
        Assert.Equal(21, (await Take()).Heads.Count);

        Assert.Equal(250, await store.Finalize("wh_1", DeliveryStatus.Failed, Now, CancellationToken.None));
        Assert.Equal(WorkState.Empty, (await Take()).State);
        Assert.Equal(250, await store.Reopen([.. many.Select(delivery => delivery.Id)], [DeliveryStatus.Failed], Now, CancellationToken.None));
        Assert.Equal(
            ["dlv_100", .. many.Skip(230).Select(delivery => delivery.Id)], (await Take()).Heads.Select(head => head.Id).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_delivery_recorded_while_its_lane_is_finished_is_not_stranded()
    {
        await store.Add([New(1)], Now, CancellationToken.None);
        Before(RequestKind.Batch, async () => await store.Add([New(2)], Now, CancellationToken.None));

        var noted = await DeliveryStoreContract.RecordAttempt(store, "dlv_1", Delivered, DeliveryStatus.Delivered, Now);

        Assert.Equal("dlv_2", noted.Next?.Id);
        Assert.Equal(["dlv_2"], (await Take()).Heads.Select(head => head.Id));
    }

    [Fact]
    public async Task A_worker_that_is_asked_for_while_it_is_let_go_takes_again_first()
    {
        await store.Add([New(1)], Now, CancellationToken.None);
        await Take();
        await DeliveryStoreContract.RecordAttempt(store, "dlv_1", Delivered, DeliveryStatus.Delivered, Now);
        Worker? worker = null;
        Before(RequestKind.Batch, async () =>
        {
            await store.Add([New(2)], Now, CancellationToken.None);
            worker = await store.GetWorker("wh_1", Now, CancellationToken.None);
        });

        Assert.Equal(["dlv_2"], (await Take()).Heads.Select(head => head.Id));
        Assert.Equal(new Worker("one", false), worker);
    }

    [Fact]
    public async Task An_attempt_noted_while_it_is_put_off_is_not_put_off()
    {
        await store.Add([New(1), New(2)], Now, CancellationToken.None);
        Before(RequestKind.Batch, async () => await DeliveryStoreContract.RecordAttempt(store, "dlv_1", Delivered, DeliveryStatus.Delivered, Now));

        await store.Defer([("dlv_1", 1)], Now.AddMinutes(1), CancellationToken.None);

        Assert.Equal(["dlv_2"], (await Take()).Heads.Select(head => head.Id));
    }

    [Fact]
    public async Task A_worker_in_a_process_that_has_not_seen_yet_that_another_was_let_go_is_not_turned_away()
    {
        var late = new DeliveriesStandIn(lag: 100);
        await late.InitializeAsync();
        using var other = late.Account.Connect();
        var (here, there) = (DeliveriesStandIn.Open(late.Client).Open(store.Partition), DeliveriesStandIn.Open(other).Open(store.Partition));
        await here.Add([New(1)], Now, CancellationToken.None);
        await here.AcquireDue("wh_1", "one", Now, Now.AddHours(1), 10, CancellationToken.None);
        Assert.Equal(WorkState.Held, (await there.AcquireDue("wh_1", "two", Now, Now.AddHours(1), 10, CancellationToken.None)).State);
        await DeliveryStoreContract.RecordAttempt(here, "dlv_1", Delivered, DeliveryStatus.Delivered, Now);
        Assert.Equal(WorkState.Empty, (await here.AcquireDue("wh_1", "one", Now, Now.AddHours(1), 10, CancellationToken.None)).State);
        await here.Add([New(2)], Now, CancellationToken.None);

        Assert.Equal(["dlv_2"], (await there.AcquireDue("wh_1", "two", Now, Now.AddHours(1), 10, CancellationToken.None)).Heads.Select(head => head.Id));
        await late.DisposeAsync();
    }

    [Theory]
    [InlineData(Fault.TimeoutAfter)]
    [InlineData(Fault.DisconnectAfter)]
    public async Task What_was_done_without_an_answer_is_counted_once(Fault fault)
    {
        await store.Add([New(1), New(2)], Now, CancellationToken.None);
        Account.Faults.Next(fault, 1, request => request.Kind == RequestKind.Batch);
        Assert.Equal(2, await store.Finalize("wh_1", DeliveryStatus.Failed, Now, CancellationToken.None));
        Account.Faults.Next(fault, 1, request => request.Kind == RequestKind.Batch);
        Assert.Equal(2, await store.Reopen(["dlv_1", "dlv_2"], [DeliveryStatus.Failed, DeliveryStatus.Pending], Now, CancellationToken.None));
        Account.Faults.Next(fault, 1, request => request.Kind == RequestKind.Batch);
        Assert.Equal("dlv_2", (await DeliveryStoreContract.RecordAttempt(store, "dlv_1", Delivered, DeliveryStatus.Delivered, Now)).Next?.Id);
        Assert.Single((await store.Find("dlv_1", CancellationToken.None))!.Attempts);
    }

    [Fact]
    public async Task A_settled_delivery_is_forgotten_after_its_time_and_a_pending_one_is_not()
    {
        await store.Add([New(1), New(2)], Now, CancellationToken.None);
        await DeliveryStoreContract.RecordAttempt(store, "dlv_1", Delivered, DeliveryStatus.Delivered, Now);
        await store.Reopen(["dlv_1"], [DeliveryStatus.Delivered], Now, CancellationToken.None);
        Assert.Equal([-1, null], await Lives());
        await store.Finalize("wh_1", DeliveryStatus.Failed, Now, CancellationToken.None);
        Assert.Equal([2_592_000, 2_592_000], await Lives());

        async Task<List<int?>> Lives()
        {
            var query = new QueryDefinition("SELECT VALUE c FROM c WHERE c.kind = 'delivery' ORDER BY c.id");
            using var pages = standIn.Client.GetContainer("nodestash", CosmosContainers.Deliveries)
                .GetItemQueryIterator<Dictionary<string, object>>(query, null, new QueryRequestOptions { PartitionKey = new PartitionKey("ws_1") });
            return [.. (await pages.ReadNextAsync()).Select(document => document.TryGetValue("ttl", out var ttl) ? (int?)(long)ttl : null)];
        }
    }

    /// <summary>The figures of docs/operations.md.</summary>
    [Fact]
    public async Task An_event_that_arrives_at_once_costs_few_requests()
    {
        var fifty = Enumerable.Range(100, 50).Select(i => New(i, record: $"ct_{i}")).ToList();
        await store.Add(fifty, Now, CancellationToken.None);
        Assert.Equal([RequestKind.Batch], Spent(out var recorded));
        await store.GetWorker("wh_1", Now, CancellationToken.None);
        Assert.Equal([RequestKind.Patch], Spent(out _));
        await Take();
        Assert.Equal([RequestKind.Read, RequestKind.Query, RequestKind.Batch, RequestKind.Query], Spent(out var taken));
        await Take();
        Assert.Equal([RequestKind.Read, RequestKind.Query, RequestKind.Query], Spent(out var takenAgain));
        await DeliveryStoreContract.RecordAttempt(store, "dlv_100", Delivered, DeliveryStatus.Delivered, Now);
        Assert.Equal([RequestKind.Read, RequestKind.Read, RequestKind.Read, RequestKind.Batch], Spent(out var noted));
        var together = await store.RecordAttempts("wh_1",
            [.. Enumerable.Range(101, 49).Select(i => new FinishedAttempt($"dlv_{i}", Delivered, DeliveryStatus.Delivered, Now))], CancellationToken.None);
        Assert.All(together, each => Assert.Equal(default, each));
        Assert.Equal([RequestKind.Read, RequestKind.Batch, RequestKind.Query, RequestKind.Query], Spent(out var notedTogether).Order());
        Assert.True((recorded + takenAgain + notedTogether) / 50 < 26 && noted < 16 && taken < 16, $"{recorded} {taken} {takenAgain} {noted} {notedTogether}");
    }

    private static DeliveryAttempt Delivered => new(1, Now, TimeSpan.Zero, AttemptOutcome.Delivered, 200, null);

    private static Delivery New(int number, string record = "ct_1") =>
        new($"dlv_{number}", new Lane("wh_1", record), $"evt_{number}", "contact.created", number, DeliveryStatus.Pending, [], Now);

    private ValueTask<DueDeliveries> Take() => store.AcquireDue("wh_1", "one", Now, Now.AddHours(1), 100, CancellationToken.None);

    /// <summary>Lets something happen once, just before the next request of a kind.</summary>
    private void Before(RequestKind kind, Func<Task> happens) => Account.OnRequest = async request =>
    {
        if (request.Kind != kind) return;
        Account.OnRequest = null;
        await happens();
    };

    /// <summary>What was asked since the last time, and what it cost.</summary>
    private IEnumerable<RequestKind> Spent(out double charge)
    {
        var spent = Account.Log.Where(request => request.Kind != RequestKind.Metadata).ToList();
        Account.ClearLog();
        charge = spent.Sum(request => request.Charge);
        return spent.Select(request => request.Kind);
    }
}
