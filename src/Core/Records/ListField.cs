using System.Text.Json;

namespace NodeStash.Core.Records;

/// <summary>An array in a form, each item read by a field.</summary>
/// <param name="name">As in JSON.</param>
/// <param name="item">Reads each item; its name does not count.</param>
/// <param name="min">The fewest items.</param>
/// <param name="max">The most items.</param>
/// <param name="noun">What messages call several of them, e.g. <c>operations</c>.</param>
public sealed class ListField(string name, Field item, int min, int max, string noun) : Field(name)
{
    public override Facets Facets => new(JsonType.Array) { MinItems = min, MaxItems = max, Items = item.Facets };

    /// <summary>Reads the items into a list of what the item's field reads; those that are faulty are left out.</summary>
    public override object? Read(JsonElement json, string path, ValidationErrors errors)
    {
        if (json.ValueKind is not JsonValueKind.Array) return errors.WrongType(path, "an array", json);
        if (json.GetArrayLength() is var count && (count < min || count > max)) return errors.Add(path, $"Expected {min} to {max} {noun}");
        return json.EnumerateArray().Select((one, i) => item.Read(one, $"{path}[{i}]", errors)).OfType<object>().ToList();
    }

    public override void Write(Utf8JsonWriter writer, object value)
    {
        writer.WriteStartArray();
        foreach (var one in (IEnumerable<object>)value) item.Write(writer, one);
        writer.WriteEndArray();
    }

    public override object? ReadKey(string text, string parameter, ValidationErrors errors) => errors.Add(parameter, "Can't be filtered by");
}

/// <summary>A JSON object in a form, read elsewhere: by the schema of a resource, say.</summary>
/// <param name="name">As in JSON.</param>
/// <param name="members">What it may hold; null for whatever the resource of the request takes.</param>
public sealed class ObjectField(string name, Form? members = null) : Field(name)
{
    public override Facets Facets => new(JsonType.Object) { Members = members };

    public override object? Read(JsonElement json, string path, ValidationErrors errors) =>
        json.ValueKind is JsonValueKind.Object ? json : errors.WrongType(path, "an object", json);

    public override void Write(Utf8JsonWriter writer, object value) => ((JsonElement)value).WriteTo(writer);

    public override object? ReadKey(string text, string parameter, ValidationErrors errors) => errors.Add(parameter, "Can't be filtered by");
}
