using NodeStash.Core.Access;
using NodeStash.Core.Storage.Cosmos;

namespace NodeStash.Core.Tests.Storage.Cosmos;

public sealed class CosmosAccessStoreTests : AccessStoreContract, IAsyncLifetime
{
    private readonly CosmosDatabase database = new(TimeProvider.System, []);

    protected override IAccessStore Store => new CosmosAccessStore(database.Client, database.Name, TimeProvider.System);

    public Task InitializeAsync() => database.InitializeAsync();

    public Task DisposeAsync() => database.DisposeAsync();
}
