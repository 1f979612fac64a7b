using NodeStash.Core.Storage;
using NodeStash.Core.Storage.Cosmos;

namespace NodeStash.Core.Tests.Storage.Cosmos;

public sealed class CosmosWorkspaceStoreTests : WorkspaceStoreContract
{
    private readonly CosmosDatabase database;

    public CosmosWorkspaceStoreTests()
        : base(new JumpingClock(Start)) => database = new CosmosDatabase(Clock, Indexes);

    protected override int Cases => 10;

    protected override IWorkspaceStores Stores => new CosmosStores(database.Client, database.Name, Indexes, Clock);

    public override Task InitializeAsync() => database.InitializeAsync();

    public override Task DisposeAsync() => database.DisposeAsync();
}
