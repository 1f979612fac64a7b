using NodeStash.Core.Access;
using NodeStash.LocalHost.Store;
using NodeStash.Support.Contracts.Storage;
using NodeStash.Support.Databases;

namespace NodeStash.LocalHost.Tests.Store;

public sealed class SqliteAccessStoreTests : AccessStoreContract, IDisposable
{
    private readonly TemporaryDatabase file = new([]);

    protected override IAccessStore Store => new SqliteAccessStore(file.Database);

    public void Dispose() => file.Dispose();
}
