using FsCheck.Fluent;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;
using NodeStash.Core.Webhooks;
using NodeStash.LocalHost.Store;
using NodeStash.Support;
using NodeStash.Support.Contracts.Storage;
using NodeStash.Support.Databases;

namespace NodeStash.LocalHost.Tests.Store;

public sealed class SqliteDeliveryStoreTests : DeliveryStoreContract, IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 1, 15, 10, 30, 0, TimeSpan.Zero);
    private readonly TemporaryDatabase file = new([]);
    private SqliteDeliveryStores? stores;

    protected override IDeliveryStores Stores => stores ??= new SqliteDeliveryStores(file.Database);

    [Fact]
    public async Task Old_deliveries_are_removed_unless_they_are_pending_or_were_recorded_later()
    {
        var stores = new SqliteDeliveryStores(file.Database);
        foreach (var workspace in (string[])["ws_1", "ws_2"])
        {
            await stores.Open(new Partition(workspace, WorkspaceEnvironment.Live)).Add(
                [Old(9) with { Status = DeliveryStatus.Pending }, Old(8), Old(7) with { CreatedAt = Now }, Old(6),
                    Old(5) with { Status = DeliveryStatus.Pending }, Old(4), Old(0)],
                Now,
                CancellationToken.None);
        }

        Assert.Equal(1, await stores.Purge(Now, 1, CancellationToken.None));
        Assert.Equal(3, await stores.Purge(Now, 3, CancellationToken.None));
        Assert.Equal(2, await stores.Purge(Now, 10, CancellationToken.None));
        foreach (var workspace in (string[])["ws_1", "ws_2"])
        {
            var left = await stores.Open(new Partition(workspace, WorkspaceEnvironment.Live)).List("wh_1", null, null, 10, CancellationToken.None);
            Assert.Equal([Old(0).Id, Old(5).Id, Old(7).Id, Old(9).Id], left.Select(each => each.Id));
        }

        // What has come to its end since stands before what was removed last.
        var store = stores.Open(new Partition("ws_1", WorkspaceEnvironment.Live));
        await RecordAttempt(store, Old(9).Id, Attempt, DeliveryStatus.Delivered, Now);
        await RecordAttempt(store, Old(5).Id, Attempt, DeliveryStatus.Delivered, Now);
        Assert.Equal(1, await stores.Purge(Now, 1, CancellationToken.None));
        await RecordAttempt(stores.Open(new Partition("ws_2", WorkspaceEnvironment.Live)), Old(9).Id, Attempt, DeliveryStatus.Delivered, Now);
        Assert.Equal(2, await stores.Purge(Now, 10, CancellationToken.None));
        Assert.Equal(0, await stores.Purge(Now, 10, CancellationToken.None));

        static Delivery Old(int days) => new(
            Ids.FirstAt(DeliveryLog.Prefix, Now.AddDays(-days)), new Lane("wh_1", $"ct_{days}"), $"evt_{days}", "contact.created", 1, DeliveryStatus.Delivered,
            [], Now.AddDays(-days));
    }

    [Fact]
    public async Task What_was_not_attempted_before_a_restart_is_due_after_it_and_what_was_is_not()
    {
        var partition = new Partition("ws_1", WorkspaceEnvironment.Live);
        var store = Stores.Open(partition);
        await store.Add([Of(1, "ct_1"), Of(2, "ct_1"), Of(3, "ct_2"), Of(4, "ct_3")], Now, CancellationToken.None);
        await RecordAttempt(store, "dlv_0001", Attempt, DeliveryStatus.Delivered, Now);
        await RecordAttempt(store, "dlv_0004", Attempt, DeliveryStatus.Pending, Now.AddHours(1));

        file.Reopen();

        store = new SqliteDeliveryStores(file.Database).Open(partition);
        Assert.Equal(["dlv_0002", "dlv_0003"],
            (await store.AcquireDue("wh_1", "one", Now, Now.AddMinutes(1), 10, CancellationToken.None)).Heads.Select(head => head.Id).Order());
        Assert.Equal(
            ["dlv_0004", "dlv_0003", "dlv_0002", "dlv_0001"], (await store.List("wh_1", null, null, 10, CancellationToken.None)).Select(each => each.Id));
    }

    [Fact]
    public async Task However_long_a_backlog_is_all_of_it_is_delivered_once_and_in_order()
    {
        const int Records = 7, Events = 300;
        var store = new SqliteDeliveryStores(file.Database, maxBuffered: 100).Open(new Partition("ws_1", WorkspaceEnvironment.Live));
        string[] webhooks = ["wh_1", "wh_2", "wh_3", "wh_4", "wh_5", "wh_6", "wh_7", "wh_8"];
        for (var i = 0; i < Events; i += 3)
        {
            await store.Add([.. webhooks.SelectMany(webhook => Enumerable.Range(i, 3).Select(number => Of(number, $"ct_{number % Records}", webhook)))],
                Now.AddSeconds(i), CancellationToken.None);
            Assert.InRange(Count("deliveries"), (webhooks.Length * (i + 3)) - 100, int.MaxValue);
        }

        foreach (var webhook in webhooks)
        {
            var order = new List<Delivery>();
            while ((await store.AcquireDue(webhook, "one", Now.AddHours(1), Now.AddHours(2), 4, CancellationToken.None)).Heads is [_, ..] heads)
            {
                order.AddRange(heads);
                await store.RecordAttempts(
                    webhook, [.. heads.Select(head => new FinishedAttempt(head.Id, Attempt, DeliveryStatus.Delivered, Now))], CancellationToken.None);
            }

            Assert.Equal(Events, order.DistinctBy(each => each.Id).Count());
            Assert.Equal(Events, order.Count);
            foreach (var lane in order.GroupBy(each => each.Lane)) Assert.Equal(lane.Select(each => each.Version).Order(), lane.Select(each => each.Version));
        }

        Assert.Equal(0, Count("untried"));
    }

    [Fact]
    public async Task What_has_waited_longest_makes_room_for_what_is_recorded()
    {
        var store = new SqliteDeliveryStores(file.Database, maxBuffered: 12).Open(new Partition("ws_1", WorkspaceEnvironment.Live));
        for (var i = 1; i <= 6; i++) await store.Add([Of(1, "ct_1", $"wh_{i}"), Of(2, "ct_2", $"wh_{i}")], Now.AddSeconds(-i), CancellationToken.None);
        Assert.Equal(0, Count("deliveries"));

        await store.Add([Of(1, "ct_1", "wh_7"), Of(2, "ct_2", "wh_7"), Of(1, "ct_1", "wh_8")], Now, CancellationToken.None);

        Assert.Equal((2, 1), (Count("deliveries WHERE webhook = 'wh_6'"), Count("deliveries WHERE webhook = 'wh_5'")));
        Assert.Equal(3, Count("deliveries"));
    }

    [Fact]
    public async Task What_was_recorded_before_in_memory_is_known_still_when_an_older_one_of_its_lane_puts_it_in_rows()
    {
        var store = new SqliteDeliveryStores(file.Database, maxBuffered: 6).Open(new Partition("ws_1", WorkspaceEnvironment.Live));
        await store.Add([Of(2, "ct_1")], Now, CancellationToken.None);

        await store.Add([Of(1, "ct_1"), Of(2, "ct_1")], Now, CancellationToken.None);

        Assert.Equal(["dlv_0002", "dlv_0001"], (await store.List("wh_1", DeliveryStatus.Pending, null, 10, CancellationToken.None)).Select(each => each.Id));
        Assert.Equal(["dlv_0001"], (await store.AcquireDue("wh_1", "one", Now, Now.AddMinutes(1), 10, CancellationToken.None)).Heads.Select(head => head.Id));
    }

    [Fact]
    public async Task The_row_of_those_recorded_together_gets_shorter_while_they_leave_it()
    {
        var partition = new Partition("ws_1", WorkspaceEnvironment.Live);
        var store = Stores.Open(partition);
        await store.Add([.. Enumerable.Range(1, 400).Select(number => Of(number, $"ct_{number}"))], Now, CancellationToken.None);
        await Deliver(1, 375);
        Assert.Equal(400, Forms());
        await Deliver(376, 376);
        Assert.Equal(24, Forms());

        // What the disk does not take shortens nothing.
        await file.Database.Write(session => session.Execute("CREATE TABLE orphans (parent REFERENCES parents DEFERRABLE INITIALLY DEFERRED)"));
        await file.Database.Write(session => session.Execute("CREATE TABLE parents (id INTEGER PRIMARY KEY)"));
        using (var allQueued = new ManualResetEventSlim())
        {
            var first = file.Database.Write(_ => allQueued.Wait(TimeSpan.FromMinutes(1)));
            var refused = Deliver(377, 399);
            var beside = file.Database.Write(session => session.Execute("INSERT INTO orphans VALUES (1)"));
            allQueued.Set();
            foreach (var each in (Task[])[first, refused, beside]) await Assert.ThrowsAsync<DatabaseUnavailableException>(() => each);
        }

        Assert.Equal(24, Forms());
        await Deliver(377, 399);
        Assert.Equal(1, Forms());
        file.Reopen();
        store = new SqliteDeliveryStores(file.Database).Open(partition);
        Assert.Equal(["dlv_0400"],
            (await store.AcquireDue("wh_1", "one", Now, Now.AddMinutes(1), 100, CancellationToken.None)).Heads.Select(head => head.Id)
                .Order(StringComparer.Ordinal));

        async Task Deliver(int from, int to) => await store.RecordAttempts(
            "wh_1",
            [.. Enumerable.Range(from, to - from + 1).Select(number => new FinishedAttempt($"dlv_{number:D4}", Attempt, DeliveryStatus.Delivered, Now))],
            CancellationToken.None);

        long Forms() => file.Database.Read(session => session.One("SELECT sum(json_array_length(deliveries)) FROM untried", row => row.GetInt64(0)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4_200)]
    [InlineData(6_000)]
    public async Task A_long_backlog_is_settled_whether_in_memory_or_in_rows_but_for_what_was_recorded_later(int maxBuffered)
    {
        var stores = new SqliteDeliveryStores(file.Database, maxBuffered);
        var store = stores.Open(new Partition("ws_1", WorkspaceEnvironment.Live));
        // What is recorded later is the oldest of some lanes, and the last of others.
        Delivery[] all = [
            .. Enumerable.Range(0, 1_400)
                .Select(number =>
                    Of(number, $"ct_{number / 700}_{number % 61}") with { CreatedAt = number % 700 is > 20 and < 30 or > 650 ? Now.AddTicks(1) : Now })];
        foreach (var some in all.Chunk(140)) await store.Add(some, Now.AddHours(1), CancellationToken.None);
        var later = all.Where(each => each.CreatedAt > Now).ToList();

        Assert.Equal(all.Length - later.Count, await store.Finalize("wh_1", DeliveryStatus.Failed, Now, CancellationToken.None));
        Assert.Equal(0, await store.Finalize("wh_1", DeliveryStatus.Failed, Now, CancellationToken.None));

        Assert.Equal(later.Select(each => each.Id),
            (await store.List("wh_1", DeliveryStatus.Pending, null, 2_000, CancellationToken.None)).Select(each => each.Id).Order(StringComparer.Ordinal));
        var due = await store.AcquireDue("wh_1", "one", Now.AddHours(1), Now.AddHours(2), 2_000, CancellationToken.None);
        Assert.Equal(
            later.GroupBy(each => each.Lane).Select(lane => lane.First().Id).Order(StringComparer.Ordinal),
            due.Heads.Select(head => head.Id).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_is_reopened_before_it_was_attempted_is_counted_and_written_no_more()
    {
        var store = Stores.Open(new Partition("ws_1", WorkspaceEnvironment.Live));
        await store.Add([Of(1, "ct_1"), Of(2, "ct_2")], Now, CancellationToken.None);

        Assert.Equal(0, await store.Reopen(["dlv_0001", "dlv_0002"], [DeliveryStatus.Failed], Now, CancellationToken.None));
        Assert.Equal(2, await store.Reopen(["dlv_0001", "dlv_0002", "dlv_0002"], [DeliveryStatus.Failed, DeliveryStatus.Pending], Now, CancellationToken.None));

        Assert.Equal((0, 0), (Count("deliveries"), Count("lanes")));
        Assert.Equal(2, (await store.AcquireDue("wh_1", "one", Now, Now.AddMinutes(1), 10, CancellationToken.None)).Heads.Count);
    }

    [Fact]
    public async Task Who_reads_beside_the_writer_misses_nothing_that_goes_from_memory_to_rows()
    {
        const int Rounds = 80, AtOnce = 5;
        var store = new SqliteDeliveryStores(file.Database, maxBuffered: 120).Open(new Partition("ws_1", WorkspaceEnvironment.Live));
        var (recorded, isOver) = (0, false);
        var readers = Enumerable.Range(0, 3).Select(seed => Task.Run(() => Read(new Random(seed)))).ToList();

        for (var round = 0; round < Rounds; round++)
        {
            await store.Add([.. Enumerable.Range(round * AtOnce, AtOnce).Select(number => Of(number, $"ct_{number % 23}"))], Now, CancellationToken.None);
            Volatile.Write(ref recorded, (round + 1) * AtOnce);
            var heads = (await store.AcquireDue("wh_1", "one", Now, Now.AddHours(1), 7, CancellationToken.None)).Heads;
            await store.RecordAttempts(
                "wh_1",
                [.. heads.Select(
                    (head, i) =>
                        new FinishedAttempt(head.Id, Attempt with { Number = head.NextAttempt },
                            (i + round) % 3 == 0 ? DeliveryStatus.Pending : DeliveryStatus.Delivered, Now))],
                CancellationToken.None);
        }

        Volatile.Write(ref isOver, true);
        await Task.WhenAll(readers);

        async Task Read(Random random)
        {
            while (!Volatile.Read(ref isOver))
            {
                var before = Volatile.Read(ref recorded);
                if (before > 0) Assert.NotNull(await store.Find(Of(random.Next(before), "ct_1").Id, CancellationToken.None));
                var seen = await store.List("wh_1", null, null, Rounds * AtOnce, CancellationToken.None);
                Assert.Equal(Enumerable.Range(0, before).Select(number => Of(number, "ct_1").Id), seen.Reverse().Take(before).Select(each => each.Id));
            }
        }
    }

    /// <summary>A store that has a row for each delivery from the beginning tells what is right.</summary>
    [Fact]
    public Task Deliveries_in_memory_are_what_those_in_rows_would_be_whatever_fails_beside_them() => Property.Holds(
        Gen.Choose(0, int.MaxValue).SelectMany(seed => Gen.Choose(1, 40).Select(steps => (seed, steps))),
        async run =>
        {
            using var inMemory = await Trial.Begin(maxBuffered: 36, run.seed);
            using var inRows = await Trial.Begin(maxBuffered: 0, run.seed);
            for (var i = 0; i < run.steps; i++)
            {
                Assert.Equal(await inRows.Step(), await inMemory.Step());
                Assert.Equal(await inRows.State(), await inMemory.State());
            }

            inMemory.Restart();
            Assert.Equal(await inRows.State(), await inMemory.State());
        },
        tests: 50);

    public void Dispose() => file.Dispose();

    private long Count(string of) => file.Database.Read(session => session.One($"SELECT count(*) FROM {of}", row => row.GetInt64(0)));

    private static readonly DeliveryAttempt Attempt = new(1, Now, TimeSpan.FromSeconds(1), AttemptOutcome.Delivered, 200, null);

    private static Delivery Of(int number, string record, string webhook = "wh_1") => new(
        $"dlv_{number:D4}{(webhook == "wh_1" ? "" : webhook)}", new Lane(webhook, record), $"evt_{number:D4}", "contact.updated", number,
        DeliveryStatus.Pending, [], Now);

    /// <summary>A file on which things happen, the same ones for the same seed.</summary>
    private sealed class Trial : IDisposable
    {
        private static readonly Partition Partition = new("ws_1", WorkspaceEnvironment.Live);
        private static readonly string[] Webhooks = ["wh_1", "wh_2"];

        private readonly TemporaryDatabase file = new([]);
        private readonly Random random;
        private readonly int maxBuffered;
        private IDeliveryStore store;
        private int events;

        private Trial(int maxBuffered, int seed)
        {
            (this.maxBuffered, random) = (maxBuffered, new Random(seed));
            store = Open();
        }

        public static async Task<Trial> Begin(int maxBuffered, int seed)
        {
            var trial = new Trial(maxBuffered, seed);
            await trial.file.Database.Write(session => session.Execute("CREATE TABLE parents (id INTEGER PRIMARY KEY)"));
            await trial.file.Database.Write(session => session.Execute("CREATE TABLE orphans (parent REFERENCES parents DEFERRABLE INITIALLY DEFERRED)"));
            return trial;
        }

        /// <summary>Does something; by itself, beside work that throws, or in a transaction that the disk does not take.</summary>
        /// <returns>What was answered.</returns>
        public async Task<string> Step()
        {
            var (what, how) = (await Any(), random.Next(6));
            if (how > 1) return await what();
            using var allQueued = new ManualResetEventSlim();
            var first = file.Database.Write(_ => allQueued.Wait(TimeSpan.FromMinutes(1)));
            var answer = what();
            var beside =
                file.Database.Write(session => how == 0 ? throw new InvalidOperationException("no") : session.Execute("INSERT INTO orphans VALUES (1)"));
            allQueued.Set();
            foreach (var other in (Task[])[first, beside]) await other.ContinueWith(_ => { }, TaskScheduler.Default);
            Assert.True(how == 0
                ? beside.Exception?.InnerException is InvalidOperationException
                : beside.Exception?.InnerException is StoreUnavailableException);
            try
            {
                return await answer;
            }
            catch (StoreUnavailableException)
            {
                return "the disk did not take it";
            }
        }

        /// <summary>All that can be seen.</summary>
        public async Task<string> State()
        {
            var seen = new List<string>();
            foreach (var webhook in Webhooks)
            {
                foreach (var delivery in await store.List(webhook, null, null, 1000, CancellationToken.None))
                {
                    seen.Add(Text(delivery));
                    Assert.Equal(Text(delivery), Text((await store.Find(delivery.Id, CancellationToken.None))!));
                }

                seen.Add("pending "
                    + string.Join(' ', (await store.List(webhook, DeliveryStatus.Pending, null, 1000, CancellationToken.None)).Select(each => each.Id)));
                foreach (var at in (DateTimeOffset[])[Now, Now.AddHours(1)])
                {
                    var due = await store.AcquireDue(webhook, "one", at, at.AddHours(1), 1000, CancellationToken.None);
                    seen.Add($"{due.State} {due.Next?.Delivery.Lane} {due.Next?.At} "
                        + $"{string.Join(' ', due.Heads.Select(head => head.Id).Order(StringComparer.Ordinal))}");
                }
            }

            return string.Join('\n', seen);
        }

        public void Restart()
        {
            file.Reopen();
            store = Open();
        }

        public void Dispose() => file.Dispose();

        private IDeliveryStore Open() => new SqliteDeliveryStores(file.Database, maxBuffered).Open(Partition);

        private async Task<Func<Task<string>>> Any()
        {
            var webhook = Webhooks[random.Next(Webhooks.Length)];
            var known = await store.List(webhook, null, null, 1000, CancellationToken.None);
            var some = known.Where(_ => random.Next(4) == 0).Select(each => each.Id).ToList();
            var heads = (await store.AcquireDue(webhook, "one", Now, Now.AddHours(1), 1000, CancellationToken.None)).Heads.OrderBy(
                head => head.Id, StringComparer.Ordinal).Where(_ => random.Next(2) == 0).ToList();
            switch (random.Next(8))
            {
                case < 3:
                    // Some of them were recorded before, and what is missing between them may be recorded later.
                    events += random.Next(4);
                    var numbers = Enumerable.Range(Math.Max(0, events - 8), 8).Where(_ => random.Next(2) == 0).ToList();
                    Delivery[] added = [.. Webhooks.SelectMany(each => numbers.Select(number => Of(number, $"ct_{number % 3}", each)))];
                    return async () =>
                    {
                        await store.Add(added, Now, CancellationToken.None);
                        return "added";
                    };
                case < 6:
                    FinishedAttempt[] made = [.. heads.Select(head => random.Next(3) switch
                    {
                        0 => Made(head, AttemptOutcome.Timeout, DeliveryStatus.Pending, Now.AddMinutes(1)),
                        1 => Made(head, AttemptOutcome.Timeout, DeliveryStatus.Failed, Now),
                        _ => Made(head, AttemptOutcome.Delivered, DeliveryStatus.Delivered, Now),
                    })];
                    return async () =>
                        string.Join(' ',
                            (await store.RecordAttempts(webhook, made, CancellationToken.None)).Select(noted => $"{noted.Next?.Id} {noted.FailingSince}"));
                case 6 when random.Next(2) == 0:
                    return async () => $"{await store.Finalize(webhook, DeliveryStatus.Failed, Now, CancellationToken.None)} settled";
                case 6:
                    (string, int)[] pending = [.. heads.Select(head => (head.Id, head.NextAttempt))];
                    return async () =>
                    {
                        await store.Defer(pending, Now.AddMinutes(1), CancellationToken.None);
                        return "put off";
                    };
                default:
                    DeliveryStatus[] those = random.Next(2) == 0
                        ? [DeliveryStatus.Failed, DeliveryStatus.Delivered]
                        : [DeliveryStatus.Failed, DeliveryStatus.Pending];
                    return async () => $"{await store.Reopen(some, those, Now, CancellationToken.None)} reopened";
            }
        }

        private static FinishedAttempt Made(Delivery head, AttemptOutcome outcome, DeliveryStatus status, DateTimeOffset due) =>
            new(head.Id, Attempt with { Number = head.NextAttempt, Outcome = outcome }, status, due);

        private static string Text(Delivery delivery) =>
            $"{delivery.Id} {delivery.Lane} {delivery.EventId} {delivery.EventName} {delivery.Version} {delivery.Status} "
                + $"{string.Join(',', delivery.Attempts)} {delivery.CreatedAt:O} {delivery.AttemptsBefore}";
    }
}
