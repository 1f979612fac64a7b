using NodeStash.Azure.Cosmos;
using NodeStash.Core.Storage;
using NodeStash.Support.Clocks;

namespace NodeStash.Azure.Tests.Cosmos;

/// <summary>On the stand-in alone, whose clock can be moved.</summary>
public sealed class CosmosEventTests : IAsyncLifetime
{
    private readonly JumpingClock clock = new(SettableClock.SomeDay.AddMilliseconds(900));
    private readonly CosmosDatabase database;

    public CosmosEventTests() => database = new CosmosDatabase(clock, []);

    public ValueTask InitializeAsync() => database.InitializeAsync();

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Fact]
    public async Task There_is_more_after_a_page_that_ends_with_its_second()
    {
        var store = new CosmosStores(database.Client, database.Name, [], clock).Open(new Partition("ws_1", WorkspaceEnvironment.Live));
        await store.Commit(new Commit { Events = [Event("evt_1")] }, CancellationToken.None);
        clock.Now += TimeSpan.FromMilliseconds(200);
        await store.Commit(new Commit { Events = [Event("evt_2")] }, CancellationToken.None);

        var first = await store.ReadEvents(new EventQuery(null, 1), CancellationToken.None);
        var second = await store.ReadEvents(new EventQuery(first.Position, 1), CancellationToken.None);

        Assert.Equal(("evt_1", true), (Assert.Single(first.Events).Id, first.HasMore));
        Assert.Equal(("evt_2", false), (Assert.Single(second.Events).Id, second.HasMore));
    }

    private StoredEvent Event(string id) => new(id, "contact.created", "contact", "ct_1", 1, clock.Now, "{}"u8.ToArray());
}
