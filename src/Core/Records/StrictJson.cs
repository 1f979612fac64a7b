using System.Text.Json;

namespace NodeStash.Core.Records;

/// <summary>
/// Reads clients' JSON strictly (RFC 8259; I-JSON, RFC 7493): at most 32 levels deep, no duplicate names, no lone surrogates, no NUL characters, no
/// numbers beyond a double. So every store and every webhook receiver can hold what was read.
/// </summary>
public static class StrictJson
{
    /// <summary>The maximum number of nested objects and arrays, including the outermost.</summary>
    public const int MaxDepth = 32;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = true };

    /// <summary>Parses and checks a body, which must be a JSON object.</summary>
    /// <param name="utf8">The body.</param>
    /// <param name="errors">Takes every error that the check finds. A syntax error is the only one, because parsing stops there.</param>
    /// <returns>The object; null if it is invalid.</returns>
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

        var errorsBefore = errors.All.Count;
        Check(root, "", errors);
        return errors.All.Count == errorsBefore ? root : null;
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
                else if (text.Contains('\0', StringComparison.Ordinal)) errors.Add(path, "Contains a NUL character; remove it");
                break;
            case JsonValueKind.Number:
                if (!element.TryGetDouble(out var number) || !double.IsFinite(number)) errors.Add(path, "Number out of range: it does not fit a double");
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
            if (seen?.Add(name) == false) errors.Add(inner, "Given more than once; keep one");
            else Check(property.Value, inner, errors);
        }
    }

    /// <summary>Gets the text of a string; null if it is not valid Unicode.</summary>
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

    /// <summary>Gets the name of a member; null if it is not valid Unicode.</summary>
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
