using NodeStash.Core.Access;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;

namespace NodeStash.Core.Resources;

/// <summary>Every resource there is. A new one is added here and is then known everywhere: to the store's indexes, to links, to the lists.</summary>
public static class Catalog
{
    public static IReadOnlyList<Schema> All { get; } =
        [Contact.Schema, Company.Schema, Pipeline.Schema, Deal.Schema, Activity.Schema, Tag.Schema, CustomField.Schema, CustomObject.Schema, Webhook.Schema, ApiKey.Schema];

    /// <summary>Those that are searched, beside the records of custom objects.</summary>
    public static IReadOnlyList<Schema> Searchable { get; } = [.. All.Where(s => s.Searchables.Count > 0)];

    /// <summary>Those whose records can be archived, beside the records of custom objects.</summary>
    public static IReadOnlyList<Schema> Archivable { get; } = [.. All.Where(s => s.IsArchivable)];

    /// <summary>The indexes of all of them, and of custom objects' records.</summary>
    public static IReadOnlyList<RecordIndex> Indexes { get; } = [.. All.Append(CustomRecord.Schema).SelectMany(s => s.Indexes)];

    private static readonly Dictionary<string, Schema> ByType = All.ToDictionary(s => s.Type, StringComparer.Ordinal);

    private static readonly ILookup<string, (Schema Schema, LinkField Link)> ByTarget =
        All.SelectMany(s => s.Links.Where(l => l.IsChecked).Select(l => (Schema: s, Link: l))).ToLookup(l => l.Link.TargetType, StringComparer.Ordinal);

    /// <summary>The resource of a type of records. The type of a custom object's says all there is to know; whether there is such an object only an environment does.</summary>
    /// <exception cref="KeyNotFoundException">There is no such type.</exception>
    public static Schema Find(string type) => TypeFamily.Of(type) == TypeFamily.Records ? CustomRecord.Of(type[TypeFamily.Records.Length..]) : ByType[type];

    /// <summary>The resource that clients call so (<see cref="Schema.EventNoun"/>): one that is built in, or the records of a custom object by its slug.</summary>
    public static Schema Named(string noun) => ByType.GetValueOrDefault(noun) ?? CustomRecord.Of(noun);

    /// <summary>Which fields of which resources link to records of a type.</summary>
    public static IEnumerable<(Schema Schema, LinkField Link)> LinksTo(string type) => ByTarget[type];
}
