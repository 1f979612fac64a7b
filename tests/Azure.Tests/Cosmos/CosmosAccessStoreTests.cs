using NodeStash.Azure.Cosmos;
using NodeStash.Core.Access;
using NodeStash.Support.Contracts.Storage;

namespace NodeStash.Azure.Tests.Cosmos;

public sealed class CosmosAccessStoreTests(CosmosAccount account) : CosmosAccessStoreContract(account), IClassFixture<CosmosAccount>;

public sealed class ServedCosmosAccessStoreTests(ServedStandIn account) : CosmosAccessStoreContract(account), IClassFixture<ServedStandIn>;

public abstract class CosmosAccessStoreContract(CosmosAccount account) : AccessStoreContract, IAsyncLifetime
{
    private CosmosDatabase? own;

    protected override IAccessStore Store => new CosmosAccessStore(own?.Client ?? account.Client, own?.Name ?? account.Database, TimeProvider.System);

    public ValueTask InitializeAsync() => account.IsThere ? ValueTask.CompletedTask : (own = new CosmosDatabase(TimeProvider.System, [])).InitializeAsync();

    public ValueTask DisposeAsync() => own?.DisposeAsync() ?? ValueTask.CompletedTask;
}
