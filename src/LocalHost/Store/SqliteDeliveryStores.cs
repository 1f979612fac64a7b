using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;

namespace NodeStash.LocalHost.Store;

/// <summary>The deliveries of all data sets, in one file. There is one for a file, as it keeps in memory what it alone changes (<see cref="UntriedDeliveries"/>).</summary>
/// <param name="database">Opened with <see cref="Schema.Open"/>.</param>
/// <param name="mostUntried">The most deliveries in memory, some 600 bytes each; an endpoint has a sixth of them, which is more than a receiver that keeps up has before it.</param>
public sealed class SqliteDeliveryStores(Database database, int mostUntried = 50_000) : IDeliveryStores
{
    private readonly PartitionNumbers numbers = new();
    private readonly UntriedDeliveries untried = new(database, mostUntried);

    public IDeliveryStore Open(Partition partition) => new SqliteDeliveryStore(database, partition, numbers, untried);

    /// <summary>Removes deliveries that were recorded before and are pending no more, the oldest first.</summary>
    /// <param name="olderThan">Deliveries recorded from then on stay.</param>
    /// <param name="most">The most to remove at a time, so that commits need not wait for long.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>How many were removed; fewer than <paramref name="most"/> means that none is left to remove.</returns>
    public async ValueTask<int> Purge(DateTimeOffset olderThan, int most, CancellationToken ct) => await database.Write(
        session => session.Execute(
            "DELETE FROM deliveries WHERE rowid IN (SELECT rowid FROM deliveries WHERE created_at < ?1 AND status <> ?2 ORDER BY rowid LIMIT ?3)",
            olderThan.UtcTicks, (long)DeliveryStatus.Pending, (long)most),
        ct);
}
