using NodeStash.Core.Storage;
using NodeStash.Support.Clocks;

namespace NodeStash.Support.Contracts.Storage;

/// <summary>
/// What every adapter of <see cref="IWorkspaceStores"/> keeps for a time only. The clock is moved, of the adapter and of the service behind it: no
/// account of the service can pass this.
/// </summary>
public abstract class LifetimeContract
{
    private static readonly DateTimeOffset Start = SettableClock.SomeDay;

    /// <summary>What the adapter goes by, and the service behind it.</summary>
    protected SettableClock Clock { get; } = new(Start);

    /// <summary>The adapter under test.</summary>
    protected abstract IWorkspaceStores Stores { get; }

    [Fact]
    public async Task An_event_is_no_more_after_thirty_days()
    {
        var store = Stores.Open(new Partition("ws_1", WorkspaceEnvironment.Live));
        await store.Commit(new Commit { Events = [Event("evt_1", Start.AddSeconds(-1)), Event("evt_2", Start)] }, CancellationToken.None);

        Clock.Now = Start.AddDays(30).AddSeconds(-1);

        Assert.Null(await store.FindEvent("evt_1", CancellationToken.None));
        Assert.NotNull(await store.FindEvent("evt_2", CancellationToken.None));
        Assert.Equal(["evt_2"], (await store.ReadEvents(new EventQuery(null, 10), CancellationToken.None)).Events.Select(each => each.Id));
    }

    [Fact]
    public async Task An_answer_is_no_more_after_a_day_and_its_key_is_free_again()
    {
        var store = Stores.Open(new Partition("ws_1", WorkspaceEnvironment.Live));
        var answer = new StoredAnswer("key", "print", Start, "{}");
        Assert.Equal(CommitOutcome.Done, await store.Commit(new Commit { Answer = answer }, CancellationToken.None));

        Clock.Now = Start.AddDays(1).AddSeconds(-1);
        Assert.Equal(answer, await store.FindAnswer("key", CancellationToken.None));
        Assert.Equal(CommitResult.Answered, (await store.Commit(new Commit { Answer = answer with { At = Clock.Now } }, CancellationToken.None)).Result);

        Clock.Now = Start.AddDays(1).AddSeconds(1);
        Assert.Null(await store.FindAnswer("key", CancellationToken.None));
        Assert.Equal(CommitOutcome.Done, await store.Commit(new Commit { Answer = answer with { At = Clock.Now } }, CancellationToken.None));
    }

    private static StoredEvent Event(string id, DateTimeOffset at) => new(id, "contact.created", "contact", "ct_1", 1, at, "{}"u8.ToArray());
}
