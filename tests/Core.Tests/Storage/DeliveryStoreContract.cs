using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;

namespace NodeStash.Core.Tests.Storage;

/// <summary>What every adapter of <see cref="IDeliveryStores"/> has to pass.</summary>
public abstract class DeliveryStoreContract
{
    private static readonly DateTimeOffset Now = new(2026, 1, 15, 10, 30, 0, 123, TimeSpan.Zero);
    private static readonly DateTimeOffset Later = Now.AddMinutes(1);
    private static readonly Lane Lane = new("wh_1", "ct_1");
    private static int partitions;

    protected abstract IDeliveryStores Stores { get; }

    [Fact]
    public async Task A_delivery_is_read_as_it_was_recorded()
    {
        var store = NewStore();
        var recorded = new Delivery("dlv_1", Lane, "evt_1", "contact.created", 4, DeliveryStatus.Pending, [], Now);
        await store.Add([recorded], CancellationToken.None);

        var found = await store.Find("dlv_1", CancellationToken.None);

        Assert.Empty(found!.Attempts);
        Assert.Equal(recorded, found with { Attempts = recorded.Attempts });
        Assert.Null(await store.Find("dlv_2", CancellationToken.None));
    }

    [Fact]
    public async Task Recording_again_changes_nothing()
    {
        var store = NewStore();
        await store.Add([New(1), New(2)], CancellationToken.None);
        await store.Attempted("dlv_1", Attempt(1), DeliveryStatus.Delivered, CancellationToken.None);

        await store.Add([New(1), New(2), New(3)], CancellationToken.None);

        Assert.Equal(DeliveryStatus.Delivered, await Status(store, "dlv_1"));
        Assert.Single((await store.Find("dlv_1", CancellationToken.None))!.Attempts);
        Assert.Equal(["dlv_3", "dlv_2", "dlv_1"], await List(store));
    }

    [Fact]
    public async Task A_lane_is_worked_off_by_version_then_event()
    {
        var store = NewStore();
        await store.Add(
            [New(1) with { Version = 2, EventId = "evt_b" }, New(2) with { Version = 10 }, New(3) with { Version = 1 }, New(4) with { Version = 2, EventId = "evt_a" }],
            CancellationToken.None);

        var order = new List<string>();
        while (await store.Next(Lane, "one", Now, Later, CancellationToken.None) is { State: LaneState.Ready, Delivery: { } delivery })
        {
            Assert.Equal(delivery.Id, (await store.Next(Lane, "one", Now, Later, CancellationToken.None)).Delivery!.Id);
            order.Add(delivery.Id);
            await store.Attempted(delivery.Id, Attempt(1), order.Count == 2 ? DeliveryStatus.Failed : DeliveryStatus.Delivered, CancellationToken.None);
        }

        Assert.Equal(["dlv_3", "dlv_4", "dlv_1", "dlv_2"], order);
    }

    [Fact]
    public async Task A_failed_attempt_keeps_the_delivery_at_the_head_of_its_lane_alone()
    {
        var store = NewStore();
        await store.Add([New(1), New(2), New(3) with { Lane = Lane with { RecordId = "ct_2" } }, New(4) with { Lane = Lane with { WebhookId = "wh_2" } }], CancellationToken.None);
        await store.Attempted("dlv_1", Attempt(1), DeliveryStatus.Pending, CancellationToken.None);

        Assert.Equal("dlv_1", (await Next(store, Lane, "one")).Delivery!.Id);
        Assert.Equal("dlv_3", (await Next(store, Lane with { RecordId = "ct_2" }, "two")).Delivery!.Id);
        Assert.Equal("dlv_4", (await Next(store, Lane with { WebhookId = "wh_2" }, "three")).Delivery!.Id);
    }

    [Fact]
    public async Task A_lane_has_one_holder_until_it_is_empty()
    {
        var store = NewStore();
        await store.Add([New(1)], CancellationToken.None);

        Assert.Equal(LaneState.Ready, (await Next(store, Lane, "one")).State);
        Assert.Equal(new LaneHead(LaneState.Held), await Next(store, Lane, "two"));
        await store.Attempted("dlv_1", Attempt(1), DeliveryStatus.Delivered, CancellationToken.None);
        Assert.Equal(new LaneHead(LaneState.Held), await Next(store, Lane, "two"));
        Assert.Equal(new LaneHead(LaneState.Empty), await Next(store, Lane, "one"));

        await store.Add([New(2)], CancellationToken.None);
        Assert.Equal("dlv_2", (await Next(store, Lane, "two")).Delivery!.Id);
    }

    [Fact]
    public async Task A_holder_that_was_never_heard_of_again_loses_the_lane()
    {
        var store = NewStore();
        await store.Add([New(1)], CancellationToken.None);
        await store.Next(Lane, "one", Now, Later, CancellationToken.None);

        Assert.Equal(LaneState.Held, (await store.Next(Lane, "two", Later, Later.AddMinutes(1), CancellationToken.None)).State);
        Assert.Equal(LaneState.Ready, (await store.Next(Lane, "two", Later.AddTicks(1), Later.AddMinutes(1), CancellationToken.None)).State);
        Assert.Equal(LaneState.Held, (await store.Next(Lane, "one", Later.AddTicks(1), Later.AddMinutes(1), CancellationToken.None)).State);
    }

    [Fact]
    public async Task A_holder_that_asks_again_holds_the_lane_for_longer()
    {
        var store = NewStore();
        await store.Add([New(1)], CancellationToken.None);
        await store.Next(Lane, "one", Now, Later, CancellationToken.None);
        await store.Next(Lane, "one", Now, Later.AddMinutes(5), CancellationToken.None);

        Assert.Equal(LaneState.Held, (await store.Next(Lane, "two", Later.AddMinutes(4), Later.AddMinutes(9), CancellationToken.None)).State);
    }

    [Fact]
    public async Task Of_many_who_ask_for_a_lane_at_once_one_holds_it()
    {
        var store = NewStore();
        await store.Add([New(1)], CancellationToken.None);

        var heads = await Task.WhenAll(Enumerable.Range(0, 32).Select(i => Task.Run(() => Next(store, Lane, $"holder {i}"))));

        Assert.Single(heads, head => head.State is LaneState.Ready);
        Assert.Equal(31, heads.Count(head => head.State is LaneState.Held));
    }

    [Fact]
    public async Task An_attempt_is_kept_as_it_was_and_once_for_its_number()
    {
        var store = NewStore();
        await store.Add([New(1)], CancellationToken.None);
        var refused = new DeliveryAttempt(1, Now, TimeSpan.FromTicks(12345), AttemptOutcome.ServerError, 503, "down \"for\" now ž");
        var unreached = new DeliveryAttempt(2, Later, TimeSpan.FromSeconds(15), AttemptOutcome.Timeout, null, null);

        await store.Attempted("dlv_1", refused, DeliveryStatus.Pending, CancellationToken.None);
        await store.Attempted("dlv_1", unreached, DeliveryStatus.Failed, CancellationToken.None);
        await store.Attempted("dlv_1", refused with { Outcome = AttemptOutcome.Gone }, DeliveryStatus.Pending, CancellationToken.None);

        var found = await store.Find("dlv_1", CancellationToken.None);
        Assert.Equal([refused, unreached], found!.Attempts);
        Assert.Equal(DeliveryStatus.Failed, found.Status);
    }

    [Fact]
    public async Task An_attempt_that_ends_after_its_delivery_was_settled_does_not_revive_it()
    {
        var store = NewStore();
        await store.Add([New(1), New(2)], CancellationToken.None);
        await store.Settle("wh_1", DeliveryStatus.Canceled, Now, CancellationToken.None);

        await store.Attempted("dlv_1", Attempt(1), DeliveryStatus.Pending, CancellationToken.None);
        await store.Attempted("dlv_2", Attempt(1), DeliveryStatus.Delivered, CancellationToken.None);
        await store.Attempted("dlv_9", Attempt(1), DeliveryStatus.Delivered, CancellationToken.None);

        Assert.Equal((DeliveryStatus.Canceled, DeliveryStatus.Delivered), (await Status(store, "dlv_1"), await Status(store, "dlv_2")));
        Assert.Single((await store.Find("dlv_1", CancellationToken.None))!.Attempts);
        Assert.Null(await store.Find("dlv_9", CancellationToken.None));
    }

    [Fact]
    public async Task Settling_an_endpoint_settles_what_is_pending_there()
    {
        var store = NewStore();
        await store.Add([New(1), New(2), New(3), New(4) with { Lane = new Lane("wh_2", "ct_1") }], CancellationToken.None);
        await store.Attempted("dlv_1", Attempt(1), DeliveryStatus.Delivered, CancellationToken.None);

        Assert.Equal(2, await store.Settle("wh_1", DeliveryStatus.Failed, Now, CancellationToken.None));
        Assert.Equal(0, await store.Settle("wh_1", DeliveryStatus.Canceled, Now, CancellationToken.None));

        DeliveryStatus?[] statuses = [await Status(store, "dlv_1"), await Status(store, "dlv_2"), await Status(store, "dlv_3"), await Status(store, "dlv_4")];
        Assert.Equal([DeliveryStatus.Delivered, DeliveryStatus.Failed, DeliveryStatus.Failed, DeliveryStatus.Pending], statuses);
        Assert.Equal(LaneState.Empty, (await Next(store, Lane, "one")).State);
    }

    [Fact]
    public async Task Settling_an_endpoint_leaves_what_was_recorded_later_to_whoever_holds_its_lane()
    {
        var store = NewStore();
        await store.Add([New(1), New(2) with { CreatedAt = Now + TimeSpan.FromTicks(1) }], CancellationToken.None);
        await Next(store, Lane, "one");

        Assert.Equal(1, await store.Settle("wh_1", DeliveryStatus.Failed, Now, CancellationToken.None));

        Assert.Equal(LaneState.Held, (await Next(store, Lane, "two")).State);
        Assert.Equal("dlv_2", (await Next(store, Lane, "one")).Delivery?.Id);
    }

    [Fact]
    public async Task Settling_an_endpoint_lets_go_of_the_lanes_that_have_nothing_left()
    {
        var store = NewStore();
        await store.Add([New(1)], CancellationToken.None);
        await Next(store, Lane, "one");
        await store.Settle("wh_1", DeliveryStatus.Failed, Now, CancellationToken.None);

        await store.Add([New(2)], CancellationToken.None);

        Assert.Equal("dlv_2", (await Next(store, Lane, "two")).Delivery?.Id);
    }

    [Fact]
    public async Task Deliveries_of_an_endpoint_are_listed_newest_first_page_by_page()
    {
        var store = NewStore();
        await store.Add([New(1), New(3), New(2), New(4), New(5) with { Lane = new Lane("wh_2", "ct_1") }], CancellationToken.None);
        await store.Attempted("dlv_2", Attempt(1), DeliveryStatus.Failed, CancellationToken.None);

        Assert.Equal(["dlv_4", "dlv_3"], await List(store, limit: 2));
        Assert.Equal(["dlv_2", "dlv_1"], await List(store, before: "dlv_3"));
        Assert.Equal(["dlv_2"], await List(store, DeliveryStatus.Failed));
        Assert.Equal(["dlv_4", "dlv_3", "dlv_1"], await List(store, DeliveryStatus.Pending));
        Assert.Empty(await List(store, DeliveryStatus.Pending, before: "dlv_1"));
    }

    [Fact]
    public async Task A_data_set_shows_nothing_of_another_through_any_member()
    {
        var workspace = "ws_" + Interlocked.Increment(ref partitions);
        var owner = Stores.Open(new Partition(workspace, DataEnvironment.Live));
        await owner.Add([New(1)], CancellationToken.None);
        await Next(owner, Lane, "one");

        foreach (var other in new[] { Stores.Open(new Partition(workspace, DataEnvironment.Test)), NewStore() })
        {
            Assert.Null(await other.Find("dlv_1", CancellationToken.None));
            Assert.Empty(await List(other));
            Assert.Equal(LaneState.Empty, (await Next(other, Lane, "two")).State);
            Assert.Equal(0, await other.Settle("wh_1", DeliveryStatus.Canceled, Now, CancellationToken.None));
            await other.Attempted("dlv_1", Attempt(1), DeliveryStatus.Delivered, CancellationToken.None);
            await other.Add([New(1) with { EventName = "other" }], CancellationToken.None);
            Assert.Equal("other", (await other.Find("dlv_1", CancellationToken.None))!.EventName);
        }

        var untouched = await owner.Find("dlv_1", CancellationToken.None);
        Assert.Equal(("contact.created", DeliveryStatus.Pending, 0), (untouched!.EventName, untouched.Status, untouched.Attempts.Count));
        Assert.Equal(LaneState.Held, (await Next(owner, Lane, "two")).State);
    }

    private IDeliveryStore NewStore() => Stores.Open(new Partition("ws_" + Interlocked.Increment(ref partitions), DataEnvironment.Live));

    private static Delivery New(int number) => new($"dlv_{number}", Lane, $"evt_{number}", "contact.created", number, DeliveryStatus.Pending, [], Now);

    private static DeliveryAttempt Attempt(int number) => new(number, Now, TimeSpan.FromSeconds(1), AttemptOutcome.ServerError, 500, null);

    private static async Task<LaneHead> Next(IDeliveryStore store, Lane lane, string holder) => await store.Next(lane, holder, Now, Later, CancellationToken.None);

    private static async Task<DeliveryStatus?> Status(IDeliveryStore store, string id) => (await store.Find(id, CancellationToken.None))?.Status;

    private static async Task<IEnumerable<string>> List(IDeliveryStore store, DeliveryStatus? status = null, string? before = null, int limit = 10) =>
        (await store.List("wh_1", status, before, limit, CancellationToken.None)).Select(delivery => delivery.Id);
}
