using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;

namespace NodeStash.LocalHost.Store;

/// <summary>The deliveries of all data sets, in one file. There is one for a file, as it keeps in memory what it alone changes (<see cref="UntriedDeliveries"/>).</summary>
/// <param name="database">Opened with <see cref="Schema.Open"/>.</param>
/// <param name="maxBuffered">The most deliveries in memory, some 600 bytes each; an endpoint has a sixth of them, which is more than a receiver that keeps up has before it.</param>
public sealed class SqliteDeliveryStores(Database database, int maxBuffered = 50_000) : IDeliveryStores
{
    /// <summary>What is to be removed, from a place on (?1, ?2): ids are of the time of the event, and nothing is recorded before that.</summary>
    public const string Past =
        """
        SELECT d.partition, d.id FROM partitions p CROSS JOIN deliveries d ON d.partition = p.number
        WHERE p.number >= ?1 AND d.id > iif(p.number = ?1, ?2, '') AND d.id < ?3 AND d.created_at < ?4 AND d.status <> 0 ORDER BY p.number, d.id LIMIT ?5
        """;

    private readonly PartitionNumbers numbers = new();
    private readonly UntriedDeliveries untried = new(database, maxBuffered);

    /// <summary>Where the purge goes on, so that it does not go by all that stays each time.</summary>
    private (long Partition, string Id) place = (0, "");

    public IDeliveryStore Open(Partition partition) => new SqliteDeliveryStore(database, partition, numbers, untried);

    /// <summary>Removes deliveries that were recorded before and are pending no more, of each data set the oldest first.</summary>
    /// <param name="olderThan">Deliveries recorded from then on stay.</param>
    /// <param name="most">The most to remove at a time, so that commits need not wait for long.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>How many were removed; fewer than <paramref name="most"/> means that none is left to remove.</returns>
    public async ValueTask<int> Purge(DateTimeOffset olderThan, int most, CancellationToken ct)
    {
        var (removed, end) = (0, Ids.FirstAt(DeliveryLog.Prefix, olderThan));
        while (removed < most)
        {
            // Looked for beside the writer, whom it costs nothing, however much stays before it.
            var past = database.ReadOne(session => session.All(
                Past, row => (Partition: row.GetInt64(0), Id: row.GetString(1)), place.Partition, place.Id, end, olderThan.UtcTicks, (long)(most - removed)));
            if (past.Count == 0 && place.Partition == 0) break;
            place = past.Count == 0 ? (0, "") : past[^1];
            if (past.Count > 0)
                removed += await database.Write(
                    session => past.Sum(each => session.Execute("DELETE FROM deliveries WHERE partition = ?1 AND id = ?2 AND status <> 0", each.Partition, each.Id)), ct);
        }

        return removed;
    }
}
