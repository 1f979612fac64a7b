using System.Collections.Concurrent;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;

namespace NodeStash.Support.Contracts.Storage;

/// <summary>What every adapter of <see cref="IDeliveryStores"/> has to pass.</summary>
public abstract class DeliveryStoreContract
{
    private static readonly DateTimeOffset Now = new(2026, 1, 15, 10, 30, 0, 123, TimeSpan.Zero);
    private static readonly DateTimeOffset Later = Now.AddMinutes(1);
    private static readonly Lane Lane = new("wh_1", "ct_1");
    private static int partitions;

    protected abstract IDeliveryStores Stores { get; }

    /// <summary>As another process opens them, where there can be one.</summary>
    protected virtual IDeliveryStores StoresOfAnotherProcess => Stores;

    [Fact]
    public async Task A_delivery_is_read_as_it_was_recorded()
    {
        var store = NewStore();
        var recorded = new Delivery("dlv_1", Lane, "evt_1", "contact.created", 4, DeliveryStatus.Pending, [], Now);
        await store.Add([recorded], Now, CancellationToken.None);

        var found = await store.Find("dlv_1", CancellationToken.None);

        Assert.Empty(found!.Attempts);
        Assert.Equal(recorded, found with { Attempts = recorded.Attempts });
        Assert.Null(await store.Find("dlv_2", CancellationToken.None));
    }

    [Fact]
    public async Task Recording_again_changes_nothing()
    {
        var store = NewStore();
        await store.Add([New(1), New(2)], Now, CancellationToken.None);
        await RecordAttempt(store, "dlv_1", Attempt(1), DeliveryStatus.Delivered, Now);

        await store.Add([New(1), New(2), New(3)], Now, CancellationToken.None);

        Assert.Equal(DeliveryStatus.Delivered, await Status(store, "dlv_1"));
        Assert.Single((await store.Find("dlv_1", CancellationToken.None))!.Attempts);
        Assert.Equal(["dlv_3", "dlv_2", "dlv_1"], await List(store));
    }

    [Fact]
    public async Task A_lane_is_worked_off_by_version_then_event()
    {
        var store = NewStore();
        await store.Add(
            [New(1) with { Version = 2, EventId = "evt_b" }, New(2) with { Version = 10 }, New(3) with { Version = 1 },
                New(4) with { Version = 2, EventId = "evt_a" }],
            Now,
            CancellationToken.None);

        var order = new List<string>();
        while (await Take(store, "one") is { State: WorkState.Due, Heads: [var head] })
        {
            Assert.Equal(head.Id, Assert.Single((await Take(store, "one")).Heads).Id);
            order.Add(head.Id);
            var noted = await RecordAttempt(store, head.Id, Attempt(1), order.Count == 2 ? DeliveryStatus.Failed : DeliveryStatus.Delivered, Now);
            Assert.Equal((await Take(store, "one")).Heads.SingleOrDefault()?.Id, noted.Next?.Id);
        }

        Assert.Equal(["dlv_3", "dlv_4", "dlv_1", "dlv_2"], order);
    }

    [Fact]
    public async Task Of_each_due_lane_the_oldest_delivery_is_taken_and_the_lane_due_for_longest_first()
    {
        var store = NewStore();
        await store.Add([New(1), New(2), New(4) with { Lane = Lane with { WebhookId = "wh_2" } }], Now.AddSeconds(-1), CancellationToken.None);
        await store.Add([New(3) with { Lane = Lane with { RecordId = "ct_2" } }, New(5) with { Lane = Lane with { RecordId = "ct_3" } }], Now.AddSeconds(-2),
            CancellationToken.None);
        await RecordAttempt(store, "dlv_5", Attempt(1), DeliveryStatus.Pending, Later);

        Assert.Equal(["dlv_3", "dlv_1"], (await Take(store, "one")).Heads.Select(head => head.Id));
        Assert.Equal(["dlv_3"], (await Take(store, "one", limit: 1)).Heads.Select(head => head.Id));
        Assert.Equal(["dlv_4"], (await Take(store, "two", webhookId: "wh_2")).Heads.Select(head => head.Id));
    }

    [Fact]
    public async Task A_delivery_that_is_to_be_tried_again_holds_its_lane_back_until_then()
    {
        var store = NewStore();
        await store.Add([New(1), New(2)], Now, CancellationToken.None);
        await RecordAttempt(store, "dlv_1", Attempt(1), DeliveryStatus.Pending, Later);
        await store.Add([New(3)], Now, CancellationToken.None);

        var waits = await Take(store, "one");
        Assert.Equal((WorkState.Waits, "dlv_1", Later), (waits.State, waits.Next!.Value.Delivery.Id, waits.Next.Value.At));
        Assert.Equal(["dlv_1"], (await Take(store, "one", at: Later)).Heads.Select(head => head.Id));
    }

    [Fact]
    public async Task An_endpoint_has_one_worker_until_nothing_is_pending()
    {
        var store = NewStore();
        await store.Add([New(1)], Now, CancellationToken.None);
        Assert.Null(await store.GetWorker("wh_1", Now, CancellationToken.None));

        Assert.Equal(WorkState.Due, (await Take(store, "one")).State);
        Assert.Equal(new Worker("one", false), await store.GetWorker("wh_1", Now, CancellationToken.None));
        Assert.Equal(WorkState.Held, (await Take(store, "two")).State);
        await RecordAttempt(store, "dlv_1", Attempt(1), DeliveryStatus.Delivered, Now);
        Assert.Equal(WorkState.Held, (await Take(store, "two")).State);
        Assert.Equal(WorkState.Empty, (await Take(store, "one")).State);
        Assert.Null(await store.GetWorker("wh_1", Now, CancellationToken.None));

        await store.Add([New(2)], Now, CancellationToken.None);
        Assert.Equal(["dlv_2"], (await Take(store, "two")).Heads.Select(head => head.Id));
    }

    [Fact]
    public async Task A_worker_that_has_to_wait_is_asleep_until_it_takes_again()
    {
        var store = NewStore();
        await store.Add([New(1)], Now, CancellationToken.None);
        await Take(store, "one");
        await RecordAttempt(store, "dlv_1", Attempt(1), DeliveryStatus.Pending, Later);

        Assert.Equal(new Worker("one", false), await store.GetWorker("wh_1", Now, CancellationToken.None));
        await Take(store, "one");
        Assert.Equal(new Worker("one", true), await store.GetWorker("wh_1", Now, CancellationToken.None));
        await store.Add([New(2) with { Lane = Lane with { RecordId = "ct_2" } }], Now, CancellationToken.None);
        Assert.Equal(new Worker("one", true), await store.GetWorker("wh_1", Now, CancellationToken.None));
        await Take(store, "one");
        Assert.Equal(new Worker("one", false), await store.GetWorker("wh_1", Now, CancellationToken.None));
    }

    [Fact]
    public async Task A_worker_that_was_never_heard_of_again_loses_the_endpoint()
    {
        var store = NewStore();
        await store.Add([New(1)], Now, CancellationToken.None);
        await Take(store, "one");

        Assert.Equal(WorkState.Held, (await Take(store, "two", at: Later)).State);
        Assert.Null(await store.GetWorker("wh_1", Later.AddTicks(1), CancellationToken.None));
        Assert.Equal(WorkState.Due, (await Take(store, "two", at: Later.AddTicks(1))).State);
        Assert.Equal(WorkState.Held, (await Take(store, "one", at: Later.AddTicks(1))).State);
    }

    [Fact]
    public async Task An_endpoint_that_is_taken_from_its_worker_is_another_s_and_only_that_worker_loses_it()
    {
        var store = NewStore();
        await store.Release("wh_1", "nobody", CancellationToken.None);
        await store.Add([New(1)], Now, CancellationToken.None);
        await Take(store, "one");

        await store.Release("wh_1", "another", CancellationToken.None);
        Assert.Equal(new Worker("one", false), await store.GetWorker("wh_1", Now, CancellationToken.None));

        await store.Release("wh_1", "one", CancellationToken.None);
        Assert.Null(await store.GetWorker("wh_1", Now, CancellationToken.None));
        Assert.Equal(["dlv_1"], (await Take(store, "two")).Heads.Select(head => head.Id));
        Assert.Equal(WorkState.Held, (await Take(store, "one")).State);
    }

    [Fact]
    public async Task A_worker_that_sleeps_keeps_the_endpoint_beyond_its_sleep()
    {
        var store = NewStore();
        await store.Add([New(1)], Now, CancellationToken.None);
        await Take(store, "one");
        await RecordAttempt(store, "dlv_1", Attempt(1), DeliveryStatus.Pending, Now.AddHours(24));
        await Take(store, "one");

        Assert.Equal(WorkState.Held, (await Take(store, "two", at: Now.AddHours(24))).State);
        Assert.Equal(WorkState.Due, (await Take(store, "two", at: Now.AddHours(24).AddMinutes(2))).State);
    }

    [Fact]
    public async Task Of_many_who_take_an_endpoint_at_once_one_has_it()
    {
        var store = NewStore();
        await store.Add([New(1)], Now, CancellationToken.None);

        var taken = await Task.WhenAll(Enumerable.Range(0, 32).Select(i => Task.Run(() => Take(store, $"holder {i}"))));

        Assert.Single(taken, due => due.State is WorkState.Due);
        Assert.Equal(31, taken.Count(due => due.State is WorkState.Held));
    }

    [Fact]
    public async Task A_lane_with_an_attempt_under_way_is_not_taken_until_that_is_noted_or_lost()
    {
        var store = NewStore();
        await store.Add([New(1), New(2), New(3) with { Lane = Lane with { RecordId = "ct_2" } }], Now, CancellationToken.None);
        await store.Defer([("dlv_1", 1), ("dlv_3", 1)], Later, CancellationToken.None);
        await store.Add([New(4)], Now, CancellationToken.None);

        Assert.Equal((WorkState.Waits, Later), (await Take(store, "one") is var waits ? waits.State : default, waits.Next!.Value.At));
        await RecordAttempt(store, "dlv_1", Attempt(1), DeliveryStatus.Delivered, Now);
        Assert.Equal(["dlv_2"], (await Take(store, "one")).Heads.Select(head => head.Id));
        Assert.Equal(["dlv_2", "dlv_3"], (await Take(store, "one", at: Later)).Heads.Select(head => head.Id));
    }

    [Fact]
    public async Task An_attempt_that_was_noted_is_not_put_off_any_more()
    {
        var store = NewStore();
        await store.Add([New(1), New(2)], Now, CancellationToken.None);
        await RecordAttempt(store, "dlv_1", Attempt(1), DeliveryStatus.Delivered, Now);
        await store.Defer([("dlv_1", 1)], Later, CancellationToken.None);

        Assert.Equal(["dlv_2"], (await Take(store, "one")).Heads.Select(head => head.Id));
    }

    [Fact]
    public async Task A_reopened_delivery_goes_back_to_its_place_with_the_whole_schedule_before_it()
    {
        var store = NewStore();
        await store.Add([New(1), New(2), New(3)], Now, CancellationToken.None);
        await RecordAttempt(store, "dlv_1", Attempt(1), DeliveryStatus.Pending, Now);
        await RecordAttempt(store, "dlv_1", Attempt(2), DeliveryStatus.Failed, Now);
        await RecordAttempt(store, "dlv_2", Attempt(1), DeliveryStatus.Delivered, Now);

        Assert.Equal(1, await store.Reopen(["dlv_1", "dlv_2", "dlv_3", "dlv_9"], [DeliveryStatus.Failed], Now, CancellationToken.None));

        var head = Assert.Single((await Take(store, "one")).Heads);
        Assert.Equal(("dlv_1", 2, 3, 2), (head.Id, head.AttemptsBefore, head.NextAttempt, head.Attempts.Count));
        Assert.Equal("dlv_3", (await RecordAttempt(store, "dlv_1", Attempt(3), DeliveryStatus.Delivered, Now)).Next?.Id);
    }

    [Fact]
    public async Task A_lane_with_nothing_pending_is_due_once_one_of_its_deliveries_is_reopened()
    {
        var store = NewStore();
        await store.Add([New(1), New(2)], Now, CancellationToken.None);
        foreach (var id in new[] { "dlv_1", "dlv_2" }) await RecordAttempt(store, id, Attempt(1), DeliveryStatus.Delivered, Now);
        Assert.Equal(WorkState.Empty, (await Take(store, "one")).State);

        Assert.Equal(2, await store.Reopen(["dlv_2", "dlv_1"], [DeliveryStatus.Failed, DeliveryStatus.Delivered], Now, CancellationToken.None));

        Assert.Equal(["dlv_1"], (await Take(store, "one")).Heads.Select(head => head.Id));
    }

    [Fact]
    public async Task A_delivery_that_waits_is_due_at_once_when_it_is_reopened_unless_it_waits_behind_another()
    {
        var store = NewStore();
        await store.Add([New(1), New(2)], Now, CancellationToken.None);
        await RecordAttempt(store, "dlv_1", Attempt(1), DeliveryStatus.Pending, Later);

        await store.Reopen(["dlv_2"], [DeliveryStatus.Pending], Now, CancellationToken.None);
        Assert.Equal(WorkState.Waits, (await Take(store, "one")).State);
        await store.Reopen(["dlv_1"], [DeliveryStatus.Pending], Now, CancellationToken.None);
        Assert.Equal(["dlv_1"], (await Take(store, "one")).Heads.Select(head => head.Id));
    }

    [Fact]
    public async Task A_delivery_reopened_while_an_attempt_is_under_way_does_not_get_another_beside_it()
    {
        var store = NewStore();
        await store.Add([New(1)], Now, CancellationToken.None);
        await store.Defer([("dlv_1", 1)], Later, CancellationToken.None);

        await store.Reopen(["dlv_1"], [DeliveryStatus.Pending], Now, CancellationToken.None);

        Assert.Equal(WorkState.Waits, (await Take(store, "one")).State);
    }

    [Fact]
    public async Task An_endpoint_is_failing_since_the_first_failure_after_its_last_success()
    {
        var store = NewStore();
        await store.Add([New(1), New(2), New(3)], Now, CancellationToken.None);

        Assert.Equal(Now, (await Fail("dlv_1", 1, Now)).FailingSince);
        Assert.Equal(Now, (await Fail("dlv_1", 2, Now.AddDays(2))).FailingSince);
        Assert.Null((await RecordAttempt(store, "dlv_2", Attempt(1) with { Outcome = AttemptOutcome.Delivered }, DeliveryStatus.Delivered, Now)).FailingSince);
        Assert.Equal(Now.AddDays(3), (await Fail("dlv_1", 3, Now.AddDays(3))).FailingSince);
        Assert.Equal(Now.AddDays(3),
            (await RecordAttempt(store, "dlv_3", Attempt(1) with { Outcome = AttemptOutcome.Expired }, DeliveryStatus.Failed, Now)).FailingSince);
        Assert.Equal(Now.AddDays(8), (await Fail("dlv_1", 4, Now.AddDays(8))).FailingSince);
        await store.Finalize("wh_1", DeliveryStatus.Failed, Now, CancellationToken.None);
        Assert.Equal(Now.AddDays(9), (await Fail("dlv_1", 5, Now.AddDays(9))).FailingSince);

        async Task<RecordedAttempt> Fail(string id, int number, DateTimeOffset at) =>
            await RecordAttempt(store, id, Attempt(number) with { At = at }, DeliveryStatus.Pending, Now);
    }

    [Fact]
    public async Task Attempts_noted_together_are_answered_each_as_it_was_when_noted()
    {
        var store = NewStore();
        await store.Add([New(1), New(2), New(3) with { Lane = Lane with { RecordId = "ct_2" } }], Now, CancellationToken.None);

        var noted = await store.RecordAttempts(
            "wh_1",
            [
                new FinishedAttempt("dlv_1", Attempt(1), DeliveryStatus.Failed, Now),
                new FinishedAttempt("dlv_9", Attempt(1), DeliveryStatus.Delivered, Now),
                new FinishedAttempt("dlv_3", Attempt(1) with { Outcome = AttemptOutcome.Delivered }, DeliveryStatus.Delivered, Now),
            ],
            CancellationToken.None);

        Assert.Equal([("dlv_2", Now), (null, null), (null, null)], noted.Select(each => (each.Next?.Id, each.FailingSince)));
        Assert.Equal(["dlv_2"], (await Take(store, "one")).Heads.Select(head => head.Id));
    }

    [Fact]
    public async Task Of_many_attempts_the_last_are_kept()
    {
        var store = NewStore();
        await store.Add([New(1)], Now, CancellationToken.None);
        for (var number = 1; number <= DeliveryAttempt.MaxKept + 2; number++) await RecordAttempt(store, "dlv_1", Attempt(number), DeliveryStatus.Pending, Now);

        var found = await store.Find("dlv_1", CancellationToken.None);

        Assert.Equal(Enumerable.Range(3, DeliveryAttempt.MaxKept), found!.Attempts.Select(attempt => attempt.Number));
        Assert.Equal(DeliveryAttempt.MaxKept + 3, found.NextAttempt);
    }

    [Fact]
    public async Task An_attempt_is_kept_as_it_was_and_once_for_its_number()
    {
        var store = NewStore();
        await store.Add([New(1)], Now, CancellationToken.None);
        var refused = new DeliveryAttempt(1, Now, TimeSpan.FromTicks(12345), AttemptOutcome.Status5xx, 503, "down \"for\" now ž");
        var unreached = new DeliveryAttempt(2, Later, TimeSpan.FromSeconds(15), AttemptOutcome.Timeout, null, null);

        await RecordAttempt(store, "dlv_1", refused, DeliveryStatus.Pending, Now);
        await RecordAttempt(store, "dlv_1", unreached, DeliveryStatus.Failed, Now);
        await RecordAttempt(store, "dlv_1", refused with { Outcome = AttemptOutcome.Gone }, DeliveryStatus.Pending, Now);

        var found = await store.Find("dlv_1", CancellationToken.None);
        Assert.Equal([refused, unreached], found!.Attempts);
        Assert.Equal(DeliveryStatus.Failed, found.Status);
    }

    [Fact]
    public async Task An_attempt_that_ends_after_its_delivery_was_settled_does_not_revive_it()
    {
        var store = NewStore();
        await store.Add([New(1), New(2)], Now, CancellationToken.None);
        await store.Finalize("wh_1", DeliveryStatus.Canceled, Now, CancellationToken.None);

        await RecordAttempt(store, "dlv_1", Attempt(1), DeliveryStatus.Pending, Now);
        await RecordAttempt(store, "dlv_2", Attempt(1), DeliveryStatus.Delivered, Now);
        await RecordAttempt(store, "dlv_9", Attempt(1), DeliveryStatus.Delivered, Now);

        Assert.Equal((DeliveryStatus.Canceled, DeliveryStatus.Delivered), (await Status(store, "dlv_1"), await Status(store, "dlv_2")));
        Assert.Single((await store.Find("dlv_1", CancellationToken.None))!.Attempts);
        Assert.Null(await store.Find("dlv_9", CancellationToken.None));
    }

    [Fact]
    public async Task An_attempt_that_ends_after_its_delivery_was_settled_is_answered_with_what_was_recorded_since()
    {
        var store = NewStore();
        await store.Add([New(1)], Now, CancellationToken.None);
        await RecordAttempt(store, "dlv_1", Attempt(1), DeliveryStatus.Pending, Now);
        await store.Finalize("wh_1", DeliveryStatus.Failed, Now, CancellationToken.None);
        await store.Add([New(2)], Now, CancellationToken.None);

        // The second of them is noted twice.
        foreach (var number in (int[])[2, 2])
            Assert.Equal("dlv_2", (await RecordAttempt(store, "dlv_1", Attempt(number), DeliveryStatus.Failed, Now)).Next?.Id);

        Assert.Equal(["dlv_2"], (await Take(store, "one")).Heads.Select(head => head.Id));
    }

    [Fact]
    public async Task Settling_an_endpoint_settles_what_is_pending_there()
    {
        var store = NewStore();
        await store.Add([New(1), New(2), New(3), New(4) with { Lane = new Lane("wh_2", "ct_1") }], Now, CancellationToken.None);
        await RecordAttempt(store, "dlv_1", Attempt(1), DeliveryStatus.Delivered, Now);

        Assert.Equal(2, await store.Finalize("wh_1", DeliveryStatus.Failed, Now, CancellationToken.None));
        Assert.Equal(0, await store.Finalize("wh_1", DeliveryStatus.Canceled, Now, CancellationToken.None));

        DeliveryStatus?[] statuses = [await Status(store, "dlv_1"), await Status(store, "dlv_2"), await Status(store, "dlv_3"), await Status(store, "dlv_4")];
        Assert.Equal([DeliveryStatus.Delivered, DeliveryStatus.Failed, DeliveryStatus.Failed, DeliveryStatus.Pending], statuses);
        Assert.Equal(WorkState.Empty, (await Take(store, "one")).State);
    }

    [Fact]
    public async Task Settling_an_endpoint_leaves_what_was_recorded_later_and_has_it_due()
    {
        var store = NewStore();
        await store.Add([New(1), New(2) with { CreatedAt = Now + TimeSpan.FromTicks(1) }], Now, CancellationToken.None);
        await RecordAttempt(store, "dlv_1", Attempt(1), DeliveryStatus.Pending, Later);

        Assert.Equal(1, await store.Finalize("wh_1", DeliveryStatus.Failed, Now, CancellationToken.None));

        Assert.Equal(["dlv_2"], (await Take(store, "one")).Heads.Select(head => head.Id));
    }

    [Fact]
    public async Task Deliveries_of_an_endpoint_are_listed_newest_first_page_by_page()
    {
        var store = NewStore();
        await store.Add([New(1), New(3), New(2), New(4), New(5) with { Lane = new Lane("wh_2", "ct_1") }], Now, CancellationToken.None);
        await RecordAttempt(store, "dlv_2", Attempt(1), DeliveryStatus.Failed, Now);

        Assert.Equal(["dlv_4", "dlv_3"], await List(store, limit: 2));
        Assert.Equal(["dlv_2", "dlv_1"], await List(store, before: "dlv_3"));
        Assert.Equal(["dlv_2"], await List(store, DeliveryStatus.Failed));
        Assert.Equal(["dlv_4", "dlv_3", "dlv_1"], await List(store, DeliveryStatus.Pending));
        Assert.Empty(await List(store, DeliveryStatus.Pending, before: "dlv_1"));
        await RecordAttempt(store, "dlv_4", Attempt(1), DeliveryStatus.Failed, Now);
        Assert.Equal(["dlv_2", "dlv_4"], (await store.ListFailed("wh_1", "dlv_1", 10, CancellationToken.None)).Select(delivery => delivery.Id));
        Assert.Equal(["dlv_2"], (await store.ListFailed("wh_1", "", 1, CancellationToken.None)).Select(delivery => delivery.Id));
        Assert.Equal(["dlv_4"], (await store.ListFailed("wh_1", "dlv_2", 10, CancellationToken.None)).Select(delivery => delivery.Id));
    }

    [Fact]
    public async Task A_data_set_shows_nothing_of_another_through_any_member()
    {
        var workspace = "ws_" + Interlocked.Increment(ref partitions);
        var owner = Stores.Open(new Partition(workspace, WorkspaceEnvironment.Live));
        await owner.Add([New(1)], Now, CancellationToken.None);
        await Take(owner, "one");

        foreach (var other in new[] { Stores.Open(new Partition(workspace, WorkspaceEnvironment.Test)), NewStore() })
        {
            Assert.Null(await other.Find("dlv_1", CancellationToken.None));
            Assert.Empty(await List(other));
            Assert.Null(await other.GetWorker("wh_1", Now, CancellationToken.None));
            Assert.Equal(WorkState.Empty, (await Take(other, "two")).State);
            Assert.Equal(0, await other.Finalize("wh_1", DeliveryStatus.Canceled, Now, CancellationToken.None));
            Assert.Equal(default, await RecordAttempt(other, "dlv_1", Attempt(1), DeliveryStatus.Delivered, Now));
            Assert.Equal(0, await other.Reopen(["dlv_1"], [DeliveryStatus.Pending], Now, CancellationToken.None));
            await other.Defer([("dlv_1", 1)], Later.AddDays(1), CancellationToken.None);
            await other.Add([New(1) with { EventName = "other", Status = DeliveryStatus.Failed }], Now, CancellationToken.None);
            Assert.Equal("other", (await other.Find("dlv_1", CancellationToken.None))!.EventName);
            Assert.Equal("other", Assert.Single(await other.ListFailed("wh_1", "", 10, CancellationToken.None)).EventName);
        }

        var untouched = await owner.Find("dlv_1", CancellationToken.None);
        Assert.Equal(("contact.created", DeliveryStatus.Pending, 0), (untouched!.EventName, untouched.Status, untouched.Attempts.Count));
        Assert.Empty(await owner.ListFailed("wh_1", "", 10, CancellationToken.None));
        Assert.Equal(new Worker("one", false), await owner.GetWorker("wh_1", Now, CancellationToken.None));
        Assert.Equal(WorkState.Due, (await Take(owner, "one")).State);
    }

    [Fact]
    public async Task What_is_recorded_while_workers_come_and_go_is_delivered_once_and_in_order()
    {
        var (store, clock, workers, wakes, delivered) = (NewStore(), TimeProvider.System, new ConcurrentQueue<Task>(),
            new ConcurrentDictionary<string, SemaphoreSlim>(), new ConcurrentQueue<(Lane Lane, long Version)>());
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(5), TimeProvider.System);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(feed => Task.Run(() => Feed(feed))));
        while (workers.TryDequeue(out var worker)) await worker;

        foreach (var lane in delivered.GroupBy(each => each.Lane))
            Assert.Equal(Enumerable.Range(1, 12).Select(version => (long)version), lane.Select(each => each.Version));
        Assert.Equal(8 * 12, delivered.Count);
        foreach (var webhookId in (string[])["wh_1", "wh_2"]) Assert.Null(await store.GetWorker(webhookId, clock.GetUtcNow(), CancellationToken.None));
        foreach (var webhookId in (string[])["wh_1", "wh_2"])
            Assert.Empty(await store.List(webhookId, DeliveryStatus.Pending, null, 1, CancellationToken.None));

        // Each feed has its own records, whose events it records in order, some at a time.
        async Task Feed(int feed)
        {
            for (var batch = 0; batch < 6; batch++)
            {
                var due = from webhook in (string[])["wh_1", "wh_2"]
                          from version in (int[])[(batch * 2) + 1, (batch * 2) + 2]
                          select new Delivery($"dlv_{feed}{webhook}{version:D2}", new Lane(webhook, $"ct_{feed}"), $"evt_{version:D2}", "contact.updated",
                              version, DeliveryStatus.Pending, [], clock.GetUtcNow());
                await store.Add([.. due], clock.GetUtcNow(), deadline.Token);
                foreach (var webhook in (string[])["wh_1", "wh_2"])
                {
                    var holder = $"{feed}{webhook}{batch}";
                    var worker = await store.GetWorker(webhook, clock.GetUtcNow(), deadline.Token);
                    if (worker is null) workers.Enqueue(Task.Run(() => Work(webhook, holder)));
                    else if (worker.IsAsleep) wakes.GetOrAdd(worker.Holder, _ => new SemaphoreSlim(0)).Release();
                }
            }
        }

        async Task Work(string webhook, string holder)
        {
            var own = StoresOfAnotherProcess.Open(store.Partition);
            while (await own.AcquireDue(
                webhook, holder, clock.GetUtcNow(), clock.GetUtcNow().AddHours(1), 3, deadline.Token) is { State: WorkState.Due or WorkState.Waits } due)
            {
                if (due.Next is { At: var at })
                {
                    var wait = at - clock.GetUtcNow();
                    await wakes.GetOrAdd(holder, _ => new SemaphoreSlim(0)).WaitAsync(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, deadline.Token);
                }

                var made = due.Heads.Select(Send).ToList();
                if (made.Count % 2 == 0) await own.RecordAttempts(webhook, made, deadline.Token);
                else await Task.WhenAll(made.Select(each => own.RecordAttempts(webhook, [each], deadline.Token).AsTask()));
            }
        }

        // Every third event arrives at the second attempt.
        FinishedAttempt Send(Delivery head)
        {
            var arrives = head.Version % 3 != 0 || head.NextAttempt == 2;
            var attempt = new DeliveryAttempt(
                head.NextAttempt, clock.GetUtcNow(), TimeSpan.Zero, arrives ? AttemptOutcome.Delivered : AttemptOutcome.Timeout, null, null);
            if (arrives) delivered.Enqueue((head.Lane, head.Version));
            return new FinishedAttempt(head.Id, attempt, arrives ? DeliveryStatus.Delivered : DeliveryStatus.Pending, clock.GetUtcNow().AddMilliseconds(5));
        }
    }

    private IDeliveryStore NewStore() => Stores.Open(new Partition("ws_" + Interlocked.Increment(ref partitions), WorkspaceEnvironment.Live));

    private static Delivery New(int number) => new($"dlv_{number}", Lane, $"evt_{number}", "contact.created", number, DeliveryStatus.Pending, [], Now);

    private static DeliveryAttempt Attempt(int number) => new(number, Now, TimeSpan.FromSeconds(1), AttemptOutcome.Status5xx, 500, null);

    /// <summary>Takes what is due, for a minute.</summary>
    private static async Task<DueDeliveries> Take(IDeliveryStore store, string holder, string webhookId = "wh_1", int limit = 10, DateTimeOffset? at = null) =>
        await store.AcquireDue(webhookId, holder, at ?? Now, (at ?? Now) + (Later - Now), limit, CancellationToken.None);

    public static async Task<RecordedAttempt> RecordAttempt(
        IDeliveryStore store, string id, DeliveryAttempt attempt, DeliveryStatus status, DateTimeOffset due) =>
        Assert.Single(await store.RecordAttempts("wh_1", [new FinishedAttempt(id, attempt, status, due)], CancellationToken.None));

    private static async Task<DeliveryStatus?> Status(IDeliveryStore store, string id) => (await store.Find(id, CancellationToken.None))?.Status;

    private static async Task<IEnumerable<string>> List(IDeliveryStore store, DeliveryStatus? status = null, string? before = null, int limit = 10) =>
        (await store.List("wh_1", status, before, limit, CancellationToken.None)).Select(delivery => delivery.Id);
}
