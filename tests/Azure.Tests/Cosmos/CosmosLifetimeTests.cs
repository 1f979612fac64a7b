using NodeStash.Azure.Cosmos;
using NodeStash.Core.Storage;
using NodeStash.Support.Contracts.Storage;

namespace NodeStash.Azure.Tests.Cosmos;

/// <summary>On the stand-in alone, whose clock can be moved.</summary>
public sealed class CosmosLifetimeTests : LifetimeContract, IAsyncLifetime
{
    private readonly CosmosDatabase database;

    public CosmosLifetimeTests() => database = new CosmosDatabase(Clock, []);

    protected override IWorkspaceStores Stores => new CosmosStores(database.Client, database.Name, [], Clock);

    public ValueTask InitializeAsync() => database.InitializeAsync();

    public ValueTask DisposeAsync() => database.DisposeAsync();
}
