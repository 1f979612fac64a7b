using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;
using NodeStash.LocalHost.Store;

namespace NodeStash.Core.Tests.Storage;

public sealed class SqliteDeliveryStoreTests : DeliveryStoreContract, IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 1, 15, 10, 30, 0, TimeSpan.Zero);
    private readonly TemporaryDatabase file = new([]);
    private SqliteDeliveryStores? stores;

    protected override IDeliveryStores Stores => stores ??= new SqliteDeliveryStores(file.Database);

    [Fact]
    public async Task Old_deliveries_are_removed_unless_they_are_pending()
    {
        var stores = new SqliteDeliveryStores(file.Database);
        var store = stores.Open(new Partition("ws_1", DataEnvironment.Live));
        var delivered = new Delivery("dlv_1", new Lane("wh_1", "ct_1"), "evt_1", "contact.created", 1, DeliveryStatus.Delivered, [], Now.AddTicks(-1));
        await store.Add(
            [delivered, delivered with { Id = "dlv_2" }, delivered with { Id = "dlv_3", Status = DeliveryStatus.Pending }, delivered with { Id = "dlv_4", CreatedAt = Now }],
            Now,
            CancellationToken.None);

        Assert.Equal(1, await stores.Purge(Now, 1, CancellationToken.None));
        Assert.Equal(1, await stores.Purge(Now, 10, CancellationToken.None));
        Assert.Equal(["dlv_4", "dlv_3"], (await store.List("wh_1", null, null, 10, CancellationToken.None)).Select(each => each.Id));
    }

    public void Dispose() => file.Dispose();
}
