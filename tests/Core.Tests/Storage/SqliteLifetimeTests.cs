using NodeStash.Core.Storage;
using NodeStash.LocalHost.Store;

namespace NodeStash.Core.Tests.Storage;

public sealed class SqliteLifetimeTests : LifetimeContract, IDisposable
{
    private readonly TemporaryDatabase file = new([]);

    protected override IWorkspaceStores Stores => new SqliteStores(file.Database, [], new SqliteChangeFeed(file.Database), Clock);

    public void Dispose() => file.Dispose();
}
