using System.Globalization;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;

namespace NodeStash.Core.Records;

/// <summary>What a list is asked for.</summary>
/// <param name="Query">The records; its order does not count, and its place is that of a search, where they come by relevance.</param>
/// <param name="Search">The text they are to match; null for none.</param>
/// <param name="IsByRelevance">Whether the best match comes first.</param>
public sealed record ListRequest(RecordQuery Query, string? Search, bool IsByRelevance);

/// <summary>Reads the query string of a list: limit, cursor, sort, search, and the filters the schema has (contract/v1.md, Common rules).</summary>
public static class ListQuery
{
    public const int MaxLimit = 100;

    private const int MostSortKeys = 10;

    private const string Search = "search";

    private static readonly string[] Common = ["limit", "cursor", "sort", .. View.Parameters];

    /// <summary>The query, or every fault of its parameters.</summary>
    /// <param name="schema">Of which resource.</param>
    /// <param name="parameters">Names and values as given; a name given twice is a fault.</param>
    public static Result<ListRequest> Read(Schema schema, IReadOnlyList<KeyValuePair<string, string>> parameters)
    {
        var faults = new Faults();
        var filters = new List<Condition>();
        var (limit, sort, cursor, search) = (schema.DefaultLimit, (string?)null, (string?)null, (string?)null);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, text) in parameters)
        {
            if (!seen.Add(name)) faults.Add(name, "Given twice");
            else if (name is Search && schema.Searchables.Count > 0) search = ReadText(name, text, faults);
            else if (text.Contains('\0', StringComparison.Ordinal)) faults.Add(name, "Contains a NUL character");
            else if (name is "limit") limit = ReadLimit(text, faults);
            else if (name is "sort") sort = text;
            else if (name is "cursor") cursor = text;
            else if (View.Parameters.Contains(name)) continue;
            else if (Filters.Read(schema, name, text, faults) is { } filter) filters.Add(filter);
            else if (!faults.Of(name)) faults.Add(name, Suggestion.Unknown("query parameter", name, Known(schema)));
        }

        var (order, isByRelevance) = (ReadSort(schema, sort ?? "-created_at", faults), search is not null && sort is null);
        Condition where = filters.Count == 1 ? filters[0] : new Condition.All(filters);
        var after = cursor is null || faults.Any ? null : Cursor.Read(cursor, Cursor.Fingerprint(schema.Type, parameters), isByRelevance ? 2 : order.Count, faults);
        if (isByRelevance && after is { Values: not [long, long] }) faults.Add("cursor", Cursor.Wrong);
        return faults.Any ? Error.Invalid(faults.All) : new ListRequest(new RecordQuery(schema.Type, where, order, after, limit), search, isByRelevance);
    }

    /// <summary>The types of records that filters look at through a link: the caller needs the right to read each.</summary>
    public static IEnumerable<string> RelatedTypes(Schema schema, IReadOnlyList<KeyValuePair<string, string>> parameters) =>
        parameters.Select(p => Filters.LinkOf(schema, p.Key)?.TargetType).OfType<string>().Distinct();

    /// <summary>The cursor of the next page; null where this is the last.</summary>
    public static string? NextCursor(Schema schema, IReadOnlyList<KeyValuePair<string, string>> parameters, RecordPage page) =>
        page.Next is null ? null : Cursor.Write(page.Next, Cursor.Fingerprint(schema.Type, parameters));

    /// <summary>What is to be searched for; with a fault added where there is nothing, or too much. Nothing in it is syntax.</summary>
    internal static string ReadText(string name, string text, Faults faults)
    {
        if (string.IsNullOrWhiteSpace(text)) faults.Add(name, "Must not be empty");
        else if (text.Length > ISearchIndex.LongestText && text.EnumerateRunes().Count() > ISearchIndex.LongestText) faults.Add(name, $"At most {ISearchIndex.LongestText} characters");
        return text;
    }

    /// <summary>From 1 to 100; with a fault added, 1.</summary>
    internal static int ReadLimit(string text, Faults faults)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is >= 1 and <= MaxLimit) return limit;
        faults.Add("limit", $"Expected a whole number from 1 to {MaxLimit}");
        return 1;
    }

    private static List<Storage.SortKey> ReadSort(Schema schema, string text, Faults faults)
    {
        var keys = new List<Storage.SortKey>();
        foreach (var part in text.Split(','))
        {
            var (name, descending) = part.StartsWith('-') ? (part[1..], true) : (part, false);
            var path = schema.Find(name) is { IsSortable: true } ? new KeyPath(name) : Filters.CustomFieldPath(schema, name);
            if (path is not { } known) faults.Add("sort", $"'{name}' can't be sorted by; expected of {string.Join(", ", schema.Fields.Where(f => f.IsSortable).Select(f => f.Name))}");
            else if (keys.Exists(k => k.Path == known)) faults.Add("sort", $"'{name}' given twice");
            else keys.Add(new Storage.SortKey(known, descending));
        }

        if (keys.Count > MostSortKeys) faults.Add("sort", $"At most {MostSortKeys} keys");
        return keys;
    }

    private static IEnumerable<string> Known(Schema schema) =>
        [.. Common, .. schema.Searchables.Count > 0 ? [Search] : Array.Empty<string>(), .. schema.Fields.Where(f => f.HasKey && f is not MapField).Select(f => f.Name), .. schema.ExtraFilters.Select(f => f.Name)];
}
