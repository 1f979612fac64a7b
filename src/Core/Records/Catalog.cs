using NodeStash.Core.Storage;

namespace NodeStash.Core.Records;

/// <summary>The resources that the engine serves, and the rules that all of them share.</summary>
/// <remarks>A new resource is added to <c>Resources/Crm.cs</c>. From then on stores, links, lists and the search know it.</remarks>
public sealed class Catalog
{
    private readonly Dictionary<string, Schema> byType;
    private readonly ILookup<string, (Schema Schema, LinkField Link)> byTarget;
    private readonly HashSet<string> archivable;
    private readonly Func<string, Schema> custom;

    /// <param name="all">The resources that are built in.</param>
    /// <param name="custom">Answers the schema of a custom object's records, by the object's slug.</param>
    /// <param name="customTemplate">A schema with the fields that all custom objects' records share.</param>
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

    /// <summary>The resources that are built in.</summary>
    public IReadOnlyList<Schema> All { get; }

    /// <summary>The built-in resources that are searched. The records of custom objects are searched, too.</summary>
    public IReadOnlyList<Schema> Searchable { get; }

    /// <summary>The built-in resources whose records can be archived. The records of custom objects can, too.</summary>
    public IReadOnlyList<Schema> Archivable { get; }

    /// <summary>The indexes that a store needs for all resources, custom objects' records included.</summary>
    public IReadOnlyList<RecordIndex> Indexes { get; }

    /// <summary>Checks a record's custom fields against their definitions; adds what is wrong to the errors.</summary>
    public required Func<Change, ValidationErrors, CancellationToken, ValueTask> CheckCustomFields { get; init; }

    /// <summary>Answers the cascades that clear relations to a record that is deleted.</summary>
    public required Func<Record, IWorkspaceStore, CancellationToken, ValueTask<IEnumerable<Cascade>>> ClearRelations { get; init; }

    /// <summary>
    /// The resource of a type of records. For the type of a custom object's records it does not tell whether there is such an object: that
    /// depends on the environment.
    /// </summary>
    /// <exception cref="KeyNotFoundException">There is no such type.</exception>
    public Schema Find(string type) => TypeFamily.Of(type) == TypeFamily.Records ? custom(type[TypeFamily.Records.Length..]) : byType[type];

    /// <summary>
    /// The resource with this noun (<see cref="Schema.EventNoun"/>): a built-in one, or else the records of the custom object with this slug.
    /// </summary>
    public Schema Named(string noun) => byType.GetValueOrDefault(noun) ?? custom(noun);

    /// <summary>Whether records of a type can be archived.</summary>
    public bool IsArchivable(string type) => archivable.Contains(type) || TypeFamily.Of(type) == TypeFamily.Records;

    /// <summary>The fields, with their resources, that link to records of a type.</summary>
    public IEnumerable<(Schema Schema, LinkField Link)> LinksTo(string type) => byTarget[type];
}
