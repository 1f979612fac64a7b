using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Events;

/// <summary>Reads what events of the change feed are about.</summary>
public static class FeedReading
{
    /// <summary>
    /// Opens the store of events that the change feed gave. The feed may be ahead of where a store is read that answers from several replicas; one
    /// that finds the last of the events is as far as all of them, and does not go back for whoever has seen that.
    /// </summary>
    /// <param name="stores">The stores.</param>
    /// <param name="events">Of one environment, in the feed's order; at least one.</param>
    /// <param name="now">Events that may have passed their time are not looked for.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="StoreUnavailableException">The store is behind: the batch is to be given again.</exception>
    public static async ValueTask<IWorkspaceStore> OpenAt(
        this IWorkspaceStores stores, IEnumerable<EventDocument> events, DateTimeOffset now, CancellationToken ct)
    {
        var last = events.Last();
        var store = stores.Open(Partition.Parse(last.PartitionKey));
        if (Ids.TimeOf(last.Id) > now - (StoredEvent.Retention / 2) && await store.FindEvent(last.Id, ct) is null)
            throw new StoreUnavailableException("The store is behind its change feed.");
        return store;
    }
}
