global using JsonArray = System.Collections.Generic.List<object?>;
global using JsonObject = System.Collections.Generic.OrderedDictionary<string, object?>;
using System.Buffers;
using System.Text;
using System.Text.Json;

namespace NodeStash.CosmosStandIn;

/// <summary>
/// JSON as the database holds it: <c>null</c>, <c>bool</c>, <c>double</c>, <c>string</c>, <c>JsonArray</c> and <c>JsonObject</c>. Every number is a
/// double, as it is there: an integer beyond 2^53 comes back rounded. A value that is stored is never changed; a patch works on a copy.
/// </summary>
internal static class Json
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static object? Parse(ReadOnlyMemory<byte> utf8)
    {
        using var document = JsonDocument.Parse(utf8);
        return From(document.RootElement);
    }

    public static object? Parse(string text) => Parse(Encoding.UTF8.GetBytes(text));

    public static object? From(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                var members = new JsonObject();
                foreach (var member in element.EnumerateObject()) members[member.Name] = From(member.Value);
                return members;
            case JsonValueKind.Array:
                var items = new JsonArray(element.GetArrayLength());
                foreach (var item in element.EnumerateArray()) items.Add(From(item));
                return items;
            case JsonValueKind.String: return element.GetString();
            case JsonValueKind.Number: return element.GetDouble();
            case JsonValueKind.True: return true;
            case JsonValueKind.False: return false;
            default: return null;
        }
    }

    public static byte[] Bytes(object? value)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Plain)) Write(writer, value);
        return buffer.WrittenSpan.ToArray();
    }

    public static string Text(object? value) => Encoding.UTF8.GetString(Bytes(value));

    public static object? Copy(object? value) => value switch
    {
        JsonObject members => new JsonObject(members.Select(member => KeyValuePair.Create(member.Key, Copy(member.Value)))),
        JsonArray items => items.ConvertAll(Copy),
        _ => value,
    };

    private static void Write(Utf8JsonWriter writer, object? value)
    {
        switch (value)
        {
            case null: writer.WriteNullValue(); break;
            case bool flag: writer.WriteBooleanValue(flag); break;
            case string text: writer.WriteStringValue(text); break;
            case double number when Math.Abs(number) < 9e18 && double.IsInteger(number): writer.WriteNumberValue((long)number); break;
            case double number: writer.WriteNumberValue(number); break;
            case int number: writer.WriteNumberValue(number); break;
            case long number: writer.WriteNumberValue(number); break;
            case JsonArray items:
                writer.WriteStartArray();
                foreach (var item in items) Write(writer, item);
                writer.WriteEndArray();
                break;
            case JsonObject members:
                writer.WriteStartObject();
                foreach (var (name, member) in members)
                {
                    writer.WritePropertyName(name);
                    Write(writer, member);
                }

                writer.WriteEndObject();
                break;
            default: throw new InvalidOperationException($"{value.GetType()} is no JSON.");
        }
    }
}
