using System.Text;
using System.Text.Json;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Azure.Cosmos;

/// <summary>
/// Reads and writes a record as a document. Attributes are the bytes of the API's answer, stored as text so that they come back unchanged. Keys are JSON
/// values; null, booleans, numbers and texts each compare among themselves only. Arrays are stored separately, so that they are neither text nor null.
/// Every documented sort key is present, null if the record has none, because a sort would omit records without it.
/// </summary>
internal sealed class RecordDocument(IReadOnlyCollection<RecordIndex> indexes)
{
    public const string Kind = "record";

    /// <summary>Name of the sort key that every type has.</summary>
    public const string CreatedAt = "created_at";

    /// <summary>Columns from which a record is read.</summary>
    public const string Columns = "c.id, c.version, c.attributes, c.internal";

    private readonly ILookup<string, string> sorts = indexes.ToLookup(index => index.Type, index => index.Key, StringComparer.Ordinal);

    /// <summary>Whether every document of the type has the key and an index is ordered by it.</summary>
    public bool IsSort(string type, KeyPath path) => path.Inner is null && (path.Name == CreatedAt || sorts[TypeFamily.Of(type)].Contains(path.Name));

    /// <summary>Writes a new document.</summary>
    public ReadOnlyMemory<byte> New(string partition, StoredRecord record, ReadOnlyMemory<byte> keys) => JsonForm.Object(writer =>
    {
        writer.WriteString("id", record.Id);
        writer.WriteString("pk", partition);
        writer.WriteString("kind", Kind);
        writer.WriteString("type", record.Type);
        foreach (var (name, value) in Changing(record, keys))
        {
            writer.WritePropertyName(name);
            writer.WriteRawValue(value.Span, skipInputValidation: true);
        }
    });

    /// <summary>Lists the properties that change with each version, as JSON.</summary>
    public IReadOnlyList<(string Name, ReadOnlyMemory<byte> Json)> Changing(StoredRecord record, ReadOnlyMemory<byte> keys)
    {
        using var document = JsonDocument.Parse(keys);
        return
        [
            ("version", JsonForm.Write(writer => writer.WriteNumberValue(record.Version))),
            ("attributes", JsonForm.Write(writer => writer.WriteStringValue(record.Attributes.Span))),
            ("internal", JsonForm.Write(writer => WriteText(writer, record.Internal))),
            ("keys", JsonForm.Object(writer => WriteKeys(writer, record.Type, document.RootElement))),
            ("lists", JsonForm.Object(writer => WriteLists(writer, document.RootElement))),
        ];
    }

    /// <summary>Reads a record from a document or from the columns of a query.</summary>
    public static StoredRecord Read(string type, JsonElement document) => new(
        type, document.GetProperty("id").GetString()!, document.GetProperty("version").GetInt64(), Bytes(document.GetProperty("attributes"))!.Value,
        Bytes(document.GetProperty("internal")));

    /// <summary>Reads the type of a record; null if the document is not a record.</summary>
    public static string? TypeOf(JsonElement document) => document.TryGetProperty("type", out var stored) ? stored.GetString() : null;

    public static bool IsOf(string type, JsonElement document) => document.TryGetProperty("type", out var stored) && stored.ValueEquals(type);

    private static ReadOnlyMemory<byte>? Bytes(JsonElement text) =>
        text.GetString() is { } value ? Encoding.UTF8.GetBytes(value) : default(ReadOnlyMemory<byte>?);

    private static void WriteText(Utf8JsonWriter writer, ReadOnlyMemory<byte>? text)
    {
        if (text is { } bytes) writer.WriteStringValue(bytes.Span);
        else writer.WriteNullValue();
    }

    private void WriteKeys(Utf8JsonWriter writer, string type, JsonElement keys)
    {
        foreach (var name in sorts[TypeFamily.Of(type)].Append(CreatedAt).Distinct())
        {
            if (!keys.TryGetProperty(name, out var value) || !IsScalar(value)) writer.WriteNull(KeyName.Of(name));
        }

        WriteEach(writer, keys, IsScalar);
    }

    private static void WriteLists(Utf8JsonWriter writer, JsonElement keys) => WriteEach(writer, keys, value => value.ValueKind is JsonValueKind.Array);

    /// <summary>Writes the selected values, including those one level below.</summary>
    private static void WriteEach(Utf8JsonWriter writer, JsonElement keys, Func<JsonElement, bool> isMeant)
    {
        foreach (var property in keys.EnumerateObject())
        {
            if (property.Value.ValueKind is JsonValueKind.Object)
            {
                writer.WriteStartObject(KeyName.Of(property.Name));
                foreach (var inner in property.Value.EnumerateObject().Where(inner => isMeant(inner.Value))) Write(writer, inner);
                writer.WriteEndObject();
            }
            else if (isMeant(property.Value))
            {
                Write(writer, property);
            }
        }
    }

    private static void Write(Utf8JsonWriter writer, JsonProperty property)
    {
        writer.WritePropertyName(KeyName.Of(property.Name));
        property.Value.WriteTo(writer);
    }

    private static bool IsScalar(JsonElement value) =>
        value.ValueKind is JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False;
}
