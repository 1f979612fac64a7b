using System.Text.Json;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Records;

/// <summary>A record in memory: one value for each field of its schema, null where it has none.</summary>
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

    public Schema Schema { get; }

    public string Id { get; }

    /// <summary>From 1, by one with each change.</summary>
    public long Version { get; private init; }

    /// <summary>Whether the record is archived.</summary>
    public bool IsArchived => Schema.ArchivedAt?.Of(this) is not null;

    /// <summary>The value of a field; null for none.</summary>
    public object? this[Field field]
    {
        get => values[field.Ordinal];
        set => values[field.Ordinal] = value;
    }

    /// <summary>A new record with its defaults, version 1.</summary>
    public static Record New(Schema schema, string id, DateTimeOffset now)
    {
        var record = new Record(schema, id, 1, new object?[schema.Fields.Count]);
        foreach (var field in schema.Fields) record[field] = field.Default;
        record[schema.CreatedAt] = record[schema.UpdatedAt] = Text.ToSecond(now);
        return record;
    }

    public static Record Load(Schema schema, StoredRecord stored)
    {
        var record = new Record(schema, stored.Id, stored.Version, new object?[schema.Fields.Count]);
        record.Fill(stored.Attributes);
        if (stored.Internal is { } hidden) record.Fill(hidden);
        return record;
    }

    /// <summary>The next version of this record, to be changed; this one stays as it is.</summary>
    public Record Next() => new(Schema, Id, Version + 1, (object?[])values.Clone());

    /// <summary>The fields, as answered, whose values differ from those of <paramref name="before"/>; <c>updated_at</c> does not count.</summary>
    public IEnumerable<Field> ChangedSince(Record before) =>
        Schema.Fields.Where(f => f != Schema.UpdatedAt && !f.Same(before[f], this[f]));

    public StoredRecord Store() =>
        new(Schema.Type, Id, Version, JsonForm.Object(WriteAttributes), HasInternals ? JsonForm.Object(WriteInternal) : default(ReadOnlyMemory<byte>?));

    /// <summary>What the store finds and sorts the record by. A new record and one that was stored have the same: what is empty has no key.</summary>
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

    /// <summary>Writes a field's name and value as the API answers it.</summary>
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
