using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;

namespace NodeStash.Core.Search;

/// <summary>What a search over several types is asked for: the query string of <c>GET /v1/search</c>.</summary>
/// <param name="Text">What is searched for.</param>
/// <param name="Types">Of records, in the order of the catalogue; null where none are named.</param>
/// <param name="Limit">The most results.</param>
/// <param name="After">Where the page before ended; null for the first.</param>
public sealed record SearchAcross(string Text, IReadOnlyList<string>? Types, int Limit, Keyset? After)
{
    private const int DefaultLimit = 20;
    private static readonly string[] Known = ["q", "types", "limit", "cursor"];
    private static readonly IReadOnlyList<string> AllTypes = [.. Catalog.Searchable.Select(schema => schema.Type)];

    /// <summary>Reads it, or says every fault.</summary>
    /// <param name="parameters">Names and values as given; a name given twice is a fault.</param>
    public static Result<SearchAcross> Read(IReadOnlyList<KeyValuePair<string, string>> parameters)
    {
        var (faults, seen) = (new Faults(), new HashSet<string>(StringComparer.Ordinal));
        var (text, types, limit, cursor) = ((string?)null, (IReadOnlyList<string>?)null, DefaultLimit, (string?)null);
        foreach (var (name, value) in parameters)
        {
            if (!seen.Add(name)) faults.Add(name, "Given twice");
            else if (name is "q") text = ListQuery.ReadText(name, value, faults);
            else if (name is "types") types = ReadTypes(value, faults);
            else if (name is "limit") limit = ListQuery.ReadLimit(value, faults);
            else if (name is "cursor") cursor = value;
            else faults.Add(name, Suggestion.Unknown("query parameter", name, Known));
        }

        if (!seen.Contains("q")) faults.Add("q", "Required: what to search for");
        var after = cursor is null || faults.Any ? null : Cursor.Read(cursor, Cursor.Fingerprint(SearchResult.Type, parameters), 3, faults);
        if (after is { Values: not [long, string, long] }) faults.Add("cursor", Cursor.Wrong);
        return faults.Any ? Error.Invalid(faults.All) : new SearchAcross(text!, types, limit, after);
    }

    /// <summary>The types to search for a caller who may read some: those named, or all it may read.</summary>
    public IReadOnlyList<string> TypesFor(Func<string, bool> mayRead) => Types ?? [.. AllTypes.Where(mayRead)];

    public static string? NextCursor(IReadOnlyList<KeyValuePair<string, string>> parameters, Keyset? next) =>
        next is null ? null : Cursor.Write(next, Cursor.Fingerprint(SearchResult.Type, parameters));

    private static IReadOnlyList<string> ReadTypes(string value, Faults faults)
    {
        var named = value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (named.Length == 0) faults.Add("types", $"Expected a comma list of {string.Join(", ", AllTypes)}");
        foreach (var name in named.Where(name => !AllTypes.Contains(name))) faults.Add("types", $"'{name}' can't be searched; expected of {string.Join(", ", AllTypes)}");
        return [.. AllTypes.Where(named.Contains)];
    }
}
