using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Resources;

/// <summary>What happened to a record and with it: its activities and its own change events in one stream, newest first.</summary>
public static class Timeline
{
    /// <summary>One page.</summary>
    /// <param name="store">The caller's environment.</param>
    /// <param name="link">The field of activities that points to the record.</param>
    /// <param name="id">The record, which exists.</param>
    /// <param name="place">Where the page before ended; null for the first.</param>
    /// <param name="limit">The most entries.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async ValueTask<TimelinePage> Read(IWorkspaceStore store, LinkField link, string id, Keyset? place, int limit, CancellationToken ct)
    {
        // A place holds the last activity and the last event shown, each where that stream goes on.
        var (createdAt, eventId, activityId) = (place?.Values[0] as string, place?.Values[1] as string, place?.Id);
        var order = new SortKey(new KeyPath(Activity.Schema.CreatedAt.Name), Descending: true);
        var after = createdAt is null ? null : new Keyset([createdAt], activityId!);
        var activities = await store.Query(new RecordQuery(Activity.Schema.Type, new Condition.Equal(new KeyPath(link.Name), id), [order], after, limit), ct);
        var events = await store.EventsOf(id, eventId, limit + 1, ct);

        // Each stream keeps its own order, which is what its place in the cursor means.
        var (merged, shownActivities, shownEvents) = (new List<TimelineEntry>(limit), 0, 0);
        while (merged.Count < limit && (shownActivities < activities.Records.Count || shownEvents < events.Count))
        {
            var activity = shownActivities < activities.Records.Count ? activities.Records[shownActivities] : null;
            var change = shownEvents < events.Count ? events[shownEvents] : null;
            if (change is null || (activity is not null && Ids.TimeOf(activity.Id) >= Ids.TimeOf(change.Id)))
                merged.Add(new TimelineEntry(Activity.Schema.Type, activity!.Id, activity.Attributes));
            else merged.Add(new TimelineEntry("event", change.Id, change.Body));
            if (merged[^1].Id == activity?.Id) shownActivities++;
            else shownEvents++;
        }

        var lastActivity = shownActivities > 0 ? activities.Records[shownActivities - 1] : null;
        var lastEvent = shownEvents > 0 ? events[shownEvents - 1] : null;
        var more = activities.Next is not null || activities.Records.Count + events.Count > merged.Count;
        var next = new Keyset(
            [lastActivity is null ? createdAt : Text.Format(Activity.Schema.CreatedAt.Of(Record.Load(Activity.Schema, lastActivity))!.Value),
                lastEvent?.Id ?? eventId],
            lastActivity?.Id ?? activityId ?? "");
        return new TimelinePage(merged, more ? next : null);
    }
}

/// <param name="Type"><c>activity</c> or <c>event</c>.</param>
/// <param name="Id">Its id.</param>
/// <param name="Attributes">As its own resource answers them, UTF-8 JSON.</param>
public sealed record TimelineEntry(string Type, string Id, ReadOnlyMemory<byte> Attributes);

/// <param name="Entries">Newest first.</param>
/// <param name="Next">Where the next page begins; null where this is the last.</param>
public sealed record TimelinePage(IReadOnlyList<TimelineEntry> Entries, Keyset? Next);
