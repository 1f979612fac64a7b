using NodeStash.Core.Storage;

namespace NodeStash.Core.Records;

/// <summary>
/// Defines a resource: its names, its fields, and the rules that concern more than one field. The engine (<see cref="RecordSet"/>), list queries,
/// storage keys and documentation all use this definition.
/// </summary>
public sealed class Schema
{
    private readonly Dictionary<string, Field> byName;
    private string? eventNoun;

    /// <summary>Creates a schema and takes over its fields: each field may belong to one schema only.</summary>
    /// <param name="type">The type of the records, e.g. <c>contact</c>. It is also the <c>type</c> of the envelope, unless <see cref="EnvelopeType"/>
    /// is set.</param>
    /// <param name="prefix">The prefix of the ids, with the underscore, e.g. <c>ct_</c>.</param>
    /// <param name="collection">The name in paths, e.g. <c>contacts</c>.</param>
    /// <param name="fields">The fields in the order that answers show them; id, created_at and updated_at are added.</param>
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

    /// <summary>The type of the records, e.g. <c>contact</c>.</summary>
    public string Type { get; private set; }

    /// <summary>The <c>type</c> in the envelope of answers; by default the type of the records.</summary>
    public string EnvelopeType { get; init; }

    /// <summary>The prefix of the ids, with the underscore, e.g. <c>ct_</c>.</summary>
    public string Prefix { get; }

    /// <summary>The name in paths and messages, e.g. <c>contacts</c>.</summary>
    public string Collection { get; private set; }

    /// <summary>The part of its scopes before the colon, e.g. <c>contacts</c>; by default the collection, with underscores.</summary>
    public string Scopes { get; init; }

    /// <summary>The noun for one record in messages, e.g. <c>contact</c>; by default the type, with spaces.</summary>
    public string Noun { get; init; }

    /// <summary>
    /// The noun for one record in names of events (before the dot), in searches, and as the <c>entity_type</c> of custom fields. Null for a resource
    /// without events.
    /// </summary>
    public string? EventNoun { get => eventNoun; init => eventNoun = value; }

    /// <summary>The number of records on a page of a list if the client gives no limit.</summary>
    public int DefaultLimit { get; init; } = 20;

    /// <summary>All fields in the order that answers show them, including created_at, updated_at and archived_at, but not the id.</summary>
    public IReadOnlyList<Field> Fields { get; }

    /// <summary>The field <c>created_at</c>.</summary>
    public TimeField CreatedAt { get; } = new("created_at")
    {
        Description = "When the record was created, in UTC.",
        Access = FieldAccess.ReadOnly, IsSortable = true,
    };

    /// <summary>The field <c>updated_at</c>; each commit of a change sets it.</summary>
    public TimeField UpdatedAt { get; } = new("updated_at")
    {
        Description = "When the record last changed, in UTC.",
        Access = FieldAccess.ReadOnly, IsSortable = true,
    };

    /// <summary>The internal field <c>archived_at</c>, which has a value in archived records. Null if records can't be archived.</summary>
    public TimeField? ArchivedAt { get; }

    /// <summary>Whether records can be archived and restored.</summary>
    public bool IsArchivable => ArchivedAt is not null;

    /// <summary>The fields that the store keeps keys of.</summary>
    public IReadOnlyList<Field> Keys { get; }

    /// <summary>The fields that link to other records.</summary>
    public IReadOnlyList<LinkField> Links { get; }

    /// <summary>The fields that the search uses; empty for a resource that can't be searched.</summary>
    public IReadOnlyList<Field> Searchables { get; }

    /// <summary>Whether the resource has internal fields, which no answer shows.</summary>
    public bool HasInternals { get; }

    /// <summary>The field that holds custom fields; null if the resource has none.</summary>
    public MapField? CustomFields { get; }

    /// <summary>The values that no two records of an environment may share.</summary>
    public IReadOnlyList<Unique> Uniques { get; init; } = [];

    /// <summary>The related data that <c>include=</c> may name.</summary>
    public IReadOnlyList<Include> Includes { get; init; } = [];

    /// <summary>The list filters whose name differs from their field's, e.g. <c>min_value</c>.</summary>
    public IReadOnlyList<NamedFilter> ExtraFilters { get; init; } = [];

    /// <summary>The rules of the resource. They set the fields that the server sets, and refuse changes that the state forbids. Null for no rules.</summary>
    public Func<Change, CancellationToken, ValueTask<Error?>>? Decide { get; init; }

    /// <summary>The cascades that a deletion causes in other records. The engine adds those that clear links to the record.</summary>
    public Func<Record, IEnumerable<Cascade>> CascadesOnDelete { get; init; } = static _ => [];

    /// <summary>
    /// Gives the unique key, for the id of a deleted record, whose owner is the record that replaced it, e.g. by a merge. Null if records are never
    /// replaced.
    /// </summary>
    public Func<string, string>? SuccessorKey { get; init; }

    /// <summary>
    /// Copies the schema, with the same fields and rules, for records of another type. Records of custom objects use such copies.
    /// </summary>
    public Schema As(string type, string collection, string noun)
    {
        var other = (Schema)MemberwiseClone();
        (other.Type, other.Collection, other.eventNoun) = (type, collection, noun);
        return other;
    }

    /// <summary>Finds a field by its name; null if there is none.</summary>
    public Field? Find(string name) => byName.GetValueOrDefault(name);

    /// <summary>The indexes that a store needs for the documented sorts and for following links.</summary>
    public IEnumerable<RecordIndex> Indexes => Fields.Where(f => f.IsIndexed).Select(f => new RecordIndex(Type, f.Name));
}

/// <summary>Defines a value that no two records of one type and environment may share.</summary>
/// <param name="Name">The name that distinguishes the unique keys of one type.</param>
/// <param name="Of">Gets the value of a record, folded if case is ignored; null for none.</param>
/// <param name="Message">Gives the error message for a record whose value is taken.</param>
/// <param name="Field">The name of the field that holds the value.</param>
public sealed record Unique(string Name, Func<Record, string?> Of, Func<Record, string> Message, string Field)
{
    /// <summary>Builds the unique key for a record's value; null if the record has no value.</summary>
    public string? KeyOf(Record record) => Of(record) is { } value ? $"{record.Schema.Type}:{Name}:{value}" : null;
}

/// <summary>Defines a list filter whose name differs from its field's.</summary>
/// <param name="Name">The name of the query parameter.</param>
/// <param name="Field">The field to compare.</param>
/// <param name="Comparison">The comparison with the parameter's value.</param>
public sealed record NamedFilter(string Name, Field Field, Comparison Comparison);
