using NodeStash.Azure.Cosmos;
using NodeStash.Core.Webhooks;
using NodeStash.Support.Contracts.Storage;

namespace NodeStash.Azure.Tests.Cosmos;

public sealed class CosmosDeliveryStoreTests(CosmosAccount account) : CosmosDeliveryStoreContract(account), IClassFixture<CosmosAccount>;

public sealed class ServedCosmosDeliveryStoreTests(ServedStandIn account) : CosmosDeliveryStoreContract(account), IClassFixture<ServedStandIn>;

public abstract class CosmosDeliveryStoreContract(CosmosAccount account) : DeliveryStoreContract, IAsyncLifetime
{
    private CosmosDatabase? own;

    protected override IDeliveryStores Stores => new CosmosDeliveryStores(own?.Client ?? account.Client, own?.Name ?? account.Database, TimeProvider.System);

    public ValueTask InitializeAsync() => account.IsThere ? ValueTask.CompletedTask : (own = new CosmosDatabase(TimeProvider.System, [])).InitializeAsync();

    public ValueTask DisposeAsync() => own?.DisposeAsync() ?? ValueTask.CompletedTask;
}
