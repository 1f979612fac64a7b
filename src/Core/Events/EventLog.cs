using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;

namespace NodeStash.Core.Events;

/// <summary>Reads the query string of the event log: type, record_id, created_at[gte], limit, cursor.</summary>
public static class EventLog
{
    private const string Resource = "event";
    private const string Limit = "limit";
    private static readonly TimeField CreatedAt = new("created_at[gte]");
    private static readonly string[] Known = ["type", "record_id", CreatedAt.Name, Limit, "cursor"];

    public static Result<EventQuery> Read(IReadOnlyList<KeyValuePair<string, string>> parameters)
    {
        var faults = new Faults();
        var (query, cursor, seen) = (new EventQuery(null, 20), (string?)null, new HashSet<string>(StringComparer.Ordinal));
        foreach (var (name, text) in parameters)
        {
            if (!seen.Add(name)) faults.Add(name, "Given twice");
            else if (name is "type" && (EventPattern.Fault(text) ?? (text.Contains('*', StringComparison.Ordinal) ? "Expected one event, such as contact.created" : null)) is { } fault) faults.Add(name, fault);
            else if (name is "type") query = query with { Name = text };
            else if (name is "record_id" && !Ids.IsAnyId(text)) faults.Add(name, $"Expected an id: a prefix such as ct_ and {Ids.Length} letters or digits");
            else if (name is "record_id") query = query with { RecordId = text };
            else if (name is "cursor") cursor = text;
            else if (name == CreatedAt.Name && Text.TryTime(text, out var from)) query = query with { From = from };
            else if (name == CreatedAt.Name) CreatedAt.ReadKey(text, name, faults);
            else if (name == Limit) query = query with { Limit = ListQuery.ReadLimit(text, faults) };
            else faults.Add(name, Suggestion.Unknown("query parameter", name, Known));
        }

        if (cursor is not null && !faults.Any && Cursor.Read(cursor, Cursor.Fingerprint(Resource, parameters), 1, faults) is { Values: [string position] })
            query = query with { After = position };
        return faults.Any ? Error.Invalid(faults.All) : query;
    }

    /// <summary>Where to read on, also from the end of the log: what is committed later comes after it. Null only where nothing was ever read.</summary>
    public static string? NextCursor(IReadOnlyList<KeyValuePair<string, string>> parameters, EventPage page) =>
        page.Position is null ? null : Cursor.Write(new Keyset([page.Position], ""), Cursor.Fingerprint(Resource, parameters));
}
