using NodeStash.Core.Access;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;

namespace NodeStash.Core.Resources;

/// <summary>Every resource there is. A new one is added here and is then known everywhere: to the store's indexes, to links, to the lists.</summary>
public static class Catalog
{
    public static IReadOnlyList<Schema> All { get; } =
        [Contact.Schema, Company.Schema, Pipeline.Schema, Deal.Schema, Activity.Schema, Tag.Schema, CustomField.Schema, Webhook.Schema, ApiKey.Schema];

    /// <summary>Those that are searched.</summary>
    public static IReadOnlyList<Schema> Searchable { get; } = [.. All.Where(s => s.Searchables.Count > 0)];

    /// <summary>The indexes of all of them.</summary>
    public static IReadOnlyList<RecordIndex> Indexes { get; } = [.. All.SelectMany(s => s.Indexes)];

    private static readonly Dictionary<string, Schema> ByType = All.ToDictionary(s => s.Type, StringComparer.Ordinal);

    private static readonly ILookup<string, (Schema Schema, LinkField Link)> ByTarget =
        All.SelectMany(s => s.Links.Where(l => l.IsChecked).Select(l => (Schema: s, Link: l))).ToLookup(l => l.Link.TargetType, StringComparer.Ordinal);

    /// <exception cref="KeyNotFoundException">There is no such type.</exception>
    public static Schema Find(string type) => ByType[type];

    /// <summary>Which fields of which resources link to records of a type.</summary>
    public static IEnumerable<(Schema Schema, LinkField Link)> LinksTo(string type) => ByTarget[type];
}
