using System.Text.Json;

namespace NodeStash.Core.Records;

/// <summary>
/// Reads JSON of clients strictly (RFC 8259 and I-JSON, RFC 7493): at most 32 levels deep, no duplicate names, no lone surrogates, no NUL
/// characters, no numbers beyond a double. Everything past it is text and numbers that any store and any receiver can hold.
/// </summary>
public static class StrictJson
{
    /// <summary>Levels of objects and arrays, the outermost counted.</summary>
    public const int MaxDepth = 32;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = true };

    /// <summary>The parsed body, which must be an object; null with faults added where it is not sound.</summary>
    public static JsonElement? ReadObject(ReadOnlyMemory<byte> utf8, ValidationErrors errors)
    {
        JsonElement root;
        try
        {
            root = JsonDocument.Parse(utf8, Options).RootElement;
        }
        catch (JsonException e)
        {
            var where = e is { LineNumber: { } line, BytePositionInLine: { } column } ? $" at line {line + 1}, byte {column + 1}" : "";
            errors.Add("body", utf8.IsEmpty
                ? "A JSON object is required"
                : e.Message.Contains("depth", StringComparison.Ordinal) ? $"Nested deeper than {MaxDepth} levels{where}" : $"Not valid JSON{where}");
            return null;
        }

        if (root.ValueKind is not JsonValueKind.Object)
        {
            errors.WrongType("body", "a JSON object", root);
            return null;
        }

        var before = errors.All.Count;
        Check(root, "", errors);
        return errors.All.Count == before ? root : null;
    }

    private static void Check(JsonElement element, string path, ValidationErrors errors)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                CheckObject(element, path, errors);
                break;
            case JsonValueKind.Array:
                var i = 0;
                foreach (var item in element.EnumerateArray()) Check(item, $"{path}[{i++}]", errors);
                break;
            case JsonValueKind.String:
                if (TextOf(element) is not { } text) errors.Add(path, "Not valid Unicode: a surrogate without its pair");
                else if (text.Contains('\0', StringComparison.Ordinal)) errors.Add(path, "Contains a NUL character");
                break;
            case JsonValueKind.Number:
                if (!element.TryGetDouble(out var number) || !double.IsFinite(number)) errors.Add(path, "Number out of range");
                break;
        }
    }

    private static void CheckObject(JsonElement element, string path, ValidationErrors errors)
    {
        HashSet<string>? seen = element.GetPropertyCount() > 1 ? new(StringComparer.Ordinal) : null;
        foreach (var property in element.EnumerateObject())
        {
            if (NameOf(property) is not { } name || name.Contains('\0', StringComparison.Ordinal))
            {
                errors.Add(path.Length == 0 ? "body" : path, "A name is not valid Unicode or contains a NUL character");
                continue;
            }

            var inner = path.Length == 0 ? name : $"{path}.{name}";
            if (seen?.Add(name) == false) errors.Add(inner, "Given twice");
            else Check(property.Value, inner, errors);
        }
    }

    private static string? TextOf(JsonElement element)
    {
        try
        {
            return element.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static string? NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
