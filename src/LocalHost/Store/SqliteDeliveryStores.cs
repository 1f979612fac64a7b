using NodeStash.Core.Storage;
using NodeStash.Core.Values;
using NodeStash.Core.Webhooks;

namespace NodeStash.LocalHost.Store;

/// <summary>
/// Opens the delivery stores of all partitions of one file. Open one instance per file: it keeps deliveries in memory (<see cref="PendingBuffer"/>).
/// </summary>
/// <param name="database">Opened with <see cref="Schema.Open"/>.</param>
/// <param name="maxBuffered">
/// The most deliveries in memory, some 600 bytes each. One endpoint may have a sixth of them, which is more than a receiver that keeps up has pending.
/// </param>
public sealed class SqliteDeliveryStores(Database database, int maxBuffered = 50_000) : IDeliveryStores
{
    /// <summary>Finds deliveries to purge after a position (?1, ?2). Ids are ordered by the event's time, and no delivery is added before its event.</summary>
    public const string ExpiredQuery =
        """
        SELECT d.partition, d.id FROM partitions p CROSS JOIN deliveries d ON d.partition = p.number
        WHERE p.number >= ?1 AND d.id > iif(p.number = ?1, ?2, '') AND d.id < ?3 AND d.created_at < ?4 AND d.status <> 0 ORDER BY p.number, d.id LIMIT ?5
        """;

    private readonly PartitionNumbers numbers = new();
    private readonly PendingBuffer buffer = new(database, maxBuffered);

    /// <summary>Position where the next purge continues, so that it does not read all remaining deliveries again.</summary>
    private (long Partition, string Id) purgePosition = (0, "");

    /// <inheritdoc/>
    public IDeliveryStore Open(Partition partition) => new SqliteDeliveryStore(database, partition, numbers, buffer);

    /// <summary>Removes old deliveries that are no longer pending, partition by partition, the oldest first.</summary>
    /// <param name="olderThan">Deliveries added from then on stay.</param>
    /// <param name="limit">The most deliveries to remove, so that commits do not wait for long.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>The number removed; fewer than <paramref name="limit"/> means that none is left.</returns>
    public async ValueTask<int> Purge(DateTimeOffset olderThan, int limit, CancellationToken ct)
    {
        var (removed, end) = (0, Ids.FirstAt(DeliveryLog.Prefix, olderThan));
        while (removed < limit)
        {
            // The query runs beside the writer and costs it nothing, however many deliveries stay.
            var expired = database.ReadOne(session => session.All(
                ExpiredQuery, row => (Partition: row.GetInt64(0), Id: row.GetString(1)),
                purgePosition.Partition, purgePosition.Id, end, olderThan.UtcTicks, (long)(limit - removed)));
            if (expired.Count == 0 && purgePosition.Partition == 0) break;
            purgePosition = expired.Count == 0 ? (0, "") : expired[^1];
            if (expired.Count > 0)
            {
                const string delete = "DELETE FROM deliveries WHERE partition = ?1 AND id = ?2 AND status <> 0";
                removed += await database.Write(session => expired.Sum(each => session.Execute(delete, each.Partition, each.Id)), ct);
            }
        }

        return removed;
    }
}
