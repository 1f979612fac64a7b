using System.Text.Json;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;

namespace NodeStash.LocalHost.Store;

/// <summary>
/// Stores the deliveries of one partition in the file. Deliveries without an attempt are in <see cref="PendingBuffer"/> at first. A lane with any other
/// pending delivery has all of them in <c>deliveries</c>, and a row in <c>lanes</c>.
/// </summary>
internal sealed class SqliteDeliveryStore(Database database, Partition partition, PartitionNumbers numbers, PendingBuffer buffer) : IDeliveryStore
{
    private const string Columns = "id, webhook, record, event, event_name, version, status, attempts, created_at, attempts_before";

    /// <summary>Maximum number of deliveries finalized in one transaction.</summary>
    private const int MaxFinalized = 500;

    public Partition Partition => partition;

    public async ValueTask Add(IReadOnlyCollection<Delivery> deliveries, DateTimeOffset now, CancellationToken ct) => await database.Write(
        session =>
        {
            var number = numbers.Ensure(session, partition);
            foreach (var ofEndpoint in deliveries.GroupBy(each => each.Lane.WebhookId, StringComparer.Ordinal))
                Add(session, number, ofEndpoint.Key, [.. ofEndpoint.DistinctBy(each => each.Id)], now);
            return deliveries.Count;
        },
        ct);

    public ValueTask<Worker?> GetWorker(string webhookId, DateTimeOffset now, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return new(database.Read(session => numbers.Find(session, partition) is { } number ? FindWorker(session, number, webhookId, now) : null));
    }

    public async ValueTask Release(string webhookId, string holder, CancellationToken ct) => await database.Write(
        session => session.Execute(
            "UPDATE endpoints SET holder = NULL WHERE partition = ?1 AND webhook = ?2 AND holder = ?3", numbers.Ensure(session, partition), webhookId, holder),
        ct);

    public async ValueTask<DueDeliveries> AcquireDue(string webhookId, string holder, DateTimeOffset now, DateTimeOffset until, int limit, CancellationToken ct)
    {
        var (state, next) = await database.Write(session => StoreWorker(session, webhookId, holder, now, until), ct);
        if (state is WorkState.Due) return new DueDeliveries(WorkState.Due, [.. ReadHeads(webhookId, now.UtcTicks, limit).Select(each => each.Head)]);
        if (state is not WorkState.Waits) return new DueDeliveries(state, []);
        if (ReadHeads(webhookId, next, 1) is not [var (_, head), ..]) return new DueDeliveries(WorkState.Due, []);
        return new DueDeliveries(WorkState.Waits, [], (head, StoredTime.FromTicks(next)));
    }

    public async ValueTask<IReadOnlyList<RecordedAttempt>> RecordAttempts(
        string webhookId, IReadOnlyList<FinishedAttempt> attempts, CancellationToken ct) => await database.Write(
        session =>
        {
            var number = numbers.Ensure(session, partition);
            var (run, recorded) = (FindRun(session, number, webhookId), new List<RecordedAttempt>(attempts.Count));
            foreach (var finished in attempts) recorded.Add(RecordAttempt(session, number, finished, ref run));
            return recorded;
        },
        ct);

    public async ValueTask Defer(
        IReadOnlyCollection<(string DeliveryId, int Number)> attempts, DateTimeOffset until, CancellationToken ct) => await database.Write(
        session =>
        {
            var number = numbers.Ensure(session, partition);
            foreach (var (id, attempt) in attempts)
            {
                if (buffer.Find(number, id) is { } entry) MoveToRows(session, number, entry.Delivery.Lane);
                if (FindRow(session, number, id) is not { Status: DeliveryStatus.Pending } delivery || delivery.NextAttempt > attempt) continue;
                session.Execute(
                    "UPDATE lanes SET due = ?4, under_way = 1 WHERE partition = ?1 AND webhook = ?2 AND record = ?3",
                    number, delivery.Lane.WebhookId, delivery.Lane.RecordId, until.UtcTicks);
            }

            return attempts.Count;
        },
        ct);

    public async ValueTask<int> Reopen(
        IReadOnlyCollection<string> deliveryIds, IReadOnlyCollection<DeliveryStatus> statuses, DateTimeOffset now, CancellationToken ct) =>
        await database.Write(
        session =>
        {
            var (number, dueAlready, reopened) = (numbers.Ensure(session, partition), 0, new Dictionary<string, Lane>(StringComparer.Ordinal));
            foreach (var id in deliveryIds.Distinct(StringComparer.Ordinal))
            {
                if (buffer.Find(number, id) is not null)
                {
                    if (statuses.Contains(DeliveryStatus.Pending)) dueAlready++;
                    continue;
                }

                if (FindRow(session, number, id) is not { } delivery || !statuses.Contains(delivery.Status)) continue;
                session.Execute(
                    "UPDATE deliveries SET status = 0, attempts_before = ?3 WHERE partition = ?1 AND id = ?2", number, id, delivery.NextAttempt - 1L);
                reopened[id] = delivery.Lane;
            }

            foreach (var lane in reopened.Values.Distinct())
            {
                MoveToRows(session, number, lane);
                Enqueue(session, number, lane, now);
                if (reopened.ContainsKey(FindHeadInRows(session, number, lane)!.Id))
                {
                    session.Execute(
                        "UPDATE lanes SET due = ?4 WHERE partition = ?1 AND webhook = ?2 AND record = ?3 AND under_way = 0",
                        number, lane.WebhookId, lane.RecordId, now.UtcTicks);
                }
            }

            return dueAlready + reopened.Count;
        },
        ct);

    public async ValueTask<int> Finalize(string webhookId, DeliveryStatus status, DateTimeOffset asOf, CancellationToken ct)
    {
        // A backlog may be long, and commits wait for each piece of work. If this is interrupted, the worker finalizes the rest: it reads the endpoint.
        var finalized = 0;
        for (PendingPosition? next = new PendingPosition("", 0, ""); next is { } from;)
        {
            (var some, next) = await database.Write(session => FinalizePortion(session, webhookId, status, asOf, from), ct);
            finalized += some;
        }

        return finalized;
    }

    public ValueTask<Delivery?> Find(string deliveryId, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return new(FindNumber() is { } number ? buffer.Peek(number, deliveryId) ?? database.ReadOne(session => FindRow(session, number, deliveryId)) : null);
    }

    public ValueTask<IReadOnlyList<Delivery>> List(string webhookId, DeliveryStatus? status, string? before, int limit, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        if (FindNumber() is not { } number) return new([]);
        var waiting = status is null or DeliveryStatus.Pending
            ? buffer.PeekAll(number, webhookId).Where(each => before is null || string.CompareOrdinal(each.Id, before) < 0)
            : [];
        var others = database.ReadOne(session => session.All(
            $"""
            SELECT {Columns} FROM deliveries
            WHERE partition = ?1 AND webhook = ?2 AND (?3 IS NULL OR status = ?3) AND (?4 IS NULL OR id < ?4) ORDER BY id DESC LIMIT ?5
            """,
            ReadDelivery, number, webhookId, (long?)status, before, (long)limit));
        var all = others.Concat(waiting).DistinctBy(each => each.Id, StringComparer.Ordinal);
        return new([.. all.OrderByDescending(each => each.Id, StringComparer.Ordinal).Take(limit)]);
    }

    public ValueTask<IReadOnlyList<Delivery>> ListFailed(string webhookId, string after, int limit, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return new(database.Read<IReadOnlyList<Delivery>>(session => numbers.Find(session, partition) is not { } number ? [] : session.All(
            $"SELECT {Columns} FROM deliveries WHERE partition = ?1 AND webhook = ?2 AND id > ?3 AND status = ?4 ORDER BY id LIMIT ?5",
            ReadDelivery, number, webhookId, after, (long)DeliveryStatus.Failed, (long)limit)));
    }

    /// <summary>Stores the worker of an endpoint as awake or asleep, or releases it if nothing is pending.</summary>
    /// <returns>The state of the endpoint, and when the first of its lanes is due, in ticks.</returns>
    private (WorkState State, long Next) StoreWorker(Session session, string webhookId, string holder, DateTimeOffset now, DateTimeOffset until)
    {
        var number = numbers.Ensure(session, partition);
        if (FindWorker(session, number, webhookId, now) is { } worker && worker.Holder != holder) return (WorkState.Held, default);
        var isBuffered = buffer.Any(number, webhookId);
        var next = session.One(
            "SELECT min(due) FROM lanes WHERE partition = ?1 AND webhook = ?2", row => row.IsNull(0) ? (long?)null : row.GetInt64(0), number, webhookId);
        if (next is null && !isBuffered)
        {
            session.Execute("DELETE FROM endpoints WHERE partition = ?1 AND webhook = ?2 AND failing_since IS NULL", number, webhookId);
            session.Execute("UPDATE endpoints SET holder = NULL WHERE partition = ?1 AND webhook = ?2", number, webhookId);
            return (WorkState.Empty, default);
        }

        var waits = !isBuffered && next > now.UtcTicks;
        session.Execute(
            """
            INSERT INTO endpoints (partition, webhook, holder, until, asleep) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT (partition, webhook) DO UPDATE SET holder = excluded.holder, until = excluded.until, asleep = excluded.asleep
            """,
            number, webhookId, holder, waits ? next + (until - now).Ticks : until.UtcTicks, waits ? 1L : 0L);
        return (waits ? WorkState.Waits : WorkState.Due, next ?? default);
    }

    private long? FindNumber() => database.ReadOne(session => numbers.Find(session, partition));

    /// <summary>Reads the oldest pending delivery of each lane that is due by then, and the time since which it is due, in ticks.</summary>
    private IReadOnlyList<(long Due, Delivery Head)> ReadHeads(string webhookId, long due, int limit)
    {
        if (FindNumber() is not { } number) return [];
        var heads = buffer.ListHeads(number, webhookId, limit);
        var others = database.ReadOne(session => session.All(
            $"""
            SELECT {string.Join(", ", Columns.Split(", ").Select(column => "d." + column))}, l.due
            FROM (SELECT record, due FROM lanes WHERE partition = ?1 AND webhook = ?2 AND due <= ?3 ORDER BY due LIMIT ?4) AS l
            JOIN deliveries AS d ON d.rowid = (
                SELECT rowid FROM deliveries WHERE partition = ?1 AND webhook = ?2 AND record = l.record AND status = 0 ORDER BY version, event LIMIT 1)
            ORDER BY l.due
            """,
            row => (Due: row.GetInt64(10), Head: ReadDelivery(row)), number, webhookId, due, (long)limit));
        return others.Count == 0 ? heads : [.. others.Concat(heads).OrderBy(each => each.Due).Take(limit)];
    }

    /// <summary>Adds those deliveries to one endpoint that are not stored yet.</summary>
    private void Add(Session session, long number, string webhookId, IReadOnlyList<Delivery> deliveries, DateTimeOffset now)
    {
        // Ids are ordered by time, so most new ones are above all ids in rows. All are looked up before a lane moves to rows, which adds higher ids there.
        var last = session.One(
            "SELECT max(id) FROM deliveries WHERE partition = ?1 AND webhook = ?2", row => row.IsNull(0) ? "" : row.GetString(0), number, webhookId);
        Delivery[] unknown = [.. deliveries.Where(
            each => buffer.Find(number, each.Id) is null && (string.CompareOrdinal(each.Id, last) > 0 || FindRow(session, number, each.Id) is null))];
        var hasRoom = buffer.HasRoom(number, webhookId, unknown.Length);
        while (hasRoom && buffer.FindOverflow(unknown.Length) is [_, ..] overflow) MoveToRows(session, overflow);

        // Most endpoints have no lane in rows.
        var hasLanes = session.One("SELECT 1 FROM lanes WHERE partition = ?1 AND webhook = ?2", static _ => true, number, webhookId);
        var together = new List<Delivery>(unknown.Length);
        foreach (var delivery in unknown.OrderBy(CanBuffer))
        {
            if (hasRoom && CanBuffer(delivery) && !(hasLanes && HasLaneRow(session, number, delivery.Lane)))
            {
                together.Add(delivery);
                continue;
            }

            MoveToRows(session, number, delivery.Lane);
            InsertRow(session, number, delivery, now);
            hasLanes = true;
        }

        if (together.Count > 0) buffer.Add(session, number, webhookId, together, now);
    }

    /// <summary>Moves the pending deliveries of a lane from the buffer to rows.</summary>
    private void MoveToRows(Session session, long number, Lane lane) => MoveToRows(session, buffer.List(number, lane));

    private void MoveToRows(Session session, IReadOnlyList<PendingBuffer.Entry> entries)
    {
        if (entries.Count == 0) return;
        foreach (var entry in entries) InsertRow(session, entry.Batch.Partition, entry.Delivery, StoredTime.FromTicks(entry.Batch.Due));
        buffer.Remove(session, entries);
    }

    /// <summary>Finalizes a portion of an endpoint's pending deliveries: first those in memory, then those in rows, from a position on.</summary>
    /// <returns>The number finalized, and the position to continue from; null if none is left.</returns>
    private (int Count, PendingPosition? Next) FinalizePortion(
        Session session, string webhookId, DeliveryStatus status, DateTimeOffset asOf, PendingPosition from)
    {
        var number = numbers.Ensure(session, partition);
        session.Execute("UPDATE endpoints SET failing_since = NULL, failed_at = NULL WHERE partition = ?1 AND webhook = ?2", number, webhookId);
        PendingBuffer.Entry[] inMemory = [.. buffer.List(number, webhookId).Where(each => each.Delivery.CreatedAt <= asOf).Take(MaxFinalized)];
        if (inMemory.Length > 0)
        {
            foreach (var entry in inMemory) Insert(session, number, entry.Delivery with { Status = status });
            buffer.Remove(session, inMemory);
            return (inMemory.Length, from);
        }

        var pending = session.All(
            """
            SELECT record, version, event, rowid, created_at FROM deliveries
            WHERE partition = ?1 AND webhook = ?2 AND status = 0 AND (record, version, event) > (?3, ?4, ?5) ORDER BY record, version, event LIMIT ?6
            """,
            row => (
                Position: new PendingPosition(row.GetString(0), row.GetInt64(1), row.GetString(2)),
                Row: row.GetInt64(3),
                IsIncluded: row.GetInt64(4) <= asOf.UtcTicks),
            number, webhookId, from.RecordId, from.Version, from.EventId, (long)MaxFinalized);
        foreach (var (_, row, _) in pending.Where(each => each.IsIncluded))
            session.Execute("UPDATE deliveries SET status = ?2 WHERE rowid = ?1", row, (long)status);
        foreach (var lane in pending.Select(each => new Lane(webhookId, each.Position.RecordId)).Distinct())
        {
            // Deliveries that are left were added since: the endpoint was enabled again, and they need not wait for the finalized ones.
            if (FindHeadInRows(session, number, lane) is null)
            {
                Dequeue(session, number, lane);
                continue;
            }

            session.Execute(
                "UPDATE lanes SET due = min(due, ?4) WHERE partition = ?1 AND webhook = ?2 AND record = ?3 AND under_way = 0",
                number, webhookId, lane.RecordId, asOf.UtcTicks);
        }

        return (pending.Count(each => each.IsIncluded), pending.Count < MaxFinalized ? null : pending[^1].Position);
    }

    private RecordedAttempt RecordAttempt(Session session, long number, FinishedAttempt finished, ref FailureRun? run)
    {
        var attempt = finished.Attempt;
        if (buffer.Find(number, finished.DeliveryId) is { } entry)
        {
            if (finished.Status is not DeliveryStatus.Pending)
            {
                Insert(session, number, entry.Delivery with { Attempts = [attempt], Status = finished.Status });
                buffer.Remove(session, entry);
                run = RecordRun(session, number, entry.Delivery.Lane.WebhookId, run, attempt);
                return new RecordedAttempt(buffer.FindHead(number, entry.Delivery.Lane), run?.Since);
            }

            MoveToRows(session, number, entry.Delivery.Lane);
        }

        if (FindRow(session, number, finished.DeliveryId) is not { } delivery) return default;
        if (delivery.Attempts.Any(known => known.Number == attempt.Number)) return new RecordedAttempt(FindHead(session, number, delivery.Lane), run?.Since);

        // A delivery that was finalized while the attempt was in flight keeps its status, unless the attempt delivered it.
        var next = delivery.Status is DeliveryStatus.Pending || finished.Status is DeliveryStatus.Delivered ? finished.Status : delivery.Status;
        var attempts = delivery.Attempts.Append(attempt).OrderBy(each => each.Number).TakeLast(DeliveryAttempt.MaxKept).ToArray();
        session.Execute(
            "UPDATE deliveries SET attempts = ?3, status = ?4 WHERE partition = ?1 AND id = ?2",
            number, delivery.Id, JsonSerializer.Serialize(attempts), (long)next);

        var head = FindHead(session, number, delivery.Lane);
        if (head is null) Dequeue(session, number, delivery.Lane);
        else
            session.Execute(
                "UPDATE lanes SET due = ?4, under_way = 0 WHERE partition = ?1 AND webhook = ?2 AND record = ?3",
                number, delivery.Lane.WebhookId, delivery.Lane.RecordId, finished.Due.UtcTicks);
        run = RecordRun(session, number, delivery.Lane.WebhookId, run, attempt);
        return new RecordedAttempt(head, run?.Since);
    }

    /// <summary>Finds the oldest pending delivery of a lane, in memory or in rows. It is in memory, too, if all in rows were final when it was added.</summary>
    private Delivery? FindHead(Session session, long number, Lane lane) => buffer.FindHead(number, lane) ?? FindHeadInRows(session, number, lane);

    private static void InsertRow(Session session, long number, Delivery delivery, DateTimeOffset due)
    {
        Insert(session, number, delivery);
        if (delivery.Status is DeliveryStatus.Pending) Enqueue(session, number, delivery.Lane, due);
    }

    private static void Insert(Session session, long number, Delivery delivery) => session.Execute(
        $"INSERT INTO deliveries (partition, {Columns}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        number, delivery.Id, delivery.Lane.WebhookId, delivery.Lane.RecordId, delivery.EventId, delivery.EventName, delivery.Version,
        (long)delivery.Status, JsonSerializer.Serialize(delivery.Attempts), delivery.CreatedAt.UtcTicks, (long)delivery.AttemptsBefore);

    private static bool CanBuffer(Delivery delivery) => delivery is { Status: DeliveryStatus.Pending, Attempts: [], AttemptsBefore: 0 };

    private static bool HasLaneRow(Session session, long number, Lane lane) => session.One(
        "SELECT 1 FROM lanes WHERE partition = ?1 AND webhook = ?2 AND record = ?3", static _ => true, number, lane.WebhookId, lane.RecordId);

    private static void Enqueue(Session session, long number, Lane lane, DateTimeOffset now) => session.Execute(
        "INSERT INTO lanes (partition, webhook, record, due, under_way) VALUES (?1, ?2, ?3, ?4, 0) ON CONFLICT DO NOTHING",
        number, lane.WebhookId, lane.RecordId, now.UtcTicks);

    private static void Dequeue(Session session, long number, Lane lane) => session.Execute(
        "DELETE FROM lanes WHERE partition = ?1 AND webhook = ?2 AND record = ?3", number, lane.WebhookId, lane.RecordId);

    private static Worker? FindWorker(Session session, long number, string webhookId, DateTimeOffset now) => session.One(
        "SELECT holder, asleep FROM endpoints WHERE partition = ?1 AND webhook = ?2 AND holder IS NOT NULL AND until >= ?3",
        row => new Worker(row.GetString(0), row.GetBoolean(1)), number, webhookId, now.UtcTicks);

    private static FailureRun? FindRun(Session session, long number, string webhookId) => session.One(
        "SELECT failing_since, failed_at FROM endpoints WHERE partition = ?1 AND webhook = ?2 AND failing_since IS NOT NULL",
        row => (FailureRun?)new FailureRun(StoredTime.FromTicks(row.GetInt64(0)), StoredTime.FromTicks(row.GetInt64(1))), number, webhookId);

    /// <summary>Records in the endpoint's run of failures how an attempt ended, and returns the run; null for none.</summary>
    private static FailureRun? RecordRun(Session session, long number, string webhookId, FailureRun? before, DeliveryAttempt attempt)
    {
        var run = FailureRun.AfterAttempt(before, attempt);
        if (run == before) return run;
        session.Execute(
            """
            INSERT INTO endpoints (partition, webhook, until, asleep, failing_since, failed_at) VALUES (?1, ?2, 0, 0, ?3, ?4)
            ON CONFLICT (partition, webhook) DO UPDATE SET failing_since = excluded.failing_since, failed_at = excluded.failed_at
            """,
            number, webhookId, run?.Since.UtcTicks, run?.Last.UtcTicks);
        return run;
    }

    private static Delivery? FindHeadInRows(Session session, long number, Lane lane) => session.One(
        $"SELECT {Columns} FROM deliveries WHERE partition = ?1 AND webhook = ?2 AND record = ?3 AND status = 0 ORDER BY version, event LIMIT 1",
        ReadDelivery, number, lane.WebhookId, lane.RecordId);

    private static Delivery? FindRow(Session session, long number, string id) =>
        session.One($"SELECT {Columns} FROM deliveries WHERE partition = ?1 AND id = ?2", ReadDelivery, number, id);

    private static Delivery ReadDelivery(Row row) => new(
        row.GetString(0),
        new Lane(row.GetString(1), row.GetString(2)),
        row.GetString(3),
        row.GetString(4),
        row.GetInt64(5),
        (DeliveryStatus)row.GetInt32(6),
        JsonSerializer.Deserialize<DeliveryAttempt[]>(row.GetString(7))!,
        StoredTime.FromTicks(row.GetInt64(8)),
        row.GetInt32(9));

    /// <summary>Position of a pending delivery among those of its endpoint.</summary>
    private sealed record PendingPosition(string RecordId, long Version, string EventId);
}
