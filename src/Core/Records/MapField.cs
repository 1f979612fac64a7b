using System.Text.Json;
using NodeStash.Core.Values;

namespace NodeStash.Core.Records;

/// <summary>
/// Defines a JSON object whose names the client chooses, such as <c>custom_fields</c> or <c>metadata</c>. Values are kept as given; updates are merged.
/// </summary>
/// <param name="name">The name in JSON.</param>
public sealed class MapField(string name) : Field(name)
{
    /// <summary>The maximum number of names.</summary>
    public const int MaxNames = 100;

    /// <summary>The maximum size in bytes, as UTF-8 JSON.</summary>
    public const int MaxBytes = 32 * 1024;

    private const int MaxNameLength = 100;

    /// <summary>Whether the map holds custom fields: names must be slugs (<see cref="Text.IsSlug"/>), and lists can filter and sort by them.</summary>
    public bool IsCustomFields { get; init; }

    /// <summary>Whether the store keeps keys of the values for the engine's own queries, even if they are not custom fields.</summary>
    public bool IsFound { get; init; }

    /// <inheritdoc/>
    public override Facets Facets => new(JsonType.Object) { MaxItems = MaxNames };

    /// <inheritdoc/>
    public override bool HasKey => IsCustomFields || IsFound;

    /// <inheritdoc/>
    public override object? EmptyValue => JsonMap.Empty;

    /// <summary>Gets the map in a record; empty for none.</summary>
    public JsonMap Of(Record record) => (JsonMap?)record[this] ?? JsonMap.Empty;

    /// <inheritdoc/>
    public override object? Read(JsonElement json, string path, ValidationErrors errors)
    {
        if (json.ValueKind is not JsonValueKind.Object) return errors.WrongType(path, "an object", json);
        var errorsBefore = errors.All.Count;
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

        return errors.All.Count == errorsBefore ? new JsonMap(map) : null;
    }

    /// <inheritdoc/>
    public override object? Load(JsonElement json) =>
        new JsonMap([.. json.EnumerateObject().Select(p => new KeyValuePair<string, JsonElement>(p.Name, p.Value))]);

    /// <summary>Merges a patch into a map: sets the names of the patch, and removes those that are null in it.</summary>
    /// <returns>The merged map; null, with an error added, if it would exceed <see cref="MaxNames"/> or <see cref="MaxBytes"/>.</returns>
    public JsonMap? Merge(JsonMap old, JsonMap patch, ValidationErrors errors)
    {
        var merged = old.Merge(patch);
        if (merged.Count > MaxNames) return (JsonMap?)errors.Add(Name, $"At most {MaxNames} names; with this change there would be {merged.Count}");
        return merged.Bytes > MaxBytes
            ? (JsonMap?)errors.Add(Name, $"At most {MaxBytes} bytes of JSON; with this change there would be {merged.Bytes}")
            : merged;
    }

    /// <inheritdoc/>
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
    /// Writes the values that queries can compare: folded texts, numbers, booleans, and the folded texts of lists. An object is written as an empty
    /// list, so that queries see that the name has a value.
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

    /// <inheritdoc/>
    public override object? ReadKey(string text, string parameter, ValidationErrors errors) => Text.Fold(text);

    /// <inheritdoc/>
    public override bool Same(object? left, object? right) => ((JsonMap?)left ?? JsonMap.Empty).Same((JsonMap?)right ?? JsonMap.Empty);
}
