using NodeStash.Core.Storage;

namespace NodeStash.Core.Records;

/// <summary>Lists the resources that the engine serves, and holds the rules that all of them share.</summary>
/// <remarks>A new resource is added to <c>Resources/Crm.cs</c>. From then on stores, links, lists and the search know it.</remarks>
public sealed class Catalog
{
    private readonly Dictionary<string, Schema> byType;
    private readonly ILookup<string, (Schema Schema, LinkField Link)> byTarget;
    private readonly HashSet<string> archivable;
    private readonly Func<string, Schema> custom;

    /// <summary>Creates a catalog and indexes its resources by type, by link target and by feature.</summary>
    /// <param name="all">The built-in resources.</param>
    /// <param name="custom">Gives the schema of a custom object's records for the object's slug.</param>
    /// <param name="customTemplate">A schema with the fields that the records of all custom objects share.</param>
    public Catalog(IReadOnlyList<Schema> all, Func<string, Schema> custom, Schema customTemplate)
    {
        (All, this.custom) = (all, custom);
        Searchable = [.. all.Where(s => s.Searchables.Count > 0)];
        Archivable = [.. all.Where(s => s.IsArchivable)];
        archivable = [.. Archivable.Select(s => s.Type)];
        Indexes = [.. all.Append(customTemplate).SelectMany(s => s.Indexes)];
        byType = all.ToDictionary(s => s.Type, StringComparer.Ordinal);
        byTarget = all.SelectMany(s => s.Links.Where(l => l.IsChecked).Select(l => (Schema: s, Link: l)))
            .ToLookup(l => l.Link.TargetType, StringComparer.Ordinal);
    }

    /// <summary>The built-in resources.</summary>
    public IReadOnlyList<Schema> All { get; }

    /// <summary>The built-in resources that can be searched. Records of custom objects, not listed here, can be searched too.</summary>
    public IReadOnlyList<Schema> Searchable { get; }

    /// <summary>The built-in resources whose records can be archived. Records of custom objects, not listed here, can be archived too.</summary>
    public IReadOnlyList<Schema> Archivable { get; }

    /// <summary>The indexes that a store needs for all resources, including records of custom objects.</summary>
    public IReadOnlyList<RecordIndex> Indexes { get; }

    /// <summary>Checks a record's custom fields against their definitions, and adds each mistake to the errors.</summary>
    public required Func<Change, ValidationErrors, CancellationToken, ValueTask> CheckCustomFields { get; init; }

    /// <summary>Gives the cascades that clear all relations to a deleted record.</summary>
    public required Func<Record, IWorkspaceStore, CancellationToken, ValueTask<IEnumerable<Cascade>>> ClearRelations { get; init; }

    /// <summary>
    /// Gets the resource of a record type. The type of a custom object's records always has one, even if the environment has no such object.
    /// </summary>
    /// <exception cref="KeyNotFoundException">The type is unknown.</exception>
    public Schema Find(string type) => TypeFamily.Of(type) == TypeFamily.Records ? custom(type[TypeFamily.Records.Length..]) : byType[type];

    /// <summary>
    /// Gets the built-in resource with this <see cref="Schema.EventNoun"/>, or else the resource of the custom object with this slug.
    /// </summary>
    public Schema Named(string noun) => byType.GetValueOrDefault(noun) ?? custom(noun);

    /// <summary>Tells whether records of a type can be archived.</summary>
    public bool IsArchivable(string type) => archivable.Contains(type) || TypeFamily.Of(type) == TypeFamily.Records;

    /// <summary>Gets the link fields, with their resources, that point to records of a type.</summary>
    public IEnumerable<(Schema Schema, LinkField Link)> LinksTo(string type) => byTarget[type];
}
