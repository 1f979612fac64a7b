using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;

namespace NodeStash.Core.Search;

/// <summary>What a search over several types is asked for: the query string of <c>GET /v1/search</c>.</summary>
/// <param name="Text">What is searched for.</param>
/// <param name="Types">What to search, in the order of the catalogue; null where nothing is named.</param>
/// <param name="Limit">The most results.</param>
/// <param name="After">Where the page before ended; null for the first.</param>
public sealed record SearchAcross(string Text, IReadOnlyList<Schema>? Types, int Limit, Keyset? After)
{
    private const int DefaultLimit = 20;
    private static readonly string[] Known = ["q", "types", "limit", "cursor"];

    /// <summary>All that can be searched in a data set: what is built in, then the custom objects by slug.</summary>
    public static async ValueTask<IReadOnlyList<Schema>> AllOf(IWorkspaceStore store, CancellationToken ct) =>
        [.. Catalog.Searchable, .. (await CustomObject.All(store, ct)).Select(o => CustomRecord.Of(o.Slug))];

    /// <summary>Reads it, or says every fault.</summary>
    /// <param name="parameters">Names and values as given; a name given twice is a fault.</param>
    /// <param name="all">What can be searched.</param>
    public static Result<SearchAcross> Read(IReadOnlyList<KeyValuePair<string, string>> parameters, IReadOnlyList<Schema> all)
    {
        var (faults, seen) = (new Faults(), new HashSet<string>(StringComparer.Ordinal));
        var (text, types, limit, cursor) = ((string?)null, (IReadOnlyList<Schema>?)null, DefaultLimit, (string?)null);
        foreach (var (name, value) in parameters)
        {
            if (!seen.Add(name)) faults.Add(name, "Given twice");
            else if (name is "q") text = ListQuery.ReadText(name, value, faults);
            else if (name is "types") types = ReadTypes(value, all, faults);
            else if (name is "limit") limit = ListQuery.ReadLimit(value, faults);
            else if (name is "cursor") cursor = value;
            else faults.Add(name, Suggestion.Unknown("query parameter", name, Known));
        }

        if (!seen.Contains("q")) faults.Add("q", "Required: what to search for");
        var after = cursor is null || faults.Any ? null : Cursor.Read(cursor, Cursor.Fingerprint(SearchResult.Type, parameters), 3, faults);
        if (after is { Values: not [long, string, long] }) faults.Add("cursor", Cursor.Wrong);
        return faults.Any ? Error.Invalid(faults.All) : new SearchAcross(text!, types, limit, after);
    }

    public static string? NextCursor(IReadOnlyList<KeyValuePair<string, string>> parameters, Keyset? next) =>
        next is null ? null : Cursor.Write(next, Cursor.Fingerprint(SearchResult.Type, parameters));

    private static IReadOnlyList<Schema> ReadTypes(string value, IReadOnlyList<Schema> all, Faults faults)
    {
        var expected = $"expected of {string.Join(", ", Catalog.Searchable.Select(schema => schema.EventNoun))}, and slugs of custom objects";
        var named = value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (named.Length == 0) faults.Add("types", $"Nothing is named; {expected}");
        foreach (var name in named.Where(name => all.All(schema => schema.EventNoun != name))) faults.Add("types", $"'{name}' can't be searched; {expected}");
        return [.. all.Where(schema => named.Contains(schema.EventNoun))];
    }
}
