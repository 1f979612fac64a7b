using System.Text.Json;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;

namespace NodeStash.LocalHost.Store;

/// <summary>
/// The deliveries of one data set in the file. Those that nothing was attempted of are in <see cref="UntriedDeliveries"/> at first; a lane that has something else pending has all of it
/// in <c>deliveries</c>, and a row in <c>lanes</c>.
/// </summary>
internal sealed class SqliteDeliveryStore(Database database, Partition partition, PartitionNumbers numbers, UntriedDeliveries untried) : IDeliveryStore
{
    private const string Columns = "id, webhook, record, event, event_name, version, status, attempts, created_at, attempts_before";

    /// <summary>The most deliveries settled in one piece of work.</summary>
    private const int MostSettled = 500;

    public Partition Partition => partition;

    public async ValueTask Add(IReadOnlyCollection<Delivery> deliveries, DateTimeOffset now, CancellationToken ct) => await database.Write(
        session =>
        {
            var number = numbers.Ensure(session, partition);
            foreach (var ofEndpoint in deliveries.GroupBy(each => each.Lane.WebhookId, StringComparer.Ordinal)) Add(session, number, ofEndpoint.Key, [.. ofEndpoint.DistinctBy(each => each.Id)], now);
            return deliveries.Count;
        },
        ct);

    public ValueTask<Worker?> GetWorker(string webhookId, DateTimeOffset now, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return new(database.Read(session => numbers.Find(session, partition) is { } number ? FindWorker(session, number, webhookId, now) : null));
    }

    public async ValueTask Release(string webhookId, string holder, CancellationToken ct) => await database.Write(
        session => session.Execute("UPDATE endpoints SET holder = NULL WHERE partition = ?1 AND webhook = ?2 AND holder = ?3", numbers.Ensure(session, partition), webhookId, holder), ct);

    public async ValueTask<DueDeliveries> AcquireDue(string webhookId, string holder, DateTimeOffset now, DateTimeOffset until, int limit, CancellationToken ct)
    {
        var due = await database.Write(
            session =>
            {
                var number = numbers.Ensure(session, partition);
                if (FindWorker(session, number, webhookId, now) is { } worker && worker.Holder != holder) return (WorkState.Held, default(long));
                var isUntried = untried.Any(number, webhookId);
                var next = session.One("SELECT min(due) FROM lanes WHERE partition = ?1 AND webhook = ?2", row => row.IsNull(0) ? (long?)null : row.GetInt64(0), number, webhookId);
                if (next is null && !isUntried)
                {
                    session.Execute("DELETE FROM endpoints WHERE partition = ?1 AND webhook = ?2 AND failing_since IS NULL", number, webhookId);
                    session.Execute("UPDATE endpoints SET holder = NULL WHERE partition = ?1 AND webhook = ?2", number, webhookId);
                    return (WorkState.Empty, default(long));
                }

                var waits = !isUntried && next > now.UtcTicks;
                session.Execute(
                    """
                    INSERT INTO endpoints (partition, webhook, holder, until, asleep) VALUES (?1, ?2, ?3, ?4, ?5)
                    ON CONFLICT (partition, webhook) DO UPDATE SET holder = excluded.holder, until = excluded.until, asleep = excluded.asleep
                    """,
                    number, webhookId, holder, waits ? next + (until - now).Ticks : until.UtcTicks, waits ? 1L : 0L);
                return (waits ? WorkState.Waits : WorkState.Due, next ?? default);
            },
            ct);
        return due switch
        {
            (WorkState.Due, _) => new DueDeliveries(WorkState.Due, [.. Heads(webhookId, now.UtcTicks, limit).Select(each => each.Head)]),
            (WorkState.Waits, var next) => Heads(webhookId, next, 1) is [var (_, head), ..] ? new DueDeliveries(WorkState.Waits, [], (head, Ticks.ToTime(next))) : new DueDeliveries(WorkState.Due, []),
            var (state, _) => new DueDeliveries(state, []),
        };
    }

    public async ValueTask<IReadOnlyList<RecordedAttempt>> RecordAttempts(string webhookId, IReadOnlyList<FinishedAttempt> attempts, CancellationToken ct) => await database.Write(
        session =>
        {
            var number = numbers.Ensure(session, partition);
            var (run, noted) = (FindRun(session, number, webhookId), new List<RecordedAttempt>(attempts.Count));
            foreach (var made in attempts) noted.Add(RecordAttempt(session, number, made, ref run));
            return noted;
        },
        ct);

    public async ValueTask Defer(IReadOnlyCollection<(string DeliveryId, int Number)> attempts, DateTimeOffset until, CancellationToken ct) => await database.Write(
        session =>
        {
            var number = numbers.Ensure(session, partition);
            foreach (var (id, attempt) in attempts)
            {
                if (untried.Find(number, id) is { } entry) PutInRows(session, number, entry.Delivery.Lane);
                if (One(session, number, id) is not { Status: DeliveryStatus.Pending } delivery || delivery.NextAttempt > attempt) continue;
                session.Execute(
                    "UPDATE lanes SET due = ?4, under_way = 1 WHERE partition = ?1 AND webhook = ?2 AND record = ?3",
                    number, delivery.Lane.WebhookId, delivery.Lane.RecordId, until.UtcTicks);
            }

            return attempts.Count;
        },
        ct);

    public async ValueTask<int> Reopen(IReadOnlyCollection<string> deliveryIds, IReadOnlyCollection<DeliveryStatus> statuses, DateTimeOffset now, CancellationToken ct) => await database.Write(
        session =>
        {
            var (number, dueAlready, reopened) = (numbers.Ensure(session, partition), 0, new Dictionary<string, Lane>(StringComparer.Ordinal));
            foreach (var id in deliveryIds.Distinct(StringComparer.Ordinal))
            {
                if (untried.Find(number, id) is not null)
                {
                    if (statuses.Contains(DeliveryStatus.Pending)) dueAlready++;
                    continue;
                }

                if (One(session, number, id) is not { } delivery || !statuses.Contains(delivery.Status)) continue;
                session.Execute("UPDATE deliveries SET status = 0, attempts_before = ?3 WHERE partition = ?1 AND id = ?2", number, id, delivery.NextAttempt - 1L);
                reopened[id] = delivery.Lane;
            }

            foreach (var lane in reopened.Values.Distinct())
            {
                PutInRows(session, number, lane);
                Enqueue(session, number, lane, now);
                if (reopened.ContainsKey(Head(session, number, lane)!.Id))
                    session.Execute("UPDATE lanes SET due = ?4 WHERE partition = ?1 AND webhook = ?2 AND record = ?3 AND under_way = 0", number, lane.WebhookId, lane.RecordId, now.UtcTicks);
            }

            return dueAlready + reopened.Count;
        },
        ct);

    public async ValueTask<int> Finalize(string webhookId, DeliveryStatus status, DateTimeOffset asOf, CancellationToken ct)
    {
        // A backlog may be long, and commits wait for each piece of work. What is left should this break off is settled by the worker, which looks at the endpoint.
        var settled = 0;
        for (Place? next = new Place("", 0, ""); next is { } from;)
        {
            (var some, next) = await database.Write(session => Finalize(session, webhookId, status, asOf, from), ct);
            settled += some;
        }

        return settled;
    }

    public ValueTask<Delivery?> Find(string deliveryId, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return new(Number() is { } number ? untried.See(number, deliveryId) ?? database.ReadOne(session => One(session, number, deliveryId)) : null);
    }

    public ValueTask<IReadOnlyList<Delivery>> List(string webhookId, DeliveryStatus? status, string? before, int limit, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        if (Number() is not { } number) return new([]);
        var waiting = status is null or DeliveryStatus.Pending ? untried.SeeAll(number, webhookId).Where(each => before is null || string.CompareOrdinal(each.Id, before) < 0) : [];
        var others = database.ReadOne(session => session.All(
            $"""
            SELECT {Columns} FROM deliveries
            WHERE partition = ?1 AND webhook = ?2 AND (?3 IS NULL OR status = ?3) AND (?4 IS NULL OR id < ?4) ORDER BY id DESC LIMIT ?5
            """,
            Delivery, number, webhookId, (long?)status, before, (long)limit));
        return new([.. others.Concat(waiting).DistinctBy(each => each.Id, StringComparer.Ordinal).OrderByDescending(each => each.Id, StringComparer.Ordinal).Take(limit)]);
    }

    public ValueTask<IReadOnlyList<Delivery>> ListFailed(string webhookId, string after, int limit, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return new(database.Read<IReadOnlyList<Delivery>>(session => numbers.Find(session, partition) is not { } number ? [] : session.All(
            $"SELECT {Columns} FROM deliveries WHERE partition = ?1 AND webhook = ?2 AND id > ?3 AND status = ?4 ORDER BY id LIMIT ?5",
            Delivery, number, webhookId, after, (long)DeliveryStatus.Failed, (long)limit)));
    }

    private long? Number() => database.ReadOne(session => numbers.Find(session, partition));

    /// <summary>The oldest pending delivery of each lane that is due by then, and since when it is.</summary>
    private IReadOnlyList<(long Due, Delivery Head)> Heads(string webhookId, long due, int limit)
    {
        if (Number() is not { } number) return [];
        var heads = untried.Heads(number, webhookId, limit);
        var others = database.ReadOne(session => session.All(
            $"""
            SELECT {string.Join(", ", Columns.Split(", ").Select(column => "d." + column))}, l.due
            FROM (SELECT record, due FROM lanes WHERE partition = ?1 AND webhook = ?2 AND due <= ?3 ORDER BY due LIMIT ?4) AS l
            JOIN deliveries AS d ON d.rowid = (
                SELECT rowid FROM deliveries WHERE partition = ?1 AND webhook = ?2 AND record = l.record AND status = 0 ORDER BY version, event LIMIT 1) ORDER BY l.due
            """,
            row => (Due: row.GetInt64(10), Head: Delivery(row)), number, webhookId, due, (long)limit));
        return others.Count == 0 ? heads : [.. others.Concat(heads).OrderBy(each => each.Due).Take(limit)];
    }

    /// <summary>Records those deliveries to one endpoint that are not recorded yet.</summary>
    private void Add(Session session, long number, string webhookId, IReadOnlyList<Delivery> deliveries, DateTimeOffset now)
    {
        // Ids are ordered by time: most are of a later time than all that have a row. All are looked for before any lane is put in rows, which adds later ones there.
        var last = session.One("SELECT max(id) FROM deliveries WHERE partition = ?1 AND webhook = ?2", row => row.IsNull(0) ? "" : row.GetString(0), number, webhookId);
        Delivery[] unknown = [.. deliveries.Where(each => untried.Find(number, each.Id) is null && (string.CompareOrdinal(each.Id, last) > 0 || One(session, number, each.Id) is null))];
        var hasRoom = untried.HasRoom(number, webhookId, unknown.Length);
        while (hasRoom && untried.InTheWay(unknown.Length) is [_, ..] crowding) PutInRows(session, crowding);

        // Most endpoints have no lane with rows.
        var hasLanes = session.One("SELECT 1 FROM lanes WHERE partition = ?1 AND webhook = ?2", static _ => true, number, webhookId);
        var together = new List<Delivery>(unknown.Length);
        foreach (var delivery in unknown.OrderBy(IsUntried))
        {
            if (hasRoom && IsUntried(delivery) && !(hasLanes && HasRow(session, number, delivery.Lane)))
            {
                together.Add(delivery);
                continue;
            }

            PutInRows(session, number, delivery.Lane);
            AddRow(session, number, delivery, now);
            hasLanes = true;
        }

        if (together.Count > 0) untried.Add(session, number, webhookId, together, now);
    }

    /// <summary>Puts what is pending in a lane where all of a lane can stand.</summary>
    private void PutInRows(Session session, long number, Lane lane) => PutInRows(session, untried.Of(number, lane));

    private void PutInRows(Session session, IReadOnlyList<UntriedDeliveries.Entry> entries)
    {
        if (entries.Count == 0) return;
        foreach (var entry in entries) AddRow(session, entry.Batch.Partition, entry.Delivery, Ticks.ToTime(entry.Batch.Due));
        untried.Remove(session, entries);
    }

    /// <summary>Settles a portion of an endpoint's pending deliveries: of those in memory first, then of those in rows, from a place on.</summary>
    /// <returns>How many, and where to go on; null where all have been looked at.</returns>
    private (int Settled, Place? Next) Finalize(Session session, string webhookId, DeliveryStatus status, DateTimeOffset asOf, Place from)
    {
        var number = numbers.Ensure(session, partition);
        session.Execute("UPDATE endpoints SET failing_since = NULL, failed_at = NULL WHERE partition = ?1 AND webhook = ?2", number, webhookId);
        UntriedDeliveries.Entry[] inMemory = [.. untried.Of(number, webhookId).Where(each => each.Delivery.CreatedAt <= asOf).Take(MostSettled)];
        if (inMemory.Length > 0)
        {
            foreach (var entry in inMemory) Insert(session, number, entry.Delivery with { Status = status });
            untried.Remove(session, inMemory);
            return (inMemory.Length, from);
        }

        var pending = session.All(
            """
            SELECT record, version, event, rowid, created_at FROM deliveries
            WHERE partition = ?1 AND webhook = ?2 AND status = 0 AND (record, version, event) > (?3, ?4, ?5) ORDER BY record, version, event LIMIT ?6
            """,
            row => (Place: new Place(row.GetString(0), row.GetInt64(1), row.GetString(2)), Row: row.GetInt64(3), IsMeant: row.GetInt64(4) <= asOf.UtcTicks),
            number, webhookId, from.RecordId, from.Version, from.EventId, (long)MostSettled);
        foreach (var (_, row, _) in pending.Where(each => each.IsMeant)) session.Execute("UPDATE deliveries SET status = ?2 WHERE rowid = ?1", row, (long)status);
        foreach (var lane in pending.Select(each => new Lane(webhookId, each.Place.RecordId)).Distinct())
        {
            // What is left was recorded since: the endpoint was enabled again, and nobody waits for what was given up.
            if (Head(session, number, lane) is null) Dequeue(session, number, lane);
            else
                session.Execute(
                    "UPDATE lanes SET due = min(due, ?4) WHERE partition = ?1 AND webhook = ?2 AND record = ?3 AND under_way = 0", number, webhookId, lane.RecordId, asOf.UtcTicks);
        }

        return (pending.Count(each => each.IsMeant), pending.Count < MostSettled ? null : pending[^1].Place);
    }

    private RecordedAttempt RecordAttempt(Session session, long number, FinishedAttempt made, ref FailureRun? run)
    {
        var attempt = made.Attempt;
        if (untried.Find(number, made.DeliveryId) is { } entry)
        {
            if (made.Status is not DeliveryStatus.Pending)
            {
                Insert(session, number, entry.Delivery with { Attempts = [attempt], Status = made.Status });
                untried.Remove(session, entry);
                run = Note(session, number, entry.Delivery.Lane.WebhookId, run, attempt);
                return new RecordedAttempt(untried.Head(number, entry.Delivery.Lane), run?.Since);
            }

            PutInRows(session, number, entry.Delivery.Lane);
        }

        if (One(session, number, made.DeliveryId) is not { } delivery) return default;
        if (delivery.Attempts.Any(known => known.Number == attempt.Number)) return new RecordedAttempt(Next(session, number, delivery.Lane), run?.Since);

        // What was settled while the attempt was under way stays settled, unless the attempt delivered it after all.
        var next = delivery.Status is DeliveryStatus.Pending || made.Status is DeliveryStatus.Delivered ? made.Status : delivery.Status;
        var attempts = delivery.Attempts.Append(attempt).OrderBy(each => each.Number).TakeLast(DeliveryAttempt.MaxKept).ToArray();
        session.Execute("UPDATE deliveries SET attempts = ?3, status = ?4 WHERE partition = ?1 AND id = ?2", number, delivery.Id, JsonSerializer.Serialize(attempts), (long)next);

        var head = Next(session, number, delivery.Lane);
        if (head is null) Dequeue(session, number, delivery.Lane);
        else
            session.Execute(
                "UPDATE lanes SET due = ?4, under_way = 0 WHERE partition = ?1 AND webhook = ?2 AND record = ?3",
                number, delivery.Lane.WebhookId, delivery.Lane.RecordId, made.Due.UtcTicks);
        run = Note(session, number, delivery.Lane.WebhookId, run, attempt);
        return new RecordedAttempt(head, run?.Since);
    }

    /// <summary>The oldest pending delivery of a lane, wherever it stands: in memory too, where what has a row was settled before more was recorded.</summary>
    private Delivery? Next(Session session, long number, Lane lane) => untried.Head(number, lane) ?? Head(session, number, lane);

    private static void AddRow(Session session, long number, Delivery delivery, DateTimeOffset due)
    {
        Insert(session, number, delivery);
        if (delivery.Status is DeliveryStatus.Pending) Enqueue(session, number, delivery.Lane, due);
    }

    private static void Insert(Session session, long number, Delivery delivery) => session.Execute(
        $"INSERT INTO deliveries (partition, {Columns}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        number, delivery.Id, delivery.Lane.WebhookId, delivery.Lane.RecordId, delivery.EventId, delivery.EventName, delivery.Version,
        (long)delivery.Status, JsonSerializer.Serialize(delivery.Attempts), delivery.CreatedAt.UtcTicks, (long)delivery.AttemptsBefore);

    private static bool IsUntried(Delivery delivery) => delivery is { Status: DeliveryStatus.Pending, Attempts: [], AttemptsBefore: 0 };

    private static bool HasRow(Session session, long number, Lane lane) => session.One(
        "SELECT 1 FROM lanes WHERE partition = ?1 AND webhook = ?2 AND record = ?3", static _ => true, number, lane.WebhookId, lane.RecordId);

    private static void Enqueue(Session session, long number, Lane lane, DateTimeOffset now) => session.Execute(
        "INSERT INTO lanes (partition, webhook, record, due, under_way) VALUES (?1, ?2, ?3, ?4, 0) ON CONFLICT DO NOTHING", number, lane.WebhookId, lane.RecordId, now.UtcTicks);

    private static void Dequeue(Session session, long number, Lane lane) => session.Execute(
        "DELETE FROM lanes WHERE partition = ?1 AND webhook = ?2 AND record = ?3", number, lane.WebhookId, lane.RecordId);

    private static Worker? FindWorker(Session session, long number, string webhookId, DateTimeOffset now) => session.One(
        "SELECT holder, asleep FROM endpoints WHERE partition = ?1 AND webhook = ?2 AND holder IS NOT NULL AND until >= ?3",
        row => new Worker(row.GetString(0), row.GetBoolean(1)), number, webhookId, now.UtcTicks);

    private static FailureRun? FindRun(Session session, long number, string webhookId) => session.One(
        "SELECT failing_since, failed_at FROM endpoints WHERE partition = ?1 AND webhook = ?2 AND failing_since IS NOT NULL",
        row => (FailureRun?)new FailureRun(Ticks.ToTime(row.GetInt64(0)), Ticks.ToTime(row.GetInt64(1))), number, webhookId);

    /// <summary>Notes what an attempt says of its endpoint; answers the failures that it has now.</summary>
    private static FailureRun? Note(Session session, long number, string webhookId, FailureRun? before, DeliveryAttempt attempt)
    {
        FailureRun? run = attempt.Outcome switch
        {
            AttemptOutcome.Delivered => null,
            AttemptOutcome.Expired => before,
            _ => FailureRun.After(before, attempt.At),
        };
        if (run == before) return run;
        session.Execute(
            """
            INSERT INTO endpoints (partition, webhook, until, asleep, failing_since, failed_at) VALUES (?1, ?2, 0, 0, ?3, ?4)
            ON CONFLICT (partition, webhook) DO UPDATE SET failing_since = excluded.failing_since, failed_at = excluded.failed_at
            """,
            number, webhookId, run?.Since.UtcTicks, run?.Last.UtcTicks);
        return run;
    }

    private static Delivery? Head(Session session, long number, Lane lane) => session.One(
        $"SELECT {Columns} FROM deliveries WHERE partition = ?1 AND webhook = ?2 AND record = ?3 AND status = 0 ORDER BY version, event LIMIT 1",
        Delivery, number, lane.WebhookId, lane.RecordId);

    private static Delivery? One(Session session, long number, string id) =>
        session.One($"SELECT {Columns} FROM deliveries WHERE partition = ?1 AND id = ?2", Delivery, number, id);

    private static Delivery Delivery(Row row) => new(
        row.GetString(0),
        new Lane(row.GetString(1), row.GetString(2)),
        row.GetString(3),
        row.GetString(4),
        row.GetInt64(5),
        (DeliveryStatus)row.GetInt32(6),
        JsonSerializer.Deserialize<DeliveryAttempt[]>(row.GetString(7))!,
        Ticks.ToTime(row.GetInt64(8)),
        row.GetInt32(9));

    /// <summary>Of a pending delivery among those of its endpoint.</summary>
    private sealed record Place(string RecordId, long Version, string EventId);
}
