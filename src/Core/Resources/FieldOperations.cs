using System.Text.Json;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Resources;

/// <summary>What custom field definitions do to the records that have values of them, and the values of one record.</summary>
public static class FieldOperations
{
    private const string CustomFields = "custom_fields";

    /// <summary>How many stored values would not fit a field that is to be defined: records may have values under its slug already, stored freely.</summary>
    /// <param name="dryRun">The caller's records, for a dry run.</param>
    /// <param name="body">The definition.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async ValueTask<Result<long>> CountUnfit(RecordSet dryRun, JsonElement body, CancellationToken ct)
    {
        var created = await dryRun.Create(CustomField.Schema, body, ct);
        if (created.Error is { } error) return error;
        var definition = FieldDefinition.Load(created.Value);
        var schema = Crm.Catalog.Named(CustomField.EntityType.Of(Record.Load(CustomField.Schema, created.Value))!);
        var query = new RecordQuery(schema.Type, HasValue(definition.Slug), [new SortKey(new KeyPath(schema.CreatedAt.Name), false)], null, 100);
        long unfit = 0;
        while (true)
        {
            var page = await dryRun.List(query, ct);
            unfit += page.Records.Count(
                r => schema.CustomFields!.Of(Record.Load(schema, r))[definition.Slug] is { } value && definition.CheckValue(value) is not null);
            if (page.Next is null) return unfit;
            query = query with { After = page.Next };
        }
    }

    /// <summary>Changes a definition.</summary>
    /// <param name="records">The caller's records.</param>
    /// <param name="id"><c>cf_…</c></param>
    /// <param name="body">The fields to change.</param>
    /// <param name="ifVersion">Only if it is of this version; null for any.</param>
    /// <param name="force">Whether options that are taken away are cleared where records have them; else that is a conflict.</param>
    /// <param name="ct">Ends the wait.</param>
    public static ValueTask<Result<StoredRecord>> Update(RecordSet records, string id, JsonElement body, long? ifVersion, bool force, CancellationToken ct) =>
        records.Update(CustomField.Schema, id, ifVersion, (change, errors) =>
        {
            change.IsForced = force;
            Input.Read(CustomField.Schema, body, change.Before, errors).ApplyTo(change.After!, errors);
            return null;
        }, ct);

    /// <summary>Sets the values given, or clears them where null; the others stay.</summary>
    /// <param name="records">The caller's records.</param>
    /// <param name="definitions">Those of the resource.</param>
    /// <param name="schema">Of which resource.</param>
    /// <param name="id">Of which record.</param>
    /// <param name="body">Slugs and values, bare or under <c>fields</c>.</param>
    /// <param name="ifVersion">Only if the record is of this version; null for any.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>The record as it is then.</returns>
    public static ValueTask<Result<StoredRecord>> SetValues(
        RecordSet records, IReadOnlyList<FieldDefinition> definitions, Schema schema, string id, JsonElement body, long? ifVersion, CancellationToken ct)
    {
        var given = body.GetPropertyCount() == 1 && body.TryGetProperty("fields", out var inner) && inner.ValueKind is JsonValueKind.Object
            && !definitions.Any(d => d.Slug == "fields") ? inner : body;
        return records.Update(schema, id, ifVersion, (change, errors) =>
        {
            foreach (var name in given.EnumerateObject().Select(p => p.Name).Where(name => !definitions.Any(d => d.Slug == name)))
                errors.Add(name, Suggestion.Unknown("custom field", name, definitions.Select(d => d.Slug)));
            if (!errors.Any && schema.CustomFields!.Read(given, CustomFields, errors) is JsonMap patch)
                change.After![schema.CustomFields] = schema.CustomFields.Merge(schema.CustomFields.Of(change.After), patch, errors);
            return null;
        }, ct);
    }

    /// <summary>Takes a field's values from every record that has one.</summary>
    internal static Cascade Forget(Record field) => new(Crm.Catalog.Named(CustomField.EntityType.Of(field)!), PathOf(field), From: null);

    /// <summary>Takes options of a field from every record that has one of them.</summary>
    internal static Cascade Forget(Record field, IEnumerable<string> options) =>
        new(Crm.Catalog.Named(CustomField.EntityType.Of(field)!), PathOf(field), [.. options.Select(Text.Fold)]);

    private static KeyPath PathOf(Record field) => new(CustomFields, CustomField.Slug.Of(field));

    private static Condition HasValue(string slug) => new Condition.Not(new Condition.Equal(new KeyPath(CustomFields, slug), null));

    /// <summary>The values a record has of defined fields, in the order the fields are displayed.</summary>
    public static IEnumerable<FieldValue> ValuesOf(Schema schema, StoredRecord record, IReadOnlyList<FieldDefinition> definitions)
    {
        var values = schema.CustomFields!.Of(Record.Load(schema, record));
        foreach (var definition in definitions)
        {
            if (values[definition.Slug] is { } value) yield return new FieldValue(Ids.Derive("cfv_", record.Id, definition.Id), definition, value);
        }
    }
}

/// <summary>A record's value of a defined field.</summary>
/// <param name="Id"><c>cfv_…</c>, always the same for the same record and field.</param>
/// <param name="Definition">The field.</param>
/// <param name="Value">The value, as stored.</param>
public sealed record FieldValue(string Id, FieldDefinition Definition, JsonElement Value)
{
    public ReadOnlyMemory<byte> Attributes() => JsonForm.Object(writer =>
    {
        writer.WriteString("id"u8, Id);
        writer.WriteString("field_definition_id"u8, Definition.Id);
        writer.WriteString("slug"u8, Definition.Slug);
        writer.WriteString("name"u8, Definition.Name);
        writer.WriteString("field_type"u8, Definition.FieldType);
        writer.WritePropertyName("value"u8);
        Value.WriteTo(writer);
    });
}
