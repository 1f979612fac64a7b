using System.Text.Json;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Resources;

/// <summary>
/// Checks and clears custom fields of type relation, which link records of custom objects to records of any type. As with other links, deleting a
/// record clears the relations to it.
/// </summary>
internal static class Relations
{
    private static readonly KeyPath Values = new(CustomRecord.CustomFields.Name);

    /// <summary>Checks that the related records exist, and adds guards that they still do when the record is stored.</summary>
    public static async ValueTask<Error?> Check(Change change, CancellationToken ct)
    {
        var (record, types) = (change.After!, new List<KeyValuePair<string, JsonElement>>());
        var (values, before) = (CustomRecord.CustomFields.Of(record), change.Before is { } old ? CustomRecord.CustomFields.Of(old) : JsonMap.Empty);
        foreach (var definition in (await CustomField.DefinitionsOf(record.Schema, change.Store, ct)).Where(d => d.FieldType is FieldDefinition.Relation))
        {
            // A value stored before the field was defined may be invalid. It stays until it is changed.
            if (values[definition.Slug] is not { } value || definition.CheckValue(value) is not null) continue;
            var id = value.GetString()!;
            var type = await change.Store.TypeOf(id, ct);
            var isKept = before[definition.Slug] is { } was && JsonElement.DeepEquals(was, value);

            // A relation to an archived record stays, but no new one is made.
            if (!isKept && (type is null || await change.Store.Find(type, id, ct) is null))
                return Error.Unprocessable($"{CustomRecord.CustomFields.Name}.{definition.Slug}", $"No record with id '{id}' in this workspace");
            if (type is null) continue;
            types.Add(new(definition.Slug, JsonElement.Parse($"\"{type}\"")));
            change.Guards.Add(new Guard.RecordExists(type, id));

            // Deleting a custom object deletes its records, some of them later, in a cascade.
            if (TypeFamily.Of(type) == TypeFamily.Records)
                change.Guards.Add(new Guard.UniqueKeyHeld(CustomObject.UniqueKeyOf(type[TypeFamily.Records.Length..])));
        }

        record[CustomRecord.RelatedTypes] = new JsonMap(types);
        return null;
    }

    /// <summary>Returns the cascades for relations to deleted records: clear them, or point them to a successor.</summary>
    /// <param name="schema">The schema of the deleted records.</param>
    /// <param name="ids">The ids of the deleted records.</param>
    /// <param name="to">The id of their successor; null to clear the relations.</param>
    /// <param name="store">The store of the partition.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async ValueTask<IEnumerable<Cascade>> Redirect(
        Schema schema, IReadOnlyList<string> ids, string? to, IWorkspaceStore store, CancellationToken ct) =>
        FieldDefinition.RelationPrefixes.Contains(schema.Prefix)
            ? (await All(store, ct)).Select(relation => new Cascade(relation.Schema, Values with { Inner = relation.Field }, [.. ids.Select(Text.Fold)], to))
            : [];

    /// <summary>Returns the cascades that clear relations of other objects to any record of a deleted object.</summary>
    public static async ValueTask<IEnumerable<Cascade>> ClearAllOf(string slug, IWorkspaceStore store, CancellationToken ct)
    {
        var type = CustomRecord.TypeOf(slug);
        return (await All(store, ct)).Where(relation => relation.Schema.Type != type)
            .Select(relation =>
                new Cascade(relation.Schema, Values with { Inner = relation.Field }, From: null, Only: new LinkFilter(CustomRecord.RelatedTypes.Name, type)));
    }

    private static async ValueTask<IEnumerable<(Schema Schema, string Field)>> All(IWorkspaceStore store, CancellationToken ct) =>
        (await CustomObject.All(store, ct)).SelectMany(o => o.Relations.Select(field => (CustomRecord.Of(o.Slug), field)));
}
