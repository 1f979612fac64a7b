using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Resources;

/// <summary>Merges the activities of a record and its change events into one stream, newest first.</summary>
public static class Timeline
{
    /// <summary>Reads one page of the timeline of a record.</summary>
    /// <param name="store">The store of the caller.</param>
    /// <param name="link">The field of activities that links to the record.</param>
    /// <param name="id">The id of the record, which must exist.</param>
    /// <param name="place">The <see cref="TimelinePage.Next"/> of the page before; null for the first page.</param>
    /// <param name="limit">The most entries to return.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async ValueTask<TimelinePage> Read(IWorkspaceStore store, LinkField link, string id, Keyset? place, int limit, CancellationToken ct)
    {
        // A place holds the last activity and the last event shown: each stream continues after its own.
        var (createdAt, eventId, activityId) = (place?.Values[0] as string, place?.Values[1] as string, place?.Id);
        var order = new SortKey(new KeyPath(Activity.Schema.CreatedAt.Name), Descending: true);
        var after = createdAt is null ? null : new Keyset([createdAt], activityId!);
        var activities = await store.Query(new RecordQuery(Activity.Schema.Type, new Condition.Equal(new KeyPath(link.Name), id), [order], after, limit), ct);
        var events = await store.EventsOf(id, eventId, limit + 1, ct);

        // Each stream keeps its own order, so that its place in the cursor stays valid.
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

/// <summary>Holds an activity or an event of a timeline.</summary>
/// <param name="Type"><c>activity</c> or <c>event</c>.</param>
/// <param name="Id">The id of the activity or event.</param>
/// <param name="Attributes">The attributes as its own resource answers them, as UTF-8 JSON; of an event, the whole event.</param>
public sealed record TimelineEntry(string Type, string Id, ReadOnlyMemory<byte> Attributes);

/// <summary>Holds one page of a timeline.</summary>
/// <param name="Entries">The entries, newest first.</param>
/// <param name="Next">Where the next page begins; null if this is the last.</param>
public sealed record TimelinePage(IReadOnlyList<TimelineEntry> Entries, Keyset? Next);
