using System.Text.Json;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;

namespace NodeStash.LocalHost.Store;

/// <summary>The deliveries of one data set in the file.</summary>
internal sealed class SqliteDeliveryStore(Database database, Partition partition, PartitionNumbers numbers) : IDeliveryStore
{
    private const string Columns = "id, webhook, record, event, event_name, version, status, attempts, created_at";

    public Partition Partition => partition;

    public async ValueTask Add(IReadOnlyCollection<Delivery> deliveries, CancellationToken ct) => await database.Write(
        session =>
        {
            var number = numbers.Ensure(session, partition);
            foreach (var delivery in deliveries)
            {
                session.Execute(
                    $"INSERT INTO deliveries (partition, {Columns}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (partition, id) DO NOTHING",
                    number, delivery.Id, delivery.Lane.WebhookId, delivery.Lane.RecordId, delivery.EventId, delivery.EventName, delivery.Version,
                    (long)delivery.Status, JsonSerializer.Serialize(delivery.Attempts), delivery.CreatedAt.UtcTicks);
            }

            return deliveries.Count;
        },
        ct);

    public async ValueTask<LaneHead> Next(Lane lane, string holder, DateTimeOffset now, DateTimeOffset until, CancellationToken ct) => await database.Write(
        session =>
        {
            var number = numbers.Ensure(session, partition);
            if (IsHeldByAnother(session, number, lane, holder, now)) return new LaneHead(LaneState.Held);
            if (Head(session, number, lane) is not { } head)
            {
                session.Execute("DELETE FROM lanes WHERE partition = ?1 AND webhook = ?2 AND record = ?3", number, lane.WebhookId, lane.RecordId);
                return new LaneHead(LaneState.Empty);
            }

            session.Execute(
                "INSERT OR REPLACE INTO lanes (partition, webhook, record, holder, until) VALUES (?1, ?2, ?3, ?4, ?5)",
                number, lane.WebhookId, lane.RecordId, holder, until.UtcTicks);
            return new LaneHead(LaneState.Ready, head);
        },
        ct);

    public async ValueTask Attempted(string deliveryId, DeliveryAttempt attempt, DeliveryStatus status, CancellationToken ct) => await database.Write(
        session =>
        {
            var number = numbers.Ensure(session, partition);
            if (One(session, number, deliveryId) is not { } delivery || delivery.Attempts.Any(known => known.Number == attempt.Number)) return false;

            // What was settled while the attempt was under way stays settled, unless the attempt delivered it after all.
            var next = delivery.Status is DeliveryStatus.Pending || status is DeliveryStatus.Delivered ? status : delivery.Status;
            session.Execute(
                "UPDATE deliveries SET attempts = ?3, status = ?4 WHERE partition = ?1 AND id = ?2",
                number, deliveryId, JsonSerializer.Serialize(delivery.Attempts.Append(attempt).OrderBy(each => each.Number)), (long)next);
            return true;
        },
        ct);

    public async ValueTask<int> Settle(string webhookId, DeliveryStatus status, DateTimeOffset asOf, CancellationToken ct) => await database.Write(
        session =>
        {
            var number = numbers.Ensure(session, partition);
            var settled = session.Execute(
                "UPDATE deliveries SET status = ?3 WHERE partition = ?1 AND webhook = ?2 AND status = 0 AND created_at <= ?4", number, webhookId, (long)status, asOf.UtcTicks);
            session.Execute(
                """
                DELETE FROM lanes WHERE partition = ?1 AND webhook = ?2 AND NOT EXISTS (
                    SELECT 1 FROM deliveries AS d WHERE d.partition = ?1 AND d.webhook = ?2 AND d.record = lanes.record AND d.status = 0)
                """,
                number, webhookId);
            return settled;
        },
        ct);

    public ValueTask<Delivery?> Find(string deliveryId, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return new(database.Read(session => numbers.Find(session, partition) is { } number ? One(session, number, deliveryId) : null));
    }

    public ValueTask<IReadOnlyList<Delivery>> List(string webhookId, DeliveryStatus? status, string? before, int limit, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return new(database.Read<IReadOnlyList<Delivery>>(session => numbers.Find(session, partition) is not { } number ? [] : session.All(
            $"""
            SELECT {Columns} FROM deliveries
            WHERE partition = ?1 AND webhook = ?2 AND (?3 IS NULL OR status = ?3) AND (?4 IS NULL OR id < ?4) ORDER BY id DESC LIMIT ?5
            """,
            Delivery, number, webhookId, (long?)status, before, (long)limit)));
    }

    private static bool IsHeldByAnother(Session session, long number, Lane lane, string holder, DateTimeOffset now) => session.One(
        "SELECT 1 FROM lanes WHERE partition = ?1 AND webhook = ?2 AND record = ?3 AND holder <> ?4 AND until >= ?5",
        static _ => true, number, lane.WebhookId, lane.RecordId, holder, now.UtcTicks);

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
        Ticks.ToTime(row.GetInt64(8)));
}
