using NodeStash.Azure.Cosmos;
using NodeStash.Core.Storage;
using NodeStash.CosmosStandIn;
using NodeStash.Support.Clocks;

namespace NodeStash.Azure.Tests.Cosmos;

/// <summary>What a service that falters, throttles and does not answer does to a commit or a read: nothing, or it is said to be unavailable.</summary>
public sealed class CosmosFaultTests : IAsyncLifetime
{
    private const string Contact = "contact";
    private static readonly DateTimeOffset Start = new(2026, 1, 15, 10, 30, 0, TimeSpan.Zero);
    private static readonly IReadOnlyList<RecordIndex> Indexes = [new(Contact, "a")];

    private readonly JumpingClock clock = new(Start);
    private readonly CosmosDatabase database;

    public CosmosFaultTests() => database = new CosmosDatabase(clock, Indexes, lag: 5);

    private IWorkspaceStore Store => new CosmosStores(database.Client, database.Name, Indexes, clock).Open(new Partition("ws_1", WorkspaceEnvironment.Live));

    public ValueTask InitializeAsync() => database.InitializeAsync();

    public ValueTask DisposeAsync() => database.DisposeAsync();

    public static TheoryData<Fault> OfWrites =>
        [Fault.RetryWith, Fault.ServiceUnavailable, Fault.TimeoutBefore, Fault.TimeoutAfter, Fault.DisconnectBefore, Fault.DisconnectAfter];

    [Theory]
    [MemberData(nameof(OfWrites))]
    public async Task A_write_that_fails_or_is_not_answered_once_is_done_once(Fault problem)
    {
        await Commit(Insert("ct_1"), new Write.Reserve("email:jane", "ct_1"));
        Commit[] commits =
        [
            new() { Writes = [Insert("ct_2")], Events = [Event("evt_1", "ct_2", 1)] },
            new() { Writes = [Replace("ct_1", 2)], Answer = new StoredAnswer("key", "print", Start, "{}") },
            new() { Writes = [Replace("ct_2", 2)] },
            new() { Writes = [new Write.Reserve("email:john", "ct_2")] },
            new() { Writes = [new Write.Release("email:jane", "ct_1"), new Write.Remove(Contact, "ct_1", 2)] },
            new() { Writes = [.. Enumerable.Range(0, 150).Select(i => Insert($"many_{i}"))], Guards = [new Guard.RecordExists(Contact, "ct_2")] },
        ];

        foreach (var commit in commits)
        {
            database.Account.Faults.Next(problem, those: request => request.Kind is RequestKind.Batch or RequestKind.StoredProcedure);
            Assert.Equal(CommitOutcome.Done, await Store.Commit(commit, CancellationToken.None));
        }

        Assert.Equal((null, 2L),
            ((await Store.Find(Contact, "ct_1", CancellationToken.None))?.Version, (await Store.Find(Contact, "ct_2", CancellationToken.None))?.Version));
        Assert.Equal(151, await Store.Count(Contact, Condition.Always, CancellationToken.None));
        Assert.Equal(
            (null, "ct_2"), (await Store.FindOwner("email:jane", CancellationToken.None), await Store.FindOwner("email:john", CancellationToken.None)));
        Assert.Single((await Store.ReadEvents(new EventQuery(null, 10), CancellationToken.None)).Events);
    }

    [Fact]
    public async Task A_commit_that_was_done_without_an_answer_is_done_even_if_others_have_written_since()
    {
        await Commit(Insert("ct_1"));
        var batches = 0;
        database.Account.Faults.Next(Fault.TimeoutAfter, those: request => request.Kind is RequestKind.Batch);
        database.Account.OnRequest = async request =>
        {
            if (request.Kind is RequestKind.Batch && Interlocked.Increment(ref batches) == 2)
                Assert.Equal(CommitOutcome.Done, await Commit(Replace("ct_1", 3)));
        };

        Assert.Equal(
            CommitOutcome.Done, await Store.Commit(new Commit { Writes = [Replace("ct_1", 2)], Events = [Event("evt_1", "ct_1", 2)] }, CancellationToken.None));
        Assert.Equal(3, (await Store.Find(Contact, "ct_1", CancellationToken.None))!.Version);
    }

    [Theory]
    [InlineData(Fault.ServiceUnavailable)]
    [InlineData(Fault.TimeoutBefore)]
    [InlineData(Fault.DisconnectBefore)]
    [InlineData(Fault.TooManyRequests)]
    public async Task A_service_that_does_not_recover_is_unavailable_and_nothing_is_stored(Fault problem)
    {
        await Commit(Insert("ct_1"));
        database.Account.Faults.Next(problem, 10_000);

        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await Commit(Insert("ct_2")));
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await Store.Find(Contact, "ct_1", CancellationToken.None));
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await Ids());

        database.Account.Faults.Clear();
        Assert.Equal(["ct_1"], await Ids());
    }

    [Fact]
    public async Task What_is_throttled_for_a_while_is_done_and_for_long_says_when_to_try_again()
    {
        database.Account.Faults.Next(Fault.TooManyRequests, 5);
        Assert.Equal(CommitOutcome.Done, await Commit(Insert("ct_1")));

        database.Account.Faults.Next(Fault.TooManyRequests, 10_000);
        var busy = await Assert.ThrowsAsync<StoreUnavailableException>(async () => await Commit(Insert("ct_2")));
        Assert.Equal(database.Account.Faults.RetryAfter, busy.RetryAfter);
    }

    [Theory]
    [InlineData(Fault.ShortPage)]
    [InlineData(Fault.EmptyPage)]
    [InlineData(Fault.ServiceUnavailable)]
    public async Task Pages_that_the_service_splits_or_fails_to_give_once_are_whole(Fault problem)
    {
        await Commit([.. Enumerable.Range(10, 30).Select(i => Insert($"ct_{i}"))]);

        foreach (var key in new[] { "a", "b" })
        {
            database.Account.Faults.Next(problem, 2);
            Assert.Equal(Enumerable.Range(10, 30).Select(i => $"ct_{i}"), await Ids(key));
        }

        database.Account.Faults.Next(problem, 2);
        Assert.Equal(30, await Store.Count(Contact, Condition.Always, CancellationToken.None));
    }

    [Fact]
    public async Task What_starts_to_refer_to_a_record_while_its_removal_is_under_way_keeps_it()
    {
        await Commit(Insert("co_1", "company"));
        var linked = 0;
        database.Account.OnRequest = async request =>
        {
            if (request.Kind is not RequestKind.Batch || Interlocked.Exchange(ref linked, 1) != 0) return;
            Assert.Equal(CommitOutcome.Done,
                await Store.Commit(new Commit { Guards = [new Guard.RecordExists("company", "co_1")], Writes = [Insert("ct_1")] }, CancellationToken.None));
        };

        var removal = new Commit { Guards = [new Guard.NoneMatch(Contact, Condition.Always)], Writes = [new Write.Remove("company", "co_1", 1)] };

        Assert.Equal(new CommitOutcome(CommitResult.Blocked, Contact), await Store.Commit(removal, CancellationToken.None));
    }

    [Fact]
    public async Task A_claim_that_changes_hands_while_it_is_given_up_stays_with_its_new_owner()
    {
        await Commit(new Write.Reserve("email:jane", "ct_1"));
        var changed = 0;
        database.Account.OnRequest = async request =>
        {
            if (request.Kind is not RequestKind.Batch || Interlocked.Exchange(ref changed, 1) != 0) return;
            Assert.Equal(CommitOutcome.Done, await Commit(new Write.Release("email:jane", "ct_1"), new Write.Reserve("email:jane", "ct_2")));
        };

        Assert.Equal(CommitOutcome.Done, await Commit(new Write.Release("email:jane", "ct_1"), Insert("ct_3")));
        Assert.Equal("ct_2", await Store.FindOwner("email:jane", CancellationToken.None));
    }

    [Fact]
    public async Task Whatever_fails_whenever_each_commit_is_done_once_or_not_at_all()
    {
        const int Writers = 8, Each = 15;
        await Commit(Insert("ct_0"));
        var chance = new Random(7);
        foreach (var problem in Enum.GetValues<Fault>()) database.Account.Faults.Sometimes(problem, 0.03, chance);

        var done = await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            var (count, maybe) = (0, 0);
            for (var i = 0; i < Each; i++)
            {
                try
                {
                    var version = (await Store.Find(Contact, "ct_0", CancellationToken.None))!.Version;
                    var commit = new Commit { Writes = [Replace("ct_0", version + 1)], Events = [Event($"evt_{writer}_{i:00}", "ct_0", version + 1)] };
                    if (await Store.Commit(commit, CancellationToken.None) == CommitOutcome.Done) count++;
                }
                catch (StoreUnavailableException)
                {
                    maybe++;
                }
            }

            return (count, maybe);
        })));

        database.Account.Faults.Clear();
        var events = (await Store.ReadEvents(new EventQuery(null, 1000), CancellationToken.None)).Events;
        Assert.InRange(events.Count, done.Sum(writer => writer.count), done.Sum(writer => writer.count + writer.maybe));
        Assert.Equal(Enumerable.Range(2, events.Count).Select(version => (long)version), events.Select(happened => happened.Version));
        Assert.Equal(events.Count + 1, (await Store.Find(Contact, "ct_0", CancellationToken.None))!.Version);
    }

    [Fact]
    public async Task Another_process_sees_what_was_written_with_the_session_of_who_wrote_it()
    {
        using var client = database.Connect();
        var others = new CosmosStores(client, database.Name, Indexes, clock);
        for (var version = 1; version <= 10; version++)
        {
            var store = Store;
            await store.Commit(new Commit { Writes = [version == 1 ? Insert("ct_1") : Replace("ct_1", version)] }, CancellationToken.None);

            var other = others.Open(store.Partition, store.Session);
            Assert.Equal(version, (await other.Find(Contact, "ct_1", CancellationToken.None))?.Version);
            Assert.Equal(version,
                (await other.Query(new RecordQuery(Contact, Condition.Always, [new(new("a"), false)], null, 1), CancellationToken.None)).Records[0].Version);
            Assert.Equal(store.Session, other.Session);
        }
    }

    [Fact]
    public async Task A_session_the_service_has_not_reached_is_not_answered_from_what_is_older()
    {
        await Commit(Insert("ct_1"));
        var stores = new CosmosStores(database.Client, database.Name, Indexes, clock);
        var partition = new Partition("ws_1", WorkspaceEnvironment.Live);

        await Assert.ThrowsAsync<StoreUnavailableException>(
            async () => await stores.Open(partition, "0:-1#999999").Find(Contact, "ct_1", CancellationToken.None));
        Assert.Throws<FormatException>(() => stores.Open(partition, "yesterday"));
    }

    private async Task<CommitOutcome> Commit(params Write[] writes) => await Store.Commit(new Commit { Writes = writes }, CancellationToken.None);

    private async Task<IEnumerable<string>> Ids(string key = "a") =>
        (await Store.Query(new RecordQuery(Contact, Condition.Always, [new(new(key), false)], null, 1000), CancellationToken.None)).Records.Select(
            record => record.Id);

    private static Write.Insert Insert(string id, string type = Contact) => new(Record(id, 1, type), """{"a":"x","b":"y"}"""u8.ToArray());

    private static Write.Replace Replace(string id, long version) => new(Record(id, version, Contact), """{"a":"x","b":"y"}"""u8.ToArray());

    private static StoredRecord Record(string id, long version, string type) => new(type, id, version, "{}"u8.ToArray());

    private static StoredEvent Event(string id, string recordId, long version) =>
        new(id, "contact.updated", Contact, recordId, version, Start, "{}"u8.ToArray());
}
