using System.Text.Json;
using NodeStash.Core.Webhooks;

namespace NodeStash.LocalHost.Store;

/// <summary>
/// Deliveries of which no attempt was noted yet, of a whole file: in memory, and on disk a row for all that were recorded together for an endpoint. Most of them are
/// delivered at once, and so are written to <c>deliveries</c> once, with what came of it. What is pending in a lane is either all of it here, or all of it there.
/// </summary>
/// <remarks>Written to by the writer's thread, in its transactions; read by any.</remarks>
internal sealed class UntriedDeliveries
{
    private readonly int max;
    private readonly Lock access = new();
    private readonly Dictionary<(long Partition, string WebhookId), Endpoint> endpoints = [];
    private readonly Dictionary<(long Partition, string DeliveryId), Entry> entries = [];

    /// <summary>How many are not leaving.</summary>
    private int waiting;

    /// <summary>Finds what was left when the file was last closed.</summary>
    /// <param name="database">The file.</param>
    /// <param name="max">So many at most, and of one endpoint a sixth of that; what waits behind them has rows of its own.</param>
    public UntriedDeliveries(Database database, int max)
    {
        this.max = max;
        database.Read(session =>
        {
            session.Each("SELECT id, partition, webhook, due, deliveries FROM untried ORDER BY id", row => Load(session, row));
            return entries.Count;
        });
    }

    /// <summary>Records deliveries to one endpoint.</summary>
    /// <param name="session">The writer's.</param>
    /// <param name="partition">Their data set.</param>
    /// <param name="webhookId">The endpoint.</param>
    /// <param name="deliveries">Pending ones, not recorded before, of lanes of which nothing is pending on disk.</param>
    /// <param name="due">Since when they are due.</param>
    public void Add(Session session, long partition, string webhookId, IReadOnlyList<Delivery> deliveries, DateTimeOffset due)
    {
        var id = session.Insert(
            "INSERT INTO untried (partition, webhook, due, deliveries) VALUES (?1, ?2, ?3, ?4)", partition, webhookId, due.UtcTicks, Forms(deliveries));
        var batch = new Batch(id, partition, webhookId, due.UtcTicks) { Held = deliveries.Count };
        Entry[] added = [.. deliveries.Select(each => new Entry(each, batch))];
        Put(added);
        session.Afterwards(kept: () => { }, undone: () =>
        {
            Leave(added);
            Forget(added);
        });
    }

    /// <summary>Lets go of deliveries that have a row of their own from now on. Those who read see them until that is on disk.</summary>
    public void Remove(Session session, params IReadOnlyList<Entry> removed)
    {
        Leave(removed);
        session.Afterwards(kept: () => Forget(removed), undone: () => Return(removed));
        foreach (var batch in removed.Select(each => each.Batch).Distinct()) Shorten(session, batch);
    }

    /// <summary>Whether an endpoint can have so many more, as far as its own go.</summary>
    public bool HasRoom(long partition, string webhookId, int added)
    {
        lock (access) return (endpoints.GetValueOrDefault((partition, webhookId))?.Waiting ?? 0) + added <= max / 6;
    }

    /// <summary>
    /// What is to have rows of its own before so many can be added, for there are too many of all endpoints: whole lanes of the one that has waited longest. To be asked
    /// again once they have, for there may be more; none where there is room.
    /// </summary>
    public IReadOnlyList<Entry> InTheWay(int added)
    {
        lock (access)
        {
            if (waiting + added <= max || endpoints.Values.Where(each => each.Waiting > 0).MinBy(each => each.Order.First(one => !one.IsLeaving).Batch.Due) is not { } maxLength) return [];
            var crowding = new List<Entry>();
            foreach (var head in maxLength.Order.Where(maxLength.IsHead).TakeWhile(_ => crowding.Count < added)) crowding.AddRange(maxLength.Lanes[head.Delivery.Lane.RecordId]);
            return crowding;
        }
    }

    /// <summary>As the writer has it.</summary>
    public Entry? Find(long partition, string deliveryId)
    {
        lock (access) return entries.TryGetValue((partition, deliveryId), out var entry) && !entry.IsLeaving ? entry : null;
    }

    /// <summary>As those who read have it: before they look into the rows, so that what goes there meanwhile is seen in one of both places, at least.</summary>
    public Delivery? See(long partition, string deliveryId)
    {
        lock (access) return entries.GetValueOrDefault((partition, deliveryId))?.Delivery;
    }

    /// <summary>An endpoint's, as in <see cref="See(long, string)"/>.</summary>
    public IReadOnlyList<Delivery> SeeAll(long partition, string webhookId)
    {
        lock (access) return endpoints.TryGetValue((partition, webhookId), out var endpoint) ? [.. endpoint.Order.Select(each => each.Delivery)] : [];
    }

    public bool Any(long partition, string webhookId)
    {
        lock (access) return endpoints.TryGetValue((partition, webhookId), out var endpoint) && endpoint.Lanes.Count > 0;
    }

    /// <summary>An endpoint's.</summary>
    public IReadOnlyList<Entry> Of(long partition, string webhookId)
    {
        lock (access) return endpoints.TryGetValue((partition, webhookId), out var endpoint) ? [.. endpoint.Order.Where(each => !each.IsLeaving)] : [];
    }

    /// <summary>A lane's, oldest first.</summary>
    public IReadOnlyList<Entry> Of(long partition, Lane lane)
    {
        lock (access) return LaneOf(partition, lane) is { } found ? [.. found] : [];
    }

    /// <summary>The oldest of a lane; null where there is none.</summary>
    public Delivery? Head(long partition, Lane lane)
    {
        lock (access) return LaneOf(partition, lane)?[0].Delivery;
    }

    /// <summary>The oldest delivery of each of an endpoint's lanes, the lane due for longest first.</summary>
    public IReadOnlyList<(long Due, Delivery Head)> Heads(long partition, string webhookId, int limit)
    {
        lock (access)
        {
            if (!endpoints.TryGetValue((partition, webhookId), out var endpoint)) return [];
            return [.. endpoint.Order.Where(endpoint.IsHead).Take(limit).Select(each => (each.Batch.Due, each.Delivery))];
        }
    }

    private List<Entry>? LaneOf(long partition, Lane lane) => endpoints.GetValueOrDefault((partition, lane.WebhookId))?.Lanes.GetValueOrDefault(lane.RecordId);

    private static string Forms(IEnumerable<Delivery> deliveries) =>
        JsonSerializer.Serialize(deliveries.Select(each => new Form(each.Id, each.Lane.RecordId, each.EventId, each.EventName, each.Version, each.CreatedAt.UtcTicks)));

    /// <summary>Keeps a row from being long for the few of its deliveries that lag: written again each time but a sixteenth has left it, it costs little beside what it did to record them.</summary>
    private static void Shorten(Session session, Batch batch)
    {
        if (batch.Left.Count == 0) session.Execute("DELETE FROM untried WHERE id = ?1", batch.Id);
        if (batch.Left.Count == 0 || batch.Left.Count * 16 >= batch.Held) return;
        session.Execute("UPDATE untried SET deliveries = ?2 WHERE id = ?1", batch.Id, Forms(batch.Left.Select(each => each.Delivery)));
        var held = batch.Held;
        session.Afterwards(kept: () => { }, undone: () => batch.Held = held);
        batch.Held = batch.Left.Count;
    }

    private void Load(Session session, Row row)
    {
        var forms = JsonSerializer.Deserialize<Form[]>(row.GetString(4))!;
        var batch = new Batch(row.GetInt64(0), row.GetInt64(1), row.GetString(2), row.GetInt64(3)) { Held = forms.Length };
        Put([.. forms
            .Where(form => !session.One("SELECT 1 FROM deliveries WHERE partition = ?1 AND id = ?2", _ => true, batch.Partition, form.Id))
            .Select(form => new Entry(
                new Delivery(form.Id, new Lane(batch.WebhookId, form.Record), form.Event, form.Name, form.Version, DeliveryStatus.Pending, [], Ticks.ToTime(form.CreatedAt)), batch))]);
    }

    private void Put(IReadOnlyList<Entry> added)
    {
        lock (access)
        {
            foreach (var entry in added)
            {
                var key = (entry.Batch.Partition, entry.Batch.WebhookId);
                entries.Add((entry.Batch.Partition, entry.Delivery.Id), entry);
                if (!endpoints.TryGetValue(key, out var endpoint)) endpoints.Add(key, endpoint = new Endpoint());
                var before = endpoint.Order.Last;
                while (before?.Value.Batch.Due > entry.Batch.Due) before = before.Previous;
                entry.Place = before is null ? endpoint.Order.AddFirst(entry) : endpoint.Order.AddAfter(before, entry);
            }

            Return(added);
        }
    }

    private void Forget(IReadOnlyList<Entry> left)
    {
        lock (access)
        {
            foreach (var entry in left)
            {
                var key = (entry.Batch.Partition, entry.Batch.WebhookId);
                entries.Remove((entry.Batch.Partition, entry.Delivery.Id));
                endpoints[key].Order.Remove(entry.Place!);
                if (endpoints[key].Order.Count == 0) endpoints.Remove(key);
            }
        }
    }

    private void Return(IReadOnlyList<Entry> left)
    {
        lock (access)
        {
            foreach (var entry in left)
            {
                var endpoint = endpoints[(entry.Batch.Partition, entry.Batch.WebhookId)];
                if (!endpoint.Lanes.TryGetValue(entry.Delivery.Lane.RecordId, out var lane)) endpoint.Lanes.Add(entry.Delivery.Lane.RecordId, lane = []);
                var place = lane.BinarySearch(entry, Entry.InLane);
                lane.Insert(place < 0 ? ~place : place, entry);
                entry.IsLeaving = false;
                entry.Batch.Left.Add(entry);
                endpoint.Waiting++;
            }

            waiting += left.Count;
        }
    }

    private void Leave(IReadOnlyList<Entry> leaving)
    {
        lock (access)
        {
            foreach (var entry in leaving)
            {
                var endpoint = endpoints[(entry.Batch.Partition, entry.Batch.WebhookId)];
                var lane = endpoint.Lanes[entry.Delivery.Lane.RecordId];
                lane.Remove(entry);
                if (lane.Count == 0) endpoint.Lanes.Remove(entry.Delivery.Lane.RecordId);
                entry.IsLeaving = true;
                entry.Batch.Left.Remove(entry);
                endpoint.Waiting--;
            }

            waiting -= leaving.Count;
        }
    }

    /// <summary>A delivery, and what it was recorded with.</summary>
    public sealed class Entry(Delivery delivery, Batch batch)
    {
        public static IComparer<Entry> InLane { get; } = Comparer<Entry>.Create((a, b) => a.Delivery.Version.CompareTo(b.Delivery.Version) is not 0 and var byVersion
            ? byVersion
            : string.CompareOrdinal(a.Delivery.EventId, b.Delivery.EventId));

        public Delivery Delivery => delivery;

        public Batch Batch => batch;

        public LinkedListNode<Entry>? Place { get; set; }

        /// <summary>It is here for those who read and for nobody else, until its row is on disk.</summary>
        public bool IsLeaving { get; set; }
    }

    /// <summary>A row of the table.</summary>
    public sealed class Batch(long id, long partition, string webhookId, long due)
    {
        public long Id => id;

        public long Partition => partition;

        public string WebhookId => webhookId;

        /// <summary>In ticks.</summary>
        public long Due => due;

        /// <summary>How many deliveries stand in it.</summary>
        public int Held { get; set; }

        /// <summary>Those of them that have no row of their own.</summary>
        public HashSet<Entry> Left { get; } = [];
    }

    private sealed class Endpoint
    {
        /// <summary>Those due for longest first, also those that are leaving.</summary>
        public LinkedList<Entry> Order { get; } = [];

        /// <summary>By record, each by version, then event; without those that are leaving.</summary>
        public Dictionary<string, List<Entry>> Lanes { get; } = new(StringComparer.Ordinal);

        /// <summary>How many are not leaving.</summary>
        public int Waiting { get; set; }

        public bool IsHead(Entry entry) => Lanes.GetValueOrDefault(entry.Delivery.Lane.RecordId)?[0] == entry;
    }

    /// <summary>How a delivery stands in its row.</summary>
    private sealed record Form(string Id, string Record, string Event, string Name, long Version, long CreatedAt);
}
