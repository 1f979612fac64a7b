using NodeStash.Core.Storage;
using NodeStash.LocalHost.Store;
using NodeStash.Support.Contracts.Storage;
using NodeStash.Support.Databases;

namespace NodeStash.LocalHost.Tests.Store;

public sealed class SqliteLifetimeTests : LifetimeContract, IDisposable
{
    private readonly TemporaryDatabase file = new([]);

    protected override IWorkspaceStores Stores => new SqliteStores(file.Database, [], new SqliteChangeFeed(file.Database), Clock);

    public void Dispose() => file.Dispose();
}
