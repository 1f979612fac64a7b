using System.Collections.Concurrent;
using NodeStash.Core.Storage;

namespace NodeStash.LocalHost.Store;

/// <summary>Partition keys as small integers, so that rows and indexes stay small. A number never changes.</summary>
internal sealed class PartitionNumbers
{
    private const string Select = "SELECT number FROM partitions WHERE key = ?1";

    private readonly ConcurrentDictionary<string, long> known = new(StringComparer.Ordinal);

    /// <summary>The number as readers see it; null where nothing was ever stored in the partition.</summary>
    public long? Find(Session reader, Partition partition)
    {
        if (known.TryGetValue(partition.Key, out var number)) return number;
        number = reader.One(Select, row => row.GetInt64(0), partition.Key);
        if (number == 0) return null;
        known.TryAdd(partition.Key, number);
        return number;
    }

    /// <summary>The number, given out now if need be. Not remembered: the transaction may yet be rolled back.</summary>
    public long Ensure(Session writer, Partition partition)
    {
        if (known.TryGetValue(partition.Key, out var number)) return number;
        number = writer.One(Select, row => row.GetInt64(0), partition.Key);
        return number != 0 ? number : writer.One("INSERT INTO partitions (key) VALUES (?1) RETURNING number", row => row.GetInt64(0), partition.Key);
    }
}
