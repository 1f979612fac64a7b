using System.Collections.Concurrent;
using NodeStash.Core.Storage;

namespace NodeStash.LocalHost.Store;

/// <summary>
/// Opens the stores of all partitions of one file. Open one instance per file: its stores cache values in memory (<see cref="MemoizedValues"/>).
/// </summary>
/// <param name="database">Opened with <see cref="Schema.Open"/>.</param>
/// <param name="indexes">The indexes that the file was opened with.</param>
/// <param name="feed">Signalled after every commit with events.</param>
/// <param name="clock">Decides which events have expired.</param>
public sealed class SqliteStores(Database database, IReadOnlyCollection<RecordIndex> indexes, SqliteChangeFeed feed, TimeProvider clock) : IWorkspaceStores
{
    private readonly PartitionNumbers numbers = new();
    private readonly QueryTranslator translator = new(indexes);
    private readonly RecentEvents recent = new();
    private readonly ConcurrentDictionary<Partition, IWorkspaceStore> opened = new();

    public IWorkspaceStore Open(Partition partition, string? session = null) =>
        opened.GetOrAdd(partition, static (partition, stores) => stores.Make(partition), this);

    /// <summary>Lists every partition that was ever written to.</summary>
    public IReadOnlyList<Partition> All() =>
        database.ReadOne(session => session.All("SELECT key FROM partitions ORDER BY number", row => Partition.Parse(row.GetString(0))));

    /// <summary>Removes expired answers, the oldest first.</summary>
    /// <param name="max">Maximum number removed, so that commits do not wait long.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>The number removed; fewer than <paramref name="max"/> means that none is left.</returns>
    public async ValueTask<int> PurgeAnswers(int max, CancellationToken ct) => await database.Write(
        session => session.Execute(
            "DELETE FROM answers WHERE (partition, key) IN (SELECT partition, key FROM answers WHERE at <= ?1 ORDER BY at LIMIT ?2)",
            (clock.GetUtcNow() - StoredAnswer.Retention).UtcTicks, (long)max),
        ct);

    private SqliteWorkspaceStore Make(Partition partition) => new(database, partition, numbers, translator, recent, feed, clock);
}
