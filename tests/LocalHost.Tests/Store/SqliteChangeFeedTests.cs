using NodeStash.Core.Events;
using NodeStash.Core.Storage;
using NodeStash.LocalHost.Store;
using NodeStash.Support.Databases;

namespace NodeStash.LocalHost.Tests.Store;

public sealed class SqliteChangeFeedTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 1, 15, 10, 30, 0, TimeSpan.Zero);
    private readonly TemporaryDatabase file = new([]);
    private readonly SqliteChangeFeed feed;
    private readonly IWorkspaceStore live;
    private readonly IWorkspaceStore test;

    public SqliteChangeFeedTests()
    {
        feed = new SqliteChangeFeed(file.Database);
        var stores = new SqliteStores(file.Database, [], feed, TimeProvider.System);
        live = stores.Open(new Partition("ws_1", WorkspaceEnvironment.Live));
        test = stores.Open(new Partition("ws_1", WorkspaceEnvironment.Test));
    }

    public void Dispose() => file.Dispose();

    [Fact]
    public async Task The_feed_has_the_events_of_all_data_sets_in_the_order_of_their_commits()
    {
        await Commit(live, "evt_9", "evt_3");
        await Commit(test, "evt_5");
        await Commit(live, "evt_1");

        var first = await feed.Read(0, 3, CancellationToken.None);
        var rest = await feed.Read(first.Position, 3, CancellationToken.None);
        var none = await feed.Read(rest.Position, 3, CancellationToken.None);

        Assert.Equal(["evt_9", "evt_3", "evt_5"], Ids(first.Documents));
        Assert.Equal(["evt_1"], Ids(rest.Documents));
        Assert.Empty(none.Documents);
        Assert.Equal(rest.Position, none.Position);
    }

    [Fact]
    public async Task A_document_says_what_happened_to_which_record_of_which_data_set()
    {
        await Commit(test, "evt_1");

        var document = Assert.IsType<EventDocument>(Assert.Single((await feed.Read(0, 10, CancellationToken.None)).Documents));

        Assert.Equal(
            ("evt_1", "ws_1~test", EventDocument.EventKind, "contact.created", "contact", "ct_1", 4),
            (document.Id, document.PartitionKey, document.Kind, document.Name, document.RecordType, document.RecordId, document.Version));
    }

    [Fact]
    public async Task A_lease_goes_on_where_it_was_and_never_back()
    {
        Assert.Equal(0, await feed.Checkpoint("indexing", CancellationToken.None));
        await feed.Advance("indexing", 5, CancellationToken.None);
        await feed.Advance("indexing", 3, CancellationToken.None);
        await feed.Advance("delivery", 1, CancellationToken.None);

        Assert.Equal(5, await feed.Checkpoint("indexing", CancellationToken.None));
        Assert.Equal(1, await feed.Checkpoint("delivery", CancellationToken.None));
    }

    [Fact]
    public async Task A_reader_that_waits_is_told_of_the_next_commit_with_an_event()
    {
        await Commit(live, "evt_1");
        await feed.Changed(0, CancellationToken.None);
        var position = (await feed.Read(0, 10, CancellationToken.None)).Position;
        var changed = feed.Changed(position, CancellationToken.None);
        var farAhead = feed.Changed(position + 1, CancellationToken.None);

        await live.Commit(new Commit { Writes = [new Write.Reserve("x", "y")] }, CancellationToken.None);
        await live.Commit(new Commit { Guards = [new Guard.UniqueKeyHeld("nobody's")], Events = [Event("evt_2", Now)] }, CancellationToken.None);
        Assert.False(changed.IsCompleted);

        await Commit(test, "evt_3");
        await changed;
        Assert.Equal(["evt_3"], Ids((await feed.Read(position, 10, CancellationToken.None)).Documents));
        Assert.False(farAhead.IsCompleted);
        await Commit(live, "evt_4");
        await farAhead;
    }

    [Fact]
    public async Task A_wait_can_be_given_up()
    {
        using var giveUp = new CancellationTokenSource();
        var changed = feed.Changed(0, giveUp.Token);
        await giveUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => changed);
    }

    [Fact]
    public async Task Old_events_are_removed_once_every_lease_has_passed_them()
    {
        await live.Commit(
            new Commit { Events = [Event("evt_1", Now.AddDays(-3)), Event("evt_2", Now.AddDays(-2)), Event("evt_3", Now.AddDays(-1)), Event("evt_4", Now)] },
            CancellationToken.None);
        await feed.Checkpoint("new", CancellationToken.None);
        await feed.Advance("ahead", 4, CancellationToken.None);
        Assert.Equal(0, await feed.Purge(Now.AddDays(1), 10, CancellationToken.None));

        await feed.Advance("new", 3, CancellationToken.None);
        Assert.Equal(1, await feed.Purge(Now.AddDays(1), 1, CancellationToken.None));
        Assert.Equal(["evt_2", "evt_3", "evt_4"], Ids((await feed.Read(0, 10, CancellationToken.None)).Documents));
        Assert.Equal(1, await feed.Purge(Now.AddDays(-1), 10, CancellationToken.None));
        Assert.Equal(["evt_3", "evt_4"], Ids((await feed.Read(0, 10, CancellationToken.None)).Documents));
        Assert.Equal(1, await feed.Purge(Now.AddDays(1), 10, CancellationToken.None));
        Assert.Equal(["evt_4"], Ids((await feed.Read(0, 10, CancellationToken.None)).Documents));
    }

    [Fact]
    public async Task Events_of_a_clock_that_was_ahead_stay_and_those_behind_them_are_removed()
    {
        await Commit(live, "evt_1");
        await live.Commit(new Commit { Events = [Event("evt_2", Now.AddYears(1))] }, CancellationToken.None);
        await Commit(live, "evt_3", "evt_4", "evt_5");

        Assert.Equal(3, await feed.Purge(Now.AddDays(1), 3, CancellationToken.None));
        Assert.Equal(1, await feed.Purge(Now.AddDays(1), 3, CancellationToken.None));

        Assert.Equal(["evt_2"], Ids((await feed.Read(0, 10, CancellationToken.None)).Documents));
    }

    [Fact]
    public async Task What_was_the_last_event_of_a_record_that_is_gone_is_forgotten_with_it()
    {
        await Commit(live, "evt_1", "evt_2");
        await feed.Purge(Now.AddDays(1), 1, CancellationToken.None);
        Assert.Equal(1, LastEvents());

        await feed.Purge(Now.AddDays(1), 1, CancellationToken.None);
        Assert.Equal(0, LastEvents());

        long LastEvents() => file.Database.Read(session => session.One("SELECT count(*) FROM last_events", row => row.GetInt64(0)));
    }

    [Fact]
    public async Task A_position_is_never_given_out_again()
    {
        await Commit(live, "evt_1");
        var position = (await feed.Read(0, 10, CancellationToken.None)).Position;
        await feed.Advance("delivery", position, CancellationToken.None);
        Assert.Equal(1, await feed.Purge(Now.AddDays(1), 10, CancellationToken.None));
        file.Reopen();
        var reopened = new SqliteChangeFeed(file.Database);

        await new SqliteStores(file.Database, [], reopened, TimeProvider.System).Open(live.Partition)
            .Commit(new Commit { Events = [Event("evt_2", Now)] }, CancellationToken.None);

        Assert.Equal(["evt_2"], Ids((await reopened.Read(position, 10, CancellationToken.None)).Documents));
    }

    private static IEnumerable<string> Ids(IEnumerable<object> documents) => documents.Cast<EventDocument>().Select(document => document.Id);

    private static StoredEvent Event(string id, DateTimeOffset at) =>
        new(id, "contact.created", "contact", "ct_1", 4, at, System.Text.Encoding.UTF8.GetBytes($"{{\"id\":\"{id}\"}}"));

    private static async Task Commit(IWorkspaceStore store, params string[] events) =>
        await store.Commit(new Commit { Events = [.. events.Select(id => Event(id, Now))] }, CancellationToken.None);
}
