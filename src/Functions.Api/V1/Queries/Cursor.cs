using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Functions.Api.V1.Queries;

/// <summary>Writes and reads the opaque cursors of lists. A cursor is a place between two rows, bound to the sort and filters it was made with.</summary>
internal static class Cursor
{
    private const int MaxCursorLength = 8 * 1024;
    public const string Wrong = "Not a cursor of this list: pass next_cursor as it was answered, with the same sort and filters";

    public static string Write(Keyset place, string fingerprint) => Base64Url.EncodeToString(JsonForm.Object(writer =>
    {
        writer.WriteString("q"u8, fingerprint);
        writer.WriteStartArray("v"u8);
        foreach (var value in place.Values) WriteValue(writer, value);
        writer.WriteEndArray();
        writer.WriteString("id"u8, place.Id);
    }).Span);

    /// <summary>Reads a cursor.</summary>
    /// <returns>The place; null, with a validation error added, where the text is no cursor of this query.</returns>
    public static Keyset? Read(string cursor, string fingerprint, int sortKeys, ValidationErrors errors)
    {
        try
        {
            if (cursor.Length is 0 or > MaxCursorLength || !Base64Url.IsValid(cursor)) return (Keyset?)errors.Add("cursor", Wrong);
            var json = JsonElement.Parse(Base64Url.DecodeFromChars(cursor));
            if (json.GetProperty("q").GetString() != fingerprint) return (Keyset?)errors.Add("cursor", Wrong);
            var values = json.GetProperty("v").EnumerateArray().Select(ReadValue).ToList();
            return values.Count == sortKeys ? new Keyset(values, json.GetProperty("id").GetString()!) : (Keyset?)errors.Add("cursor", Wrong);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return (Keyset?)errors.Add("cursor", Wrong);
        }
    }

    /// <summary>Hashes the query that a cursor belongs to. The cursor itself, the limit and the view are left out: they may change from page to page.</summary>
    public static string Fingerprint(string resource, IReadOnlyList<KeyValuePair<string, string>> parameters)
    {
        var text = new StringBuilder(resource);
        foreach (var (name, value) in parameters.Where(p => p.Key is not ("cursor" or "limit" or "include" or "fields"))
            .OrderBy(p => p.Key, StringComparer.Ordinal))
            text.Append('\n').Append(name).Append('=').Append(value);
        return Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())).AsSpan(0, 9));
    }

    private static void WriteValue(Utf8JsonWriter writer, object? value)
    {
        switch (value)
        {
            case string text: writer.WriteStringValue(text); break;
            case bool flag: writer.WriteBooleanValue(flag); break;
            case long number: writer.WriteNumberValue(number); break;
            case double number: writer.WriteNumberValue(number); break;
            default: writer.WriteNullValue(); break;
        }
    }

    private static object? ReadValue(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number => value.TryGetInt64(out var number) ? (object)number : value.GetDouble(),
        JsonValueKind.Null => null,
        _ => throw new JsonException("A cursor holds plain values only."),
    };
}
