using System.Text.Json;
using NodeStash.Core.Access;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;
using NodeStash.LocalHost.Store;
using NodeStash.Support.Contracts.Storage;
using NodeStash.Support.Databases;

namespace NodeStash.LocalHost.Tests.Store;

public sealed class SqliteWorkspaceStoreTests : WorkspaceStoreContract, IDisposable
{
    private readonly TemporaryDatabase file = new(Indexes);

    public SqliteWorkspaceStoreTests() => Stores = Open();

    protected override IWorkspaceStores Stores { get; }

    [Fact]
    public async Task Everything_is_there_after_a_restart()
    {
        var partition = new Partition("ws_1", WorkspaceEnvironment.Live);
        var lane = new Lane("wh_1", "ct_1");
        var now = Clock.GetUtcNow();
        var record = new StoredRecord("contact", "ct_1", 1, "{}"u8.ToArray());
        await Stores.Open(partition).Commit(
            new Commit
            {
                Writes = [new Write.Insert(record, "{\"a\":\"x\"}"u8.ToArray()), new Write.Reserve("email:jane", "ct_1")],
                Events = [new StoredEvent("evt_1", "contact.created", "contact", "ct_1", 1, now, "{}"u8.ToArray())],
            },
            CancellationToken.None);
        await new SqliteDeliveryStores(file.Database).Open(partition).Add(
            [new Delivery("dlv_1", lane, "evt_1", "contact.created", 1, DeliveryStatus.Pending, [], now)], now, CancellationToken.None);
        await new SqliteDeliveryStores(file.Database).Open(partition).AcquireDue("wh_1", "one", now, now.AddMinutes(1), 10, CancellationToken.None);
        await new SqliteAccessStore(file.Database).PutWorkspace(new Workspace("ws_1", "Name", "local", now), CancellationToken.None);
        await new SqliteChangeFeed(file.Database).Advance("indexing", 1, CancellationToken.None);

        file.Reopen();

        var store = Open().Open(partition);
        Assert.NotNull(await store.Find("contact", "ct_1", CancellationToken.None));
        Assert.Equal(1, await store.Count("contact", new Condition.Equal(new("a"), "x"), CancellationToken.None));
        Assert.Equal("ct_1", await store.FindOwner("email:jane", CancellationToken.None));
        Assert.NotNull(await store.FindEvent("evt_1", CancellationToken.None));
        var deliveries = new SqliteDeliveryStores(file.Database).Open(partition);
        Assert.Equal(WorkState.Held, (await deliveries.AcquireDue("wh_1", "two", now, now.AddMinutes(1), 10, CancellationToken.None)).State);
        Assert.NotNull(await new SqliteAccessStore(file.Database).FindWorkspace("ws_1", CancellationToken.None));
        Assert.Equal(1, await new SqliteChangeFeed(file.Database).Checkpoint("indexing", CancellationToken.None));
        await new SqliteChangeFeed(file.Database).Changed(0, CancellationToken.None);
    }

    [Fact]
    public async Task Whole_numbers_that_no_double_holds_are_told_apart()
    {
        var store = Open().Open(new Partition("ws_1", WorkspaceEnvironment.Live));
        long[] numbers = [9007199254740992, 9007199254740993, long.MaxValue - 1, long.MaxValue];
        await store.Commit(
            new Commit
            {
                Writes = [
                .. numbers.Select(
                    (number, i) =>
                        new Write.Insert(
                            new StoredRecord("contact", $"ct_{i}", 1, "{}"u8.ToArray()), JsonSerializer.SerializeToUtf8Bytes(new { a = number })))]
            },
            CancellationToken.None);

        foreach (var (i, number) in numbers.Index())
        {
            Assert.Equal(1, await store.Count("contact", new Condition.Equal(new("a"), number), CancellationToken.None));
            Assert.Equal(i, await store.Count("contact", new Condition.Compare(new("a"), Comparison.Less, number), CancellationToken.None));
        }

        Assert.Equal(1, await store.Count("contact", new Condition.Equal(new("a"), 9007199254740992.0), CancellationToken.None));
    }

    [Fact]
    public async Task A_write_that_the_disk_does_not_take_is_unavailable_and_leaves_nothing()
    {
        var store = Open().Open(new Partition("ws_1", WorkspaceEnvironment.Live));
        var large = new StoredRecord("contact", "ct_1", 1, new byte[1_000_000]);
        await file.Database.Write(session => session.One("PRAGMA max_page_count = 1", row => row.GetInt64(0)));

        await Assert.ThrowsAnyAsync<StoreUnavailableException>(async () => await store.Commit(
            new Commit { Writes = [new Write.Reserve("x", "ct_1"), new Write.Insert(large, "{}"u8.ToArray())] }, CancellationToken.None));

        Assert.Null(await store.Find("contact", "ct_1", CancellationToken.None));
        Assert.Null(await store.FindOwner("x", CancellationToken.None));
    }

    public void Dispose() => file.Dispose();

    private SqliteStores Open() => new(file.Database, Indexes, new SqliteChangeFeed(file.Database), Clock);
}
