using System.Text.Json;
using NodeStash.Core.Webhooks;

namespace NodeStash.LocalHost.Store;

/// <summary>
/// Buffers the deliveries of a file that have no recorded attempt: in memory, and on disk in one row for all that were added together for an endpoint. Most
/// of them are delivered at once, and so get their row in <c>deliveries</c> once, with the outcome. The pending deliveries of a lane are all here or all there.
/// </summary>
/// <remarks>The writer's thread changes it, in its transactions; any thread reads it.</remarks>
internal sealed class PendingBuffer
{
    private readonly int max;
    private readonly Lock access = new();
    private readonly Dictionary<(long Partition, string WebhookId), Endpoint> endpoints = [];
    private readonly Dictionary<(long Partition, string DeliveryId), Entry> entries = [];

    /// <summary>Number of entries that are not leaving.</summary>
    private int waiting;

    /// <summary>Loads the deliveries that were left when the file was last closed.</summary>
    /// <param name="database">The open file.</param>
    /// <param name="max">Maximum number of deliveries; one endpoint may have a sixth of them. More deliveries get rows of their own.</param>
    public PendingBuffer(Database database, int max)
    {
        this.max = max;
        database.Read(session =>
        {
            session.Each("SELECT id, partition, webhook, due, deliveries FROM untried ORDER BY id", row => Load(session, row));
            return entries.Count;
        });
    }

    /// <summary>Adds deliveries to one endpoint.</summary>
    /// <param name="session">The session of the writer.</param>
    /// <param name="partition">The number of their partition.</param>
    /// <param name="webhookId">The endpoint.</param>
    /// <param name="deliveries">Pending deliveries that are not stored yet, of lanes that have nothing pending in rows.</param>
    /// <param name="due">The time since which they are due.</param>
    public void Add(Session session, long partition, string webhookId, IReadOnlyList<Delivery> deliveries, DateTimeOffset due)
    {
        var id = session.Insert(
            "INSERT INTO untried (partition, webhook, due, deliveries) VALUES (?1, ?2, ?3, ?4)", partition, webhookId, due.UtcTicks, Serialize(deliveries));
        var batch = new Batch(id, partition, webhookId, due.UtcTicks) { RowCount = deliveries.Count };
        Entry[] added = [.. deliveries.Select(each => new Entry(each, batch))];
        Insert(added);
        session.AfterWork(committed: () => { }, undone: () =>
        {
            Detach(added);
            Drop(added);
        });
    }

    /// <summary>Removes deliveries that get a row of their own. Readers see them until that row is on disk.</summary>
    public void Remove(Session session, params IReadOnlyList<Entry> removed)
    {
        Detach(removed);
        session.AfterWork(committed: () => Drop(removed), undone: () => Attach(removed));
        foreach (var batch in removed.Select(each => each.Batch).Distinct()) Shorten(session, batch);
    }

    /// <summary>Whether an endpoint may add this many entries within its own limit.</summary>
    public bool HasRoom(long partition, string webhookId, int added)
    {
        lock (access) return (endpoints.GetValueOrDefault((partition, webhookId))?.Waiting ?? 0) + added <= max / 6;
    }

    /// <summary>
    /// Finds entries to move to rows before a full buffer can take more: whole lanes of the endpoint that has waited longest. Empty if there is room. Ask
    /// again after moving them, because there may be more.
    /// </summary>
    public IReadOnlyList<Entry> FindOverflow(int added)
    {
        lock (access)
        {
            if (waiting + added <= max) return [];
            var candidates = endpoints.Values.Where(each => each.Waiting > 0);
            if (candidates.MinBy(each => each.Order.First(one => !one.IsLeaving).Batch.Due) is not { } longest) return [];
            var overflow = new List<Entry>();
            foreach (var head in longest.Order.Where(longest.IsHead).TakeWhile(_ => overflow.Count < added))
                overflow.AddRange(longest.Lanes[head.Delivery.Lane.RecordId]);
            return overflow;
        }
    }

    /// <summary>Finds an entry as the writer sees it; null for none.</summary>
    public Entry? Find(long partition, string deliveryId)
    {
        lock (access) return entries.TryGetValue((partition, deliveryId), out var entry) && !entry.IsLeaving ? entry : null;
    }

    /// <summary>Finds a delivery as readers see it. Readers look here before they look into the rows, so that they miss none that is on its way.</summary>
    public Delivery? Peek(long partition, string deliveryId)
    {
        lock (access) return entries.GetValueOrDefault((partition, deliveryId))?.Delivery;
    }

    /// <summary>Lists the deliveries of an endpoint as readers see them; see <see cref="Peek"/>.</summary>
    public IReadOnlyList<Delivery> PeekAll(long partition, string webhookId)
    {
        lock (access) return endpoints.TryGetValue((partition, webhookId), out var endpoint) ? [.. endpoint.Order.Select(each => each.Delivery)] : [];
    }

    /// <summary>Whether an endpoint has entries, as the writer sees it.</summary>
    public bool Any(long partition, string webhookId)
    {
        lock (access) return endpoints.TryGetValue((partition, webhookId), out var endpoint) && endpoint.Lanes.Count > 0;
    }

    /// <summary>Lists the entries of an endpoint as the writer sees them, the one due for longest first.</summary>
    public IReadOnlyList<Entry> List(long partition, string webhookId)
    {
        lock (access) return endpoints.TryGetValue((partition, webhookId), out var endpoint) ? [.. endpoint.Order.Where(each => !each.IsLeaving)] : [];
    }

    /// <summary>Lists the entries of a lane, oldest first.</summary>
    public IReadOnlyList<Entry> List(long partition, Lane lane)
    {
        lock (access) return LaneOf(partition, lane) is { } found ? [.. found] : [];
    }

    /// <summary>Finds the oldest delivery of a lane; null for none.</summary>
    public Delivery? FindHead(long partition, Lane lane)
    {
        lock (access) return LaneOf(partition, lane)?[0].Delivery;
    }

    /// <summary>Lists the oldest delivery of each lane of an endpoint, the lane due for longest first.</summary>
    public IReadOnlyList<(long Due, Delivery Head)> ListHeads(long partition, string webhookId, int limit)
    {
        lock (access)
        {
            if (!endpoints.TryGetValue((partition, webhookId), out var endpoint)) return [];
            return [.. endpoint.Order.Where(endpoint.IsHead).Take(limit).Select(each => (each.Batch.Due, each.Delivery))];
        }
    }

    private List<Entry>? LaneOf(long partition, Lane lane) =>
        endpoints.GetValueOrDefault((partition, lane.WebhookId))?.Lanes.GetValueOrDefault(lane.RecordId);

    private static string Serialize(IEnumerable<Delivery> deliveries) =>
        JsonSerializer.Serialize(deliveries.Select(
            each => new Form(each.Id, each.Lane.RecordId, each.EventId, each.EventName, each.Version, each.CreatedAt.UtcTicks)));

    /// <summary>Rewrites a row once less than a sixteenth of its deliveries is left, so that the few that lag do not keep it long.</summary>
    private static void Shorten(Session session, Batch batch)
    {
        if (batch.Remaining.Count == 0) session.Execute("DELETE FROM untried WHERE id = ?1", batch.Id);
        if (batch.Remaining.Count == 0 || batch.Remaining.Count * 16 >= batch.RowCount) return;
        session.Execute("UPDATE untried SET deliveries = ?2 WHERE id = ?1", batch.Id, Serialize(batch.Remaining.Select(each => each.Delivery)));
        var rowCount = batch.RowCount;
        session.AfterWork(committed: () => { }, undone: () => batch.RowCount = rowCount);
        batch.RowCount = batch.Remaining.Count;
    }

    private void Load(Session session, Row row)
    {
        var forms = JsonSerializer.Deserialize<Form[]>(row.GetString(4))!;
        var batch = new Batch(row.GetInt64(0), row.GetInt64(1), row.GetString(2), row.GetInt64(3)) { RowCount = forms.Length };
        Insert([.. forms
            .Where(form => !session.One("SELECT 1 FROM deliveries WHERE partition = ?1 AND id = ?2", _ => true, batch.Partition, form.Id))
            .Select(form => new Entry(form.ToDelivery(batch.WebhookId), batch))]);
    }

    private void Insert(IReadOnlyList<Entry> added)
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
                entry.Node = before is null ? endpoint.Order.AddFirst(entry) : endpoint.Order.AddAfter(before, entry);
            }

            Attach(added);
        }
    }

    private void Drop(IReadOnlyList<Entry> left)
    {
        lock (access)
        {
            foreach (var entry in left)
            {
                var key = (entry.Batch.Partition, entry.Batch.WebhookId);
                entries.Remove((entry.Batch.Partition, entry.Delivery.Id));
                endpoints[key].Order.Remove(entry.Node!);
                if (endpoints[key].Order.Count == 0) endpoints.Remove(key);
            }
        }
    }

    private void Attach(IReadOnlyList<Entry> left)
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
                entry.Batch.Remaining.Add(entry);
                endpoint.Waiting++;
            }

            waiting += left.Count;
        }
    }

    private void Detach(IReadOnlyList<Entry> leaving)
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
                entry.Batch.Remaining.Remove(entry);
                endpoint.Waiting--;
            }

            waiting -= leaving.Count;
        }
    }

    /// <summary>Holds a delivery and the batch it was added with.</summary>
    public sealed class Entry(Delivery delivery, Batch batch)
    {
        public static IComparer<Entry> InLane { get; } = Comparer<Entry>.Create(
            (a, b) => a.Delivery.Version.CompareTo(b.Delivery.Version) is not 0 and var byVersion
                ? byVersion
                : string.CompareOrdinal(a.Delivery.EventId, b.Delivery.EventId));

        public Delivery Delivery => delivery;

        public Batch Batch => batch;

        public LinkedListNode<Entry>? Node { get; set; }

        /// <summary>Whether only readers see it, until its row is on disk.</summary>
        public bool IsLeaving { get; set; }
    }

    /// <summary>Stands for a row of the table: deliveries that were added together.</summary>
    public sealed class Batch(long id, long partition, string webhookId, long due)
    {
        public long Id => id;

        public long Partition => partition;

        public string WebhookId => webhookId;

        /// <summary>The time since which its deliveries are due, in ticks.</summary>
        public long Due => due;

        /// <summary>Number of deliveries in the row.</summary>
        public int RowCount { get; set; }

        /// <summary>Deliveries of the batch that have no row of their own.</summary>
        public HashSet<Entry> Remaining { get; } = [];
    }

    private sealed class Endpoint
    {
        /// <summary>Its entries, the one due for longest first, with those that are leaving.</summary>
        public LinkedList<Entry> Order { get; } = [];

        /// <summary>Its lanes by record, each by version, then event, without entries that are leaving.</summary>
        public Dictionary<string, List<Entry>> Lanes { get; } = new(StringComparer.Ordinal);

        /// <summary>Number of its entries that are not leaving.</summary>
        public int Waiting { get; set; }

        public bool IsHead(Entry entry) => Lanes.GetValueOrDefault(entry.Delivery.Lane.RecordId)?[0] == entry;
    }

    /// <summary>Form of a delivery in the JSON of its row. Stored by the names of its members.</summary>
    private sealed record Form(string Id, string Record, string Event, string Name, long Version, long CreatedAt)
    {
        public Delivery ToDelivery(string webhookId) =>
            new(Id, new Lane(webhookId, Record), Event, Name, Version, DeliveryStatus.Pending, [], StoredTime.FromTicks(CreatedAt));
    }
}
