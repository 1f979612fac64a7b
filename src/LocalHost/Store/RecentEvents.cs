using NodeStash.Core.Storage;

namespace NodeStash.LocalHost.Store;

/// <summary>
/// Keeps the latest committed events of the file in memory. They are about to be sent, perhaps to many endpoints, and reading each from a snapshot of the
/// file would be the largest cost before the request. All of them are on disk, too.
/// </summary>
internal sealed class RecentEvents
{
    /// <summary>Maximum size of the bodies: some 8,000 events, more than are in flight while receivers keep up.</summary>
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
            foreach (var @event in committed)
            {
                if (!events.TryAdd((partition, @event.Id), @event)) continue;
                order.Enqueue((partition, @event.Id));
                bytes += @event.Body.Length;
            }

            while (bytes > MaxBytes && order.TryDequeue(out var oldest) && events.Remove(oldest, out var @event)) bytes -= @event.Body.Length;
        }
    }

    /// <summary>Finds an event; null if it is not among the latest.</summary>
    public StoredEvent? Find(Partition partition, string eventId)
    {
        lock (access) return events.GetValueOrDefault((partition, eventId));
    }
}
