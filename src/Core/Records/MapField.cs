using System.Text.Json;
using NodeStash.Core.Values;

namespace NodeStash.Core.Records;

/// <summary>A JSON object of a client's own names, such as <c>custom_fields</c> or <c>metadata</c>: values are kept as given, updates are merged.</summary>
public sealed class MapField(string name) : Field(name)
{
    /// <summary>The most names in all.</summary>
    public const int MaxNames = 100;

    /// <summary>The most bytes in all, as UTF-8 JSON.</summary>
    public const int MaxBytes = 32 * 1024;

    private const int MaxNameLength = 100;

    /// <summary>Whether names must be slugs (<see cref="Text.IsSlug"/>), and can be filtered and sorted by.</summary>
    public bool IsCustomFields { get; init; }

    /// <summary>Whether records are found by its values though they are no custom fields.</summary>
    public bool IsFound { get; init; }

    public override Facets Facets => new(JsonType.Object) { MaxItems = MaxNames };

    public override bool HasKey => IsCustomFields || IsFound;

    public override object? EmptyValue => JsonMap.Empty;

    public JsonMap Of(Record record) => (JsonMap?)record[this] ?? JsonMap.Empty;

    public override object? Read(JsonElement json, string path, ValidationErrors errors)
    {
        if (json.ValueKind is not JsonValueKind.Object) return errors.WrongType(path, "an object", json);
        var before = errors.All.Count;
        var map = new List<KeyValuePair<string, JsonElement>>(json.GetPropertyCount());
        foreach (var property in json.EnumerateObject())
        {
            var problem = IsCustomFields
                ? Text.IsSlug(property.Name, MaxNameLength)
                    ? null
                    : $"A name is a lower-case letter, then lower-case letters, digits and underscores, at most {MaxNameLength} in all"
                : property.Name.Length is > 0 and <= MaxNameLength ? null : $"A name has 1 to {MaxNameLength} characters";
            if (problem is not null) errors.Add($"{path}.{property.Name}", problem);
            map.Add(new(property.Name, property.Value));
        }

        return errors.All.Count == before ? new JsonMap(map) : null;
    }

    public override object? Load(JsonElement json) =>
        new JsonMap([.. json.EnumerateObject().Select(p => new KeyValuePair<string, JsonElement>(p.Name, p.Value))]);

    /// <summary>The old map with the names of the new one set, or removed where null.</summary>
    /// <returns>The map; null with a fault added where it would be too large.</returns>
    public JsonMap? Merge(JsonMap old, JsonMap patch, ValidationErrors errors)
    {
        var merged = old.Merge(patch);
        if (merged.Count > MaxNames) return (JsonMap?)errors.Add(Name, $"At most {MaxNames} names, this would be {merged.Count}");
        return merged.Bytes > MaxBytes ? (JsonMap?)errors.Add(Name, $"At most {MaxBytes} bytes of JSON, this would be {merged.Bytes}") : merged;
    }

    public override void Write(Utf8JsonWriter writer, object value)
    {
        writer.WriteStartObject();
        foreach (var (name, element) in (JsonMap)value)
        {
            writer.WritePropertyName(name);
            element.WriteTo(writer);
        }

        writer.WriteEndObject();
    }

    /// <summary>
    /// What can be compared: texts folded, numbers, booleans, the texts of lists. An object is an empty list: it can't be compared, but it is there.
    /// </summary>
    public override void WriteKey(Utf8JsonWriter writer, object value)
    {
        writer.WriteStartObject();
        foreach (var (name, element) in (JsonMap)value)
        {
            switch (element.ValueKind)
            {
                case JsonValueKind.String:
                    writer.WriteString(name, Text.Fold(element.GetString()!));
                    break;
                case JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False:
                    writer.WritePropertyName(name);
                    element.WriteTo(writer);
                    break;
                case JsonValueKind.Array:
                    writer.WriteStartArray(name);
                    foreach (var item in element.EnumerateArray().Where(item => item.ValueKind is JsonValueKind.String))
                        writer.WriteStringValue(Text.Fold(item.GetString()!));
                    writer.WriteEndArray();
                    break;
                case JsonValueKind.Object:
                    writer.WriteStartArray(name);
                    writer.WriteEndArray();
                    break;
            }
        }

        writer.WriteEndObject();
    }

    public override object? ReadKey(string text, string parameter, ValidationErrors errors) => Text.Fold(text);

    public override bool Same(object? left, object? right) => ((JsonMap?)left ?? JsonMap.Empty).Same((JsonMap?)right ?? JsonMap.Empty);
}
