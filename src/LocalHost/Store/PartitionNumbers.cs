using System.Collections.Concurrent;
using NodeStash.Core.Storage;

namespace NodeStash.LocalHost.Store;

/// <summary>Maps partition keys to small integers, so that rows and indexes stay small. A number never changes.</summary>
internal sealed class PartitionNumbers
{
    private const string Select = "SELECT number FROM partitions WHERE key = ?1";

    private readonly ConcurrentDictionary<string, long> known = new(StringComparer.Ordinal);

    /// <summary>Finds the number of a partition; null if nothing was ever stored in it.</summary>
    public long? Find(Session reader, Partition partition)
    {
        if (known.TryGetValue(partition.Key, out var number)) return number;
        number = reader.One(Select, row => row.GetInt64(0), partition.Key);
        if (number == 0) return null;
        known.TryAdd(partition.Key, number);
        return number;
    }

    /// <summary>Finds or assigns the number. Does not cache a new one, because the transaction may be rolled back.</summary>
    public long Ensure(Session writer, Partition partition)
    {
        if (known.TryGetValue(partition.Key, out var number)) return number;
        number = writer.One(Select, row => row.GetInt64(0), partition.Key);
        return number != 0 ? number : writer.One("INSERT INTO partitions (key) VALUES (?1) RETURNING number", row => row.GetInt64(0), partition.Key);
    }
}
