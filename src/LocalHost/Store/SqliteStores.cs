using System.Collections.Concurrent;
using NodeStash.Core.Storage;

namespace NodeStash.LocalHost.Store;

/// <summary>
/// The partitions of all workspaces, in one file. There is one for a file, as its stores keep what they alone change (<see cref="MemoizedValues"/>).
/// </summary>
/// <param name="database">Opened with <see cref="Schema.Open"/>.</param>
/// <param name="indexes">Those it was opened with.</param>
/// <param name="feed">Told of every commit with events.</param>
/// <param name="clock">Decides which events have passed their time.</param>
public sealed class SqliteStores(Database database, IReadOnlyCollection<RecordIndex> indexes, SqliteChangeFeed feed, TimeProvider clock) : IWorkspaceStores
{
    private readonly PartitionNumbers numbers = new();
    private readonly QueryTranslator translator = new(indexes);
    private readonly RecentEvents recent = new();
    private readonly ConcurrentDictionary<Partition, IWorkspaceStore> opened = new();

    public IWorkspaceStore Open(Partition partition, string? session = null) =>
        opened.GetOrAdd(partition, static (partition, stores) => stores.Make(partition), this);

    /// <summary>Every partition that something was ever stored in.</summary>
    public IReadOnlyList<Partition> All() =>
        database.ReadOne(session => session.All("SELECT key FROM partitions ORDER BY number", row => Partition.Parse(row.GetString(0))));

    /// <summary>Removes answers that have passed their time, the oldest first.</summary>
    /// <param name="max">The most to remove at a time, so that commits need not wait for long.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>How many were removed; fewer than <paramref name="max"/> means that none is left to remove.</returns>
    public async ValueTask<int> PurgeAnswers(int max, CancellationToken ct) => await database.Write(
        session => session.Execute(
            "DELETE FROM answers WHERE (partition, key) IN (SELECT partition, key FROM answers WHERE at <= ?1 ORDER BY at LIMIT ?2)",
            (clock.GetUtcNow() - StoredAnswer.Retention).UtcTicks, (long)max),
        ct);

    private SqliteWorkspaceStore Make(Partition partition) => new(database, partition, numbers, translator, recent, feed, clock);
}
