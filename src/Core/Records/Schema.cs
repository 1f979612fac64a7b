using NodeStash.Core.Storage;

namespace NodeStash.Core.Records;

/// <summary>
/// What a resource is: its names, its fields, and the rules that no field can state alone. The engine (<see cref="RecordSet"/>), the list
/// queries, the storage keys and the documentation are all read off it.
/// </summary>
public sealed class Schema
{
    private readonly Dictionary<string, Field> byName;
    private string? eventNoun;

    /// <param name="type">Of its records, e.g. <c>contact</c>; it is the <c>type</c> of the envelope, too, unless <see cref="EnvelopeType"/> says
    /// otherwise.</param>
    /// <param name="prefix">Of its ids, with the underscore.</param>
    /// <param name="collection">Its name in paths, e.g. <c>contacts</c>.</param>
    /// <param name="fields">In the order they are answered; id, created_at and updated_at are added.</param>
    /// <param name="isArchivable">Whether records can be archived and restored.</param>
    public Schema(string type, string prefix, string collection, IReadOnlyList<Field> fields, bool isArchivable = false)
    {
        Type = EnvelopeType = type;
        Prefix = prefix;
        (Collection, Scopes) = (collection, collection.Replace('-', '_'));
        Noun = type.Replace('_', ' ');
        ArchivedAt = isArchivable ? new TimeField(ArchiveState.FieldName) { Access = FieldAccess.Internal, IsFound = true } : null;
        Fields = [.. fields, CreatedAt, UpdatedAt, .. ArchivedAt is null ? Array.Empty<Field>() : [ArchivedAt]];
        for (var i = 0; i < Fields.Count; i++) Fields[i].Ordinal = i;
        byName = Fields.ToDictionary(f => f.Name, StringComparer.Ordinal);
        Keys = [.. Fields.Where(f => f.HasKey)];
        Links = [.. Fields.OfType<LinkField>()];
        Searchables = [.. Fields.Where(f => f.Search is not Searchable.No)];
        HasInternals = Fields.Any(f => f.Access is FieldAccess.Internal);
        CustomFields = Fields.OfType<MapField>().FirstOrDefault(f => f.IsCustomFields);
    }

    public string Type { get; private set; }

    /// <summary>The <c>type</c> of the envelope.</summary>
    public string EnvelopeType { get; init; }

    public string Prefix { get; }

    public string Collection { get; private set; }

    /// <summary>What its scopes are called before the colon.</summary>
    public string Scopes { get; init; }

    /// <summary>As messages call it, e.g. <c>contact</c>.</summary>
    public string Noun { get; init; }

    /// <summary>
    /// What clients call one of it: before the dot of events, in searches, as the <c>entity_type</c> of custom fields. Null for a resource without
    /// events.
    /// </summary>
    public string? EventNoun { get => eventNoun; init => eventNoun = value; }

    /// <summary>How many a list answers where no limit is given.</summary>
    public int DefaultLimit { get; init; } = 20;

    public IReadOnlyList<Field> Fields { get; }

    public TimeField CreatedAt { get; } = new("created_at")
    {
        Description = "When the record was created, in UTC.",
        Access = FieldAccess.ReadOnly, IsSortable = true,
    };

    public TimeField UpdatedAt { get; } = new("updated_at")
    {
        Description = "When the record last changed, in UTC.",
        Access = FieldAccess.ReadOnly, IsSortable = true,
    };

    /// <summary>When the record was archived; a field that no attributes show. Null where records can't be archived.</summary>
    public TimeField? ArchivedAt { get; }

    /// <summary>Whether records can be archived and restored.</summary>
    public bool IsArchivable => ArchivedAt is not null;

    /// <summary>The fields the store keeps keys of.</summary>
    public IReadOnlyList<Field> Keys { get; }

    public IReadOnlyList<LinkField> Links { get; }

    /// <summary>The fields that records are searched by; none for a resource that is not searched.</summary>
    public IReadOnlyList<Field> Searchables { get; }

    /// <summary>Whether any field is never answered.</summary>
    public bool HasInternals { get; }

    /// <summary>The field of custom fields; null where the resource has none.</summary>
    public MapField? CustomFields { get; }

    /// <summary>Values no two records of an environment share.</summary>
    public IReadOnlyList<Unique> Uniques { get; init; } = [];

    /// <summary>What <c>include=</c> may name.</summary>
    public IReadOnlyList<Include> Includes { get; init; } = [];

    /// <summary>List filters that are not named like a field, e.g. <c>min_value</c>.</summary>
    public IReadOnlyList<NamedFilter> ExtraFilters { get; init; } = [];

    /// <summary>What goes beyond single fields: fills in what the server sets, refuses what the state forbids. Null where there is nothing.</summary>
    public Func<Change, CancellationToken, ValueTask<Error?>>? Decide { get; init; }

    /// <summary>What other records give up when a record of this resource is deleted, links to it aside.</summary>
    public Func<Record, IEnumerable<Cascade>> CascadesOnDelete { get; init; } = static _ => [];

    /// <summary>The unique key whose owner is the record that took the place of one that is gone; null where none ever does.</summary>
    public Func<string, string>? SuccessorKey { get; init; }

    /// <summary>The same fields and rules for records of another type: what is defined by data, as a custom object is, has no fields of its own.</summary>
    public Schema As(string type, string collection, string noun)
    {
        var other = (Schema)MemberwiseClone();
        (other.Type, other.Collection, other.eventNoun) = (type, collection, noun);
        return other;
    }

    /// <summary>The field of this name, or null.</summary>
    public Field? Find(string name) => byName.GetValueOrDefault(name);

    /// <summary>The indexes a store needs for the documented sorts and for following links.</summary>
    public IEnumerable<RecordIndex> Indexes => Fields.Where(f => f.IsIndexed).Select(f => new RecordIndex(Type, f.Name));
}

/// <summary>A value that no two records of one type and environment may share.</summary>
/// <param name="Name">Tells the unique keys of one type apart.</param>
/// <param name="Of">The value, folded where case does not count; null for none.</param>
/// <param name="Message">What to say of a record whose value is taken.</param>
/// <param name="Field">The field at fault.</param>
public sealed record Unique(string Name, Func<Record, string?> Of, Func<Record, string> Message, string Field)
{
    /// <summary>The unique key for a record's value; null where it has none.</summary>
    public string? KeyOf(Record record) => Of(record) is { } value ? $"{record.Schema.Type}:{Name}:{value}" : null;
}

/// <summary>A filter with a name of its own: it compares a field with its value.</summary>
/// <param name="Name">What clients call it.</param>
/// <param name="Field">The field that is compared.</param>
/// <param name="Comparison">How.</param>
public sealed record NamedFilter(string Name, Field Field, Comparison Comparison);
