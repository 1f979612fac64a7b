using NodeStash.Azure.Cosmos;
using NodeStash.Core.Storage;
using NodeStash.Support.Clocks;
using NodeStash.Support.Contracts.Storage;

namespace NodeStash.Azure.Tests.Cosmos;

public sealed class CosmosWorkspaceStoreTests(CosmosAccount account) : CosmosWorkspaceStoreContract(account), IClassFixture<CosmosAccount>;

public sealed class ServedCosmosWorkspaceStoreTests(ServedStandIn account) : CosmosWorkspaceStoreContract(account), IClassFixture<ServedStandIn>;

/// <summary>On an account by the time of day; on a stand-in of the test's own every wait is over at once.</summary>
public abstract class CosmosWorkspaceStoreContract(
    CosmosAccount account) : WorkspaceStoreContract(account.IsThere ? TimeProvider.System : new JumpingClock(SettableClock.SomeDay))
{
    private CosmosDatabase? own;

    protected override int Cases => 10;

    protected override IWorkspaceStores Stores => new CosmosStores(own?.Client ?? account.Client, own?.Name ?? account.Database, Indexes, Clock);

    public override ValueTask InitializeAsync() => account.IsThere ? ValueTask.CompletedTask : (own = new CosmosDatabase(Clock, Indexes)).InitializeAsync();

    public override async ValueTask DisposeAsync()
    {
        if (own is not null) await own.DisposeAsync();
        await base.DisposeAsync();
    }
}
