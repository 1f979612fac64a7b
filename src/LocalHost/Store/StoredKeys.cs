using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using NodeStash.Core.Storage;

namespace NodeStash.LocalHost.Store;

/// <summary>Encoded keys of a record.</summary>
/// <param name="Scalars">The scalar keys, as JSON.</param>
/// <param name="Arrays">The array keys, as JSON; null for none.</param>
/// <param name="UpdatedAt">The value of <see cref="StoredKeys.UpdatedAt"/>, ready to bind.</param>
internal readonly record struct EncodedKeys(string Scalars, string? Arrays, object? UpdatedAt);

/// <summary>
/// Encodes the keys of records so that SQLite's comparison keeps the contract of the store. SQLite orders null before numbers before texts, and has no
/// booleans. So a text is stored as <c>s…</c>, a boolean as <c>b0</c> or <c>b1</c>, and each type is its own range. Arrays are stored separately, so that
/// they are neither text nor null. Names are encoded to letters, digits and underscores, so that no path needs quoting.
/// </summary>
internal static class StoredKeys
{
    /// <summary>Lower bound of the texts, and their prefix. Their upper bound is <see cref="AfterTexts"/>.</summary>
    public const string Texts = "s";

    public const string AfterTexts = "t";

    /// <summary>Lower bound of the booleans, and their prefix; numbers are below it. Their upper bound is <see cref="Texts"/>.</summary>
    public const string Booleans = "b";

    /// <summary>Name of the key with its own column.</summary>
    public const string UpdatedAt = "updated_at";

    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Encodes a record's keys.</summary>
    /// <param name="keys">The keys of a <see cref="Core.Storage.Write.Insert"/>.</param>
    public static EncodedKeys Encode(ReadOnlyMemory<byte> keys)
    {
        using var document = JsonDocument.Parse(keys);
        var anyArrays = false;
        object? updatedAt = null;
        var scalars = Object(document.RootElement, (writer, property) =>
        {
            if (property.NameEquals(UpdatedAt) && property.Value.ValueKind is not JsonValueKind.Array) updatedAt = Encode(ValueOf(property.Value));
            else WriteScalar(writer, property, ref anyArrays);
        });
        return new EncodedKeys(scalars, anyArrays ? Object(document.RootElement, WriteArray) : null, updatedAt);
    }

    /// <summary>Encodes a value of a condition or keyset for binding.</summary>
    /// <exception cref="ArgumentException">The value is not null, a string, bool, long or double.</exception>
    public static object? Encode(object? value) => value switch
    {
        null or long or double => value,
        string text => Texts + text,
        bool truth => truth ? Booleans + "1" : Booleans + "0",
        _ => throw new ArgumentException($"a key's value is null, string, bool, long or double, not {value.GetType()}", nameof(value)),
    };

    /// <summary>Encodes values as one JSON array, for <c>json_each</c>.</summary>
    public static string EncodeAll(IEnumerable<object?> values) => Write(writer =>
    {
        writer.WriteStartArray();
        foreach (var value in values)
        {
            if (Encode(value) is string text) writer.WriteStringValue(text);
            else if (value is long whole) writer.WriteNumberValue(whole);
            else if (value is double number) writer.WriteNumberValue(number);
        }

        writer.WriteEndArray();
    });

    /// <summary>Decodes the value of a column for a keyset.</summary>
    public static object? Read(Row row, int column) => row.GetValue(column) switch
    {
        string text when text.StartsWith('s') => text[1..],
        string text when text.StartsWith('b') => text == Booleans + "1",
        string => null, // an object: nothing sorts by it
        null => null,
        var number => number,
    };

    private static object? ValueOf(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.String => json.GetString(),
        JsonValueKind.True or JsonValueKind.False => json.GetBoolean(),
        JsonValueKind.Number => json.TryGetInt64(out var whole) ? whole : (object)json.GetDouble(),
        _ => null,
    };

    private delegate void WriteValue(Utf8JsonWriter writer, JsonProperty property);

    private static string Object(JsonElement keys, WriteValue write) => Write(writer =>
    {
        writer.WriteStartObject();
        foreach (var property in keys.EnumerateObject())
        {
            if (property.Value.ValueKind is JsonValueKind.Object)
            {
                writer.WriteStartObject(KeyName.Of(property.Name));
                foreach (var inner in property.Value.EnumerateObject()) write(writer, inner);
                writer.WriteEndObject();
            }
            else
            {
                write(writer, property);
            }
        }

        writer.WriteEndObject();
    });

    private static void WriteScalar(Utf8JsonWriter writer, JsonProperty property, ref bool anyArrays)
    {
        switch (property.Value.ValueKind)
        {
            case JsonValueKind.Array: anyArrays = true; break;
            case JsonValueKind.String: writer.WriteString(KeyName.Of(property.Name), Texts + property.Value.GetString()); break;
            case JsonValueKind.True or JsonValueKind.False: writer.WriteString(KeyName.Of(property.Name), (string?)Encode(property.Value.GetBoolean())); break;
            case JsonValueKind.Number: WriteNumber(writer, property); break;
        }
    }

    /// <summary>Writes a number as <see cref="EncodeAll"/> writes an equal one.</summary>
    private static void WriteNumber(Utf8JsonWriter writer, JsonProperty property)
    {
        if (property.Value.TryGetInt64(out var whole)) writer.WriteNumber(KeyName.Of(property.Name), whole);
        else writer.WriteNumber(KeyName.Of(property.Name), property.Value.GetDouble());
    }

    private static void WriteArray(Utf8JsonWriter writer, JsonProperty property)
    {
        if (property.Value.ValueKind is not JsonValueKind.Array) return;
        writer.WritePropertyName(KeyName.Of(property.Name));
        property.Value.WriteTo(writer);
    }

    private static string Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer, Plain)) write(writer);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
