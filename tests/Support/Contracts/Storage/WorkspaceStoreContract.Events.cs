using System.Text;
using NodeStash.Core.Storage;

namespace NodeStash.Support.Contracts.Storage;

public abstract partial class WorkspaceStoreContract
{
    [Fact]
    public async Task An_event_is_read_as_it_was_stored()
    {
        var store = NewStore();
        var stored = new StoredEvent("evt_1", "deal.stage_changed", "deal", "dl_1", 4, Start, "{\"id\":\"evt_1\"}"u8.ToArray());
        await store.Commit(new Commit { Events = [stored] }, CancellationToken.None);

        var found = await store.FindEvent("evt_1", CancellationToken.None);

        Assert.NotNull(found);
        Assert.Equal(stored with { Body = default }, found with { Body = default });
        Assert.Equal("{\"id\":\"evt_1\"}", Encoding.UTF8.GetString(found.Body.Span));
        Assert.Null(await store.FindEvent("evt_2", CancellationToken.None));
    }

    [Fact]
    public async Task Events_are_read_in_the_order_of_their_commits_and_page_by_page()
    {
        var store = NewStore();
        string[] order = ["evt_1", "evt_2", "evt_3", "evt_4", "evt_5"];
        await store.Commit(new Commit { Events = [Event(order[0]), Event(order[1])] }, CancellationToken.None);
        foreach (var id in order[2..]) await store.Commit(new Commit { Events = [Event(id)] }, CancellationToken.None);

        var first = await store.ReadEvents(new EventQuery(null, 2), CancellationToken.None);
        var second = await store.ReadEvents(new EventQuery(first.Position, 3), CancellationToken.None);
        var third = await store.ReadEvents(new EventQuery(second.Position, 3), CancellationToken.None);

        Assert.Equal(order, first.Events.Concat(second.Events).Select(each => each.Id));
        Assert.Equal((true, false, false), (first.HasMore, second.HasMore, third.HasMore));
        Assert.Empty(third.Events);
        Assert.Equal(second.Position, third.Position);
    }

    [Fact]
    public async Task Events_are_narrowed_by_name_record_and_time()
    {
        var store = NewStore();
        await store.Commit(
            new Commit
            {
                Events =
                [
                    Event("evt_1", "ct_1", "contact.created", Start.AddHours(-2)),
                    Event("evt_2", "ct_2", "contact.created", Start.AddHours(-1)),
                    Event("evt_3", "ct_1", "contact.updated", Start),
                    Event("evt_4", "ct_2", "contact.updated", Start),
                ],
            },
            CancellationToken.None);

        Assert.Equal(["evt_3", "evt_4"], await Read(new EventQuery(null, 10, Name: "contact.updated")));
        Assert.Equal(["evt_1", "evt_3"], await Read(new EventQuery(null, 10, RecordId: "ct_1")));
        Assert.Equal(["evt_2", "evt_3", "evt_4"], await Read(new EventQuery(null, 10, From: Start.AddHours(-1))));
        Assert.Equal(["evt_4"], await Read(new EventQuery(null, 10, "contact.updated", "ct_2", Start)));
        Assert.Empty(await Read(new EventQuery(null, 10, Name: "contact")));

        async Task<IEnumerable<string>> Read(EventQuery query) => (await store.ReadEvents(query, CancellationToken.None)).Events.Select(each => each.Id);
    }

    [Fact]
    public async Task A_reader_that_goes_on_from_its_position_misses_no_event_of_concurrent_commits()
    {
        var store = NewStore();
        const int Writers = 16, Each = 20;
        var options = Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < Each; i++) await store.Commit(
                new Commit { Events = [Event($"evt_{writer}_{i:00}_a"), Event($"evt_{writer}_{i:00}_b")] }, CancellationToken.None);
        })));

        var read = new List<string>();
        string? position = null;
        for (var written = false; ;)
        {
            var page = await store.ReadEvents(new EventQuery(position, 7), CancellationToken.None);
            read.AddRange(page.Events.Select(each => each.Id));
            position = page.Position;
            if (page.Events.Count > 0) continue;
            if (written) break;
            written = options.IsCompleted;
            await Task.Yield();
        }

        await options;
        Assert.Equal(Writers * Each * 2, read.Count);
        Assert.Equal(read.Count, read.Distinct().Count());
        for (var writer = 0; writer < Writers; writer++)
        {
            var own = read.Where(id => id.StartsWith($"evt_{writer}_", StringComparison.Ordinal));
            Assert.Equal(Enumerable.Range(0, Each).SelectMany(i => new[] { $"evt_{writer}_{i:00}_a", $"evt_{writer}_{i:00}_b" }), own);
        }
    }

    [Fact]
    public async Task The_events_of_a_record_are_read_backwards_from_the_last_or_from_before_one_of_them()
    {
        var store = NewStore();
        for (var version = 1; version <= 5; version++)
            await store.Commit(
                new Commit { Events = [Event($"evt_{version}a") with { Version = version }, Event($"evt_{version}b", "ct_2") with { Version = version }] },
                CancellationToken.None);

        Assert.Equal(["evt_5a", "evt_4a"], await Of("ct_1", null, 2));
        Assert.Equal(["evt_3a", "evt_2a", "evt_1a"], await Of("ct_1", "evt_4a", 10));
        Assert.Empty(await Of("ct_1", "evt_1a", 10));
        Assert.Empty(await Of("ct_3", null, 10));
        Assert.Empty(await Of("ct_1", "evt_9", 10));

        async Task<IEnumerable<string>> Of(string recordId, string? before, int limit) =>
            (await store.EventsOf(recordId, before, limit, CancellationToken.None)).Select(each => each.Id);
    }

    [Fact]
    public async Task A_position_of_no_meaning_is_the_beginning()
    {
        var store = NewStore();
        await store.Commit(new Commit { Events = [Event("evt_1")] }, CancellationToken.None);

        foreach (var position in new[] { "", "x", "-1", "1.2", "99999999999999999999999999" })
            Assert.Single((await store.ReadEvents(new EventQuery(position, 10), CancellationToken.None)).Events);
    }
}
