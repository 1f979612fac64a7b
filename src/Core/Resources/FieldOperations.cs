using System.Text.Json;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Resources;

/// <summary>Changes custom field definitions, and reads and sets the values of one record.</summary>
public static class FieldOperations
{
    private const string CustomFields = "custom_fields";

    /// <summary>Counts stored values that a new field would not accept. Records may have values under its slug from before it was defined.</summary>
    /// <param name="dryRun">The caller's records, opened for a dry run.</param>
    /// <param name="body">The new definition.</param>
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

    /// <summary>Changes a custom field definition.</summary>
    /// <param name="records">The caller's records.</param>
    /// <param name="id">The id of the definition, <c>cf_…</c></param>
    /// <param name="body">The fields to change.</param>
    /// <param name="ifVersion">Changes only this version of the definition; null for any.</param>
    /// <param name="force">Whether to clear removed options in records that have them; otherwise that is a conflict.</param>
    /// <param name="ct">Ends the wait.</param>
    public static ValueTask<Result<StoredRecord>> Update(RecordSet records, string id, JsonElement body, long? ifVersion, bool force, CancellationToken ct) =>
        records.Update(CustomField.Schema, id, ifVersion, (change, errors) =>
        {
            change.IsForced = force;
            Input.Read(CustomField.Schema, body, change.Before, errors).ApplyTo(change.After!, errors);
            return null;
        }, ct);

    /// <summary>Sets or, where null, clears the given custom fields of a record; others stay.</summary>
    /// <param name="records">The caller's records.</param>
    /// <param name="definitions">The definitions of the resource's custom fields.</param>
    /// <param name="schema">The schema of the record.</param>
    /// <param name="id">The id of the record.</param>
    /// <param name="body">Values by slug, at the top level or in an object <c>fields</c>.</param>
    /// <param name="ifVersion">Changes only this version of the record; null for any.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>The record after the change.</returns>
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

    /// <summary>Returns the cascade that clears a field in every record that has a value.</summary>
    internal static Cascade ClearValues(Record field) => new(Crm.Catalog.Named(CustomField.EntityType.Of(field)!), PathOf(field), From: null);

    /// <summary>Returns the cascade that clears options of a field in every record that has one of them.</summary>
    internal static Cascade ClearOptions(Record field, IEnumerable<string> options) =>
        new(Crm.Catalog.Named(CustomField.EntityType.Of(field)!), PathOf(field), [.. options.Select(Text.Fold)]);

    private static KeyPath PathOf(Record field) => new(CustomFields, CustomField.Slug.Of(field));

    private static Condition HasValue(string slug) => new Condition.Not(new Condition.Equal(new KeyPath(CustomFields, slug), null));

    /// <summary>Returns the values that a record has of defined fields, by display order.</summary>
    public static IEnumerable<FieldValue> ValuesOf(Schema schema, StoredRecord record, IReadOnlyList<FieldDefinition> definitions)
    {
        var values = schema.CustomFields!.Of(Record.Load(schema, record));
        foreach (var definition in definitions)
        {
            if (values[definition.Slug] is { } value) yield return new FieldValue(Ids.Derive("cfv_", record.Id, definition.Id), definition, value);
        }
    }
}

/// <summary>Holds the value that a record has of a custom field.</summary>
/// <param name="Id">The id of the value, <c>cfv_…</c>, derived from the record and the field.</param>
/// <param name="Definition">The definition of the field.</param>
/// <param name="Value">The value, as stored.</param>
public sealed record FieldValue(string Id, FieldDefinition Definition, JsonElement Value)
{
    /// <summary>Renders the attributes of the value as UTF-8 JSON.</summary>
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
