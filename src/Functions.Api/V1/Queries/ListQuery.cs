using NodeStash.Core.Records;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1.Queries;

/// <summary>Declares the parameters of a list and reads them into a query of the engine. docs/api/v1.md, Lists.</summary>
internal static class ListQuery
{
    private const int MaxSortKeys = 10;

    private static readonly Facets text = new(JsonType.String);

    /// <summary>The parameter for a text to search for.</summary>
    public static Parameter Search { get; } = SearchText("search", "Words that the records match; the best match comes first.");

    private static readonly Parameter sort = new("sort", text, "", (_, _) => null);
    private static readonly Parameter include = new("include", text, "", (_, _) => null);
    private static readonly Parameter fields = new("fields", text, "", (_, _) => null);

    /// <summary>Declares the parameters of a list of a resource.</summary>
    public static IReadOnlyList<Parameter> Of(Schema schema) =>
    [
        Parameter.Limit(schema.DefaultLimit),
        Parameter.Cursor,
        sort with
        {
            Description = $"Fields to sort by, {Names(schema.Fields.Where(field => field.IsSortable))}, each with a minus before it for descending "
                + $"order; -created_at if absent.",
            Read = (given, errors) => ReadSort(schema, given, errors),
        },
        .. schema.Searchables.Count > 0 ? [Search] : Array.Empty<Parameter>(),
        .. ViewOf(schema),
        .. schema.Fields.Where(field => field.Filter is not FilterKind.None).Select(field => Filter(schema, field.Name, field.Facets, Describe(field))),
        .. schema.ExtraFilters.Select(
            filter => Filter(schema, filter.Name, filter.Field.Facets,
                $"Only records whose {filter.Field.Name} is at {(filter.Comparison is Comparison.GreaterOrEqual ? "least" : "most")} this.")),
    ];

    /// <summary>Declares the parameters that select what is answered of a record.</summary>
    public static IReadOnlyList<Parameter> ViewOf(Schema schema) =>
    [
        include with
        {
            Description = $"What is answered beside each record: "
                + $"{string.Join(", ", schema.Includes.Select(one => one.Name).DefaultIfEmpty("nothing"))}, with commas between.",
            Read = (given, errors) => ReadIncludes(schema, given, errors),
        },
        fields with { Description = "The attributes to answer, with commas between; all if absent.",
            Read = (given, errors) => ReadFields(schema, given, errors) },
    ];

    /// <summary>Lists the field names that a filter with an operator may begin with.</summary>
    public static IReadOnlyList<string> OtherNames(Schema schema) =>
        [.. schema.Fields.Where(field => field.HasKey && field.Access is not FieldAccess.Internal && field is not MapField).Select(field => field.Name)];

    /// <summary>Declares a parameter for a text to search for. The text has no syntax.</summary>
    public static Parameter SearchText(string name, string description) => new(
        name,
        new(JsonType.String) { MinLength = 1, MaxLength = ISearchIndex.MaxTextLength },
        description,
        (given, errors) =>
        {
            if (string.IsNullOrWhiteSpace(given)) return errors.Add(name, "Must not be empty");
            return given.Length > ISearchIndex.MaxTextLength && given.EnumerateRunes().Count() > ISearchIndex.MaxTextLength
                ? errors.Add(name, $"At most {ISearchIndex.MaxTextLength} characters")
                : given;
        })
    {
        TakesNul = true,
    };

    /// <summary>Reads what a list asks for, or the validation errors of its cursor.</summary>
    /// <param name="schema">The resource.</param>
    /// <param name="query">The parameters as values.</param>
    /// <param name="given">The parameters as texts: a cursor is bound to them.</param>
    public static Result<ListRequest> Read(Schema schema, Query query, IReadOnlyList<KeyValuePair<string, string>> given)
    {
        var (errors, filters, search) = (new ValidationErrors(), query.Values<Condition>().ToList(), (string?)query[Search]);
        var order = (List<SortKey>?)query[sort];
        var isByRelevance = search is not null && order is null;
        order ??= [new SortKey(new KeyPath(schema.CreatedAt.Name), Descending: true)];
        Condition where = filters.Count == 1 ? filters[0] : new Condition.All(filters);
        var after = query[Parameter.Cursor] is string cursor
            ? Cursor.Read(cursor, Cursor.Fingerprint(schema.Type, given), isByRelevance ? 2 : order.Count, errors)
            : null;
        if (isByRelevance && after is { Values: not [long, long] }) errors.Add("cursor", Cursor.Wrong);
        return errors.Any
            ? Error.Invalid(errors.All)
            : new ListRequest(new RecordQuery(schema.Type, where, order, after, (int)query[Parameter.PageSize]!), search, isByRelevance);
    }

    /// <summary>Reads what to answer of each record.</summary>
    public static View View(Query query) => new((IReadOnlyList<Include>?)query[include] ?? [], (HashSet<string>?)query[fields]);

    /// <summary>Lists the types that filters read through a link. The caller must be allowed to read each.</summary>
    public static IEnumerable<string> RelatedTypes(Query query) => query.Values<Condition.Linked>().Select(condition => condition.Type).Distinct();

    /// <summary>Writes the cursor of the next page; null where this is the last.</summary>
    public static string? NextCursor(Schema schema, IReadOnlyList<KeyValuePair<string, string>> given, RecordPage page) =>
        page.Next is null ? null : Cursor.Write(page.Next, Cursor.Fingerprint(schema.Type, given));

    private static Parameter Filter(Schema schema, string name, Facets facets, string description) =>
        new(name, facets, description, (given, errors) => Filters.Read(schema, name, given, errors));

    private static string Describe(Field field) => field.Filter switch
    {
        FilterKind.Substring => $"Only records whose {field.Name} contains this, in any case.",
        FilterKind.HasAll => $"Only records that have all of these {field.Name}, with commas between.",
        _ => $"Only records whose {field.Name} is this.",
    };

    private static List<SortKey> ReadSort(Schema schema, string given, ValidationErrors errors)
    {
        var keys = new List<SortKey>();
        foreach (var part in given.Split(','))
        {
            var (name, descending) = part.StartsWith('-') ? (part[1..], true) : (part, false);
            var path = schema.Find(name) is { IsSortable: true } ? new KeyPath(name) : Filters.CustomFieldPath(schema, name);
            if (path is not { } known) errors.Add("sort", $"'{name}' can't be sorted by; expected of {Names(schema.Fields.Where(f => f.IsSortable))}");
            else if (keys.Exists(k => k.Path == known)) errors.Add("sort", $"'{name}' given twice");
            else keys.Add(new SortKey(known, descending));
        }

        if (keys.Count > MaxSortKeys) errors.Add("sort", $"At most {MaxSortKeys} keys");
        return keys;
    }

    private static List<Include> ReadIncludes(Schema schema, string given, ValidationErrors errors)
    {
        var includes = new List<Include>();
        foreach (var name in Split(given))
        {
            if (schema.Includes.FirstOrDefault(one => one.Name == name) is { } known) includes.Add(known);
            else errors.Add(include.Name,
                $"'{name}' can't be included; expected of {string.Join(", ", schema.Includes.Select(one => one.Name).DefaultIfEmpty("nothing"))}");
        }

        return [.. includes.DistinctBy(one => one.Name)];
    }

    private static HashSet<string> ReadFields(Schema schema, string given, ValidationErrors errors)
    {
        HashSet<string> names = [.. Split(given)];
        foreach (var name in names.Where(name => name is not "id" && schema.Find(name) is null or { Access: FieldAccess.Internal }))
            errors.Add(fields.Name,
                $"'{name}': {Suggestion.Unknown("field", name, schema.Fields.Where(f => f.Access is not FieldAccess.Internal).Select(f => f.Name))}");
        return names;
    }

    private static string Names(IEnumerable<Field> fields) => string.Join(", ", fields.Select(field => field.Name));

    private static string[] Split(string given) => given.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
