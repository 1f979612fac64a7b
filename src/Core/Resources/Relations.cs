using System.Text.Json;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Resources;

/// <summary>
/// Custom fields of type relation: links of records of custom objects to records of any type. They hold as links do: what is deleted is linked to no
/// more.
/// </summary>
internal static class Relations
{
    private static readonly KeyPath Values = new(CustomRecord.CustomFields.Name);

    /// <summary>Sees to it that what a record relates to exists, and still does when it is stored.</summary>
    public static async ValueTask<Error?> Check(Change change, CancellationToken ct)
    {
        var (record, types) = (change.After!, new List<KeyValuePair<string, JsonElement>>());
        var (values, before) = (CustomRecord.CustomFields.Of(record), change.Before is { } old ? CustomRecord.CustomFields.Of(old) : JsonMap.Empty);
        foreach (var definition in (await CustomField.DefinitionsOf(record.Schema, change.Store, ct)).Where(d => d.FieldType is FieldDefinition.Relation))
        {
            // A value from before the field was defined may be anything, and stays until it is changed.
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

            // A custom object that is deleted takes its records with it, some of them later.
            if (TypeFamily.Of(type) == TypeFamily.Records)
                change.Guards.Add(new Guard.UniqueKeyHeld(CustomObject.UniqueKeyOf(type[TypeFamily.Records.Length..])));
        }

        record[CustomRecord.RelatedTypes] = new JsonMap(types);
        return null;
    }

    /// <summary>What happens to relations when records are deleted: they are cleared, or go over to the record that takes their place.</summary>
    /// <param name="schema">Of the records.</param>
    /// <param name="ids">The records.</param>
    /// <param name="to">What takes their place; null for nothing.</param>
    /// <param name="store">The environment.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async ValueTask<IEnumerable<Cascade>> To(Schema schema, IReadOnlyList<string> ids, string? to, IWorkspaceStore store, CancellationToken ct) =>
        FieldDefinition.RelationPrefixes.Contains(schema.Prefix)
            ? (await All(store, ct)).Select(relation => new Cascade(relation.Schema, Values with { Inner = relation.Field }, [.. ids.Select(Text.Fold)], to))
            : [];

    /// <summary>Clears relations of other objects to any record of an object.</summary>
    public static async ValueTask<IEnumerable<Cascade>> ToAllOf(string slug, IWorkspaceStore store, CancellationToken ct)
    {
        var type = CustomRecord.TypeOf(slug);
        return (await All(store, ct)).Where(relation => relation.Schema.Type != type)
            .Select(relation =>
                new Cascade(relation.Schema, Values with { Inner = relation.Field }, From: null, Only: new LinkFilter(CustomRecord.RelatedTypes.Name, type)));
    }

    private static async ValueTask<IEnumerable<(Schema Schema, string Field)>> All(IWorkspaceStore store, CancellationToken ct) =>
        (await CustomObject.All(store, ct)).SelectMany(o => o.Relations.Select(field => (CustomRecord.Of(o.Slug), field)));
}
