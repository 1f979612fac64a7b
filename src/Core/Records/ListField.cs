using System.Text.Json;

namespace NodeStash.Core.Records;

/// <summary>Defines an array in a form, whose items are read by another field.</summary>
/// <param name="name">The name in JSON.</param>
/// <param name="item">The field that reads each item; its name is not used.</param>
/// <param name="min">The minimum number of items.</param>
/// <param name="max">The maximum number of items.</param>
/// <param name="noun">The plural noun for items in error messages, e.g. <c>operations</c>.</param>
public sealed class ListField(string name, Field item, int min, int max, string noun) : Field(name)
{
    /// <inheritdoc/>
    public override Facets Facets => new(JsonType.Array) { MinItems = min, MaxItems = max, Items = item.Facets };

    /// <summary>Reads the items into a list. Invalid items are left out and reported.</summary>
    public override object? Read(JsonElement json, string path, ValidationErrors errors)
    {
        if (json.ValueKind is not JsonValueKind.Array) return errors.WrongType(path, "an array", json);
        if (json.GetArrayLength() is var count && (count < min || count > max)) return errors.Add(path, $"Expected {min} to {max} {noun}");
        return json.EnumerateArray().Select((one, i) => item.Read(one, $"{path}[{i}]", errors)).OfType<object>().ToList();
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, object value)
    {
        writer.WriteStartArray();
        foreach (var one in (IEnumerable<object>)value) item.Write(writer, one);
        writer.WriteEndArray();
    }

    /// <inheritdoc/>
    public override object? ReadKey(string text, string parameter, ValidationErrors errors) => errors.Add(parameter, "Can't be used as a filter");
}

/// <summary>Defines a JSON object in a form that other code reads, e.g. the schema of a resource.</summary>
/// <param name="name">The name in JSON.</param>
/// <param name="members">The members of the object; null if they are the fields of the request's resource.</param>
public sealed class ObjectField(string name, Form? members = null) : Field(name)
{
    /// <inheritdoc/>
    public override Facets Facets => new(JsonType.Object) { Members = members };

    /// <inheritdoc/>
    public override object? Read(JsonElement json, string path, ValidationErrors errors) =>
        json.ValueKind is JsonValueKind.Object ? json : errors.WrongType(path, "an object", json);

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, object value) => ((JsonElement)value).WriteTo(writer);

    /// <inheritdoc/>
    public override object? ReadKey(string text, string parameter, ValidationErrors errors) => errors.Add(parameter, "Can't be used as a filter");
}
