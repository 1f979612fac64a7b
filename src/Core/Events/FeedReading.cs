using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Events;

/// <summary>Opens stores that are at least as new as the change feed.</summary>
public static class FeedReading
{
    /// <summary>
    /// Opens the store of a batch of events. The change feed may be ahead of a store that reads from several replicas, so it checks that the store
    /// finds the last event. The store then has all of them, and its later reads are not older.
    /// </summary>
    /// <param name="stores">The stores.</param>
    /// <param name="events">Events of one partition in the order of the feed; at least one.</param>
    /// <param name="now">The current time. The check is skipped for events older than half their retention, which may be gone.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="StoreUnavailableException">The store is behind the feed. Process the batch again later.</exception>
    public static async ValueTask<IWorkspaceStore> OpenAt(
        this IWorkspaceStores stores, IEnumerable<EventDocument> events, DateTimeOffset now, CancellationToken ct)
    {
        var last = events.Last();
        var store = stores.Open(Partition.Parse(last.PartitionKey));
        if (Ids.TimeOf(last.Id) > now - (StoredEvent.Retention / 2) && await store.FindEvent(last.Id, ct) is null)
            throw new StoreUnavailableException("The store is behind its change feed; process the batch again later.");
        return store;
    }
}
