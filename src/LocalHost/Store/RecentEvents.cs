using NodeStash.Core.Storage;

namespace NodeStash.LocalHost.Store;

/// <summary>
/// The events committed last, of a whole file: they are about to be sent, perhaps to many endpoints, and a snapshot of the file to read each from
/// costs more than all else does before the request. What is in here is on disk, too.
/// </summary>
internal sealed class RecentEvents
{
    /// <summary>Of bodies. More than is under way while receivers keep up: some 8,000 events.</summary>
    private const int MaxBytes = 8 << 20;

    private readonly Lock access = new();
    private readonly Dictionary<(Partition, string EventId), StoredEvent> events = [];
    private readonly Queue<(Partition, string EventId)> order = [];
    private int bytes;

    public void Add(Partition partition, IReadOnlyList<StoredEvent> committed)
    {
        if (committed.Count == 0) return;
        lock (access)
        {
            foreach (var happened in committed)
            {
                if (!events.TryAdd((partition, happened.Id), happened)) continue;
                order.Enqueue((partition, happened.Id));
                bytes += happened.Body.Length;
            }

            while (bytes > MaxBytes && order.TryDequeue(out var oldest) && events.Remove(oldest, out var happened)) bytes -= happened.Body.Length;
        }
    }

    /// <returns>Null where it was committed too long ago, or never.</returns>
    public StoredEvent? Find(Partition partition, string eventId)
    {
        lock (access) return events.GetValueOrDefault((partition, eventId));
    }
}
