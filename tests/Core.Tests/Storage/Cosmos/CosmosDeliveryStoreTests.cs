using NodeStash.Core.Storage.Cosmos;
using NodeStash.Core.Webhooks;

namespace NodeStash.Core.Tests.Storage.Cosmos;

public sealed class CosmosDeliveryStoreTests : DeliveryStoreContract, IAsyncLifetime
{
    private readonly CosmosDatabase database = new(TimeProvider.System, []);

    protected override IDeliveryStores Stores => new CosmosDeliveryStores(database.Client, database.Name, TimeProvider.System);

    public Task InitializeAsync() => database.InitializeAsync();

    public Task DisposeAsync() => database.DisposeAsync();
}
