using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Core.Tests.Storage;
using NodeStash.LocalHost.Store;

namespace NodeStash.Core.Tests.Records;

public sealed class SqliteArchiveModelTests : ArchiveModelContract, IDisposable
{
    private readonly TemporaryDatabase file = new(Catalog.Indexes);
    private int workspaces;

    public void Dispose() => file.Dispose();

    protected override IWorkspaceStore NewStore() =>
        new SqliteStores(file.Database, Catalog.Indexes, new SqliteChangeFeed(file.Database), TimeProvider.System)
            .Open(new Partition($"ws_{Interlocked.Increment(ref workspaces)}", WorkspaceEnvironment.Live));
}
