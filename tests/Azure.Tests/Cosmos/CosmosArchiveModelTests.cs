using NodeStash.Azure.Cosmos;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Support.Contracts.Records;

namespace NodeStash.Azure.Tests.Cosmos;

public sealed class CosmosArchiveModelTests : ArchiveModelContract, IAsyncLifetime
{
    private readonly CosmosDatabase database = new(TimeProvider.System, Crm.Catalog.Indexes);
    private int workspaces;

    protected override int Cases => 8;

    public ValueTask InitializeAsync() => database.InitializeAsync();

    public ValueTask DisposeAsync() => database.DisposeAsync();

    protected override IWorkspaceStore NewStore() =>
        new CosmosStores(database.Client, database.Name, Crm.Catalog.Indexes, TimeProvider.System)
            .Open(new Partition($"ws_{Interlocked.Increment(ref workspaces)}", WorkspaceEnvironment.Live));
}
