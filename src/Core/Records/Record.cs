using System.Text.Json;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Records;

/// <summary>Holds a record in memory, with one value for each field of its schema. Null means no value.</summary>
public sealed class Record
{
    private readonly object?[] values;

    private Record(Schema schema, string id, long version, object?[] values)
    {
        Schema = schema;
        Id = id;
        Version = version;
        this.values = values;
    }

    /// <summary>The resource of the record.</summary>
    public Schema Schema { get; }

    /// <summary>The id, with its prefix.</summary>
    public string Id { get; }

    /// <summary>The version: 1 for a new record, one more after each change.</summary>
    public long Version { get; private init; }

    /// <summary>Whether the record is archived.</summary>
    public bool IsArchived => Schema.ArchivedAt?.Of(this) is not null;

    /// <summary>Gets or sets the value of a field of the record's schema; null for none.</summary>
    public object? this[Field field]
    {
        get => values[field.Ordinal];
        set => values[field.Ordinal] = value;
    }

    /// <summary>Creates a record of version 1 with the default values of its fields.</summary>
    public static Record New(Schema schema, string id, DateTimeOffset now)
    {
        var record = new Record(schema, id, 1, new object?[schema.Fields.Count]);
        foreach (var field in schema.Fields) record[field] = field.Default;
        record[schema.CreatedAt] = record[schema.UpdatedAt] = Text.ToSecond(now);
        return record;
    }

    /// <summary>Loads a record from its stored form. Attributes without a field in the schema are ignored.</summary>
    /// <exception cref="InvalidDataException">A stored value does not fit its field.</exception>
    public static Record Load(Schema schema, StoredRecord stored)
    {
        var record = new Record(schema, stored.Id, stored.Version, new object?[schema.Fields.Count]);
        record.Fill(stored.Attributes);
        if (stored.Internal is { } fields) record.Fill(fields);
        return record;
    }

    /// <summary>Copies the record as its next version, for the caller to change.</summary>
    public Record Next() => new(Schema, Id, Version + 1, (object?[])values.Clone());

    /// <summary>Lists the fields whose values differ from those of <paramref name="before"/>, in the order of the schema, without <c>updated_at</c>.</summary>
    public IEnumerable<Field> ChangedSince(Record before) =>
        Schema.Fields.Where(f => f != Schema.UpdatedAt && !f.Same(before[f], this[f]));

    /// <summary>Writes the record in its stored form: the attributes that the API answers, and the internal fields apart from them.</summary>
    public StoredRecord Store() =>
        new(Schema.Type, Id, Version, JsonForm.Object(WriteAttributes), HasInternals ? JsonForm.Object(WriteInternal) : default(ReadOnlyMemory<byte>?));

    /// <summary>
    /// Writes the storage keys of the record, as a JSON object. Empty lists and maps have no key, so a new record and a loaded one have the same keys.
    /// </summary>
    public ReadOnlyMemory<byte> Keys() => JsonForm.Object(writer =>
    {
        foreach (var field in Schema.Keys)
        {
            if (this[field] is not { } value || value is IReadOnlyList<string> { Count: 0 } or JsonMap { Count: 0 }) continue;
            writer.WritePropertyName(field.EncodedName);
            field.WriteKey(writer, value);
        }
    });

    private bool HasInternals => Schema.HasInternals && Schema.Fields.Any(f => f.Access is FieldAccess.Internal && this[f] is not null);

    private void WriteAttributes(Utf8JsonWriter writer)
    {
        writer.WriteString("id"u8, Id);
        foreach (var field in Schema.Fields)
        {
            if (field.Access is not FieldAccess.Internal) WriteField(writer, field, this[field] ?? field.EmptyValue);
        }
    }

    private void WriteInternal(Utf8JsonWriter writer)
    {
        foreach (var field in Schema.Fields)
        {
            if (field.Access is FieldAccess.Internal && this[field] is { } value) WriteField(writer, field, value);
        }
    }

    /// <summary>Writes the name and value of a field in the form that the API answers.</summary>
    internal static void WriteField(Utf8JsonWriter writer, Field field, object? value)
    {
        writer.WritePropertyName(field.EncodedName);
        if (value is null) writer.WriteNullValue();
        else field.Write(writer, value);
    }

    private void Fill(ReadOnlyMemory<byte> json)
    {
        foreach (var property in JsonElement.Parse(json.Span).EnumerateObject())
        {
            if (property.Value.ValueKind is not JsonValueKind.Null && Schema.Find(property.Name) is { } field) this[field] = field.Load(property.Value);
        }
    }
}
