using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.LocalHost.Store;
using NodeStash.Support.Contracts.Records;
using NodeStash.Support.Databases;

namespace NodeStash.LocalHost.Tests.Store;

public sealed class SqliteArchiveModelTests : ArchiveModelContract, IDisposable
{
    private readonly TemporaryDatabase file = new(Crm.Catalog.Indexes);
    private int workspaces;

    public void Dispose() => file.Dispose();

    protected override IWorkspaceStore NewStore() =>
        new SqliteStores(file.Database, Crm.Catalog.Indexes, new SqliteChangeFeed(file.Database), TimeProvider.System)
            .Open(new Partition($"ws_{Interlocked.Increment(ref workspaces)}", WorkspaceEnvironment.Live));
}
