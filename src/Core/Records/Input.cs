using System.Text.Json;
using NodeStash.Core.Values;

namespace NodeStash.Core.Records;

/// <summary>The fields a client gave, read and checked one by one against the schema.</summary>
public sealed class Input
{
    private readonly List<KeyValuePair<Field, object?>> given = [];

    private Input()
    {
    }

    /// <summary>Reads a body. Every fault goes to <paramref name="errors"/>; what is sound is in the answer.</summary>
    /// <param name="schema">What it should be.</param>
    /// <param name="body">A JSON object that passed <see cref="StrictJson"/>.</param>
    /// <param name="current">The record to be changed; null on create.</param>
    /// <param name="errors">Where faults go.</param>
    public static Input Read(Schema schema, JsonElement body, Record? current, ValidationErrors errors)
    {
        var input = new Input();
        foreach (var property in body.EnumerateObject())
        {
            if (schema.Find(property.Name) is { Access: not FieldAccess.Internal } field) input.ReadField(field, property.Value, current, errors);
            else if (property.Name is "id") errors.Add("id", "Set by the server");
            else errors.Add(property.Name, Suggestion.Unknown("field", property.Name, Settable(schema)));
        }

        return input;
    }

    /// <summary>Whether the client gave a value for the field.</summary>
    public bool Gives(Field field) => given.Exists(g => g.Key == field && g.Value is not null);

    /// <summary>Puts the values into a record. Maps are merged with what the record has.</summary>
    public void ApplyTo(Record record, ValidationErrors errors)
    {
        foreach (var (field, value) in given)
        {
            record[field] = field is MapField map && value is JsonMap patch ? map.Merge(map.Of(record), patch, errors) : value ?? field.Default;
        }
    }

    private void ReadField(Field field, JsonElement json, Record? current, ValidationErrors errors)
    {
        if (field.Access is FieldAccess.ReadOnly)
        {
            errors.Add(field.Name, "Set by the server");
            return;
        }

        if (json.ValueKind is JsonValueKind.Null)
        {
            if (field.IsRequired) errors.Add(field.Name, "Required, can't be null");
            else if (current is null || field.Access is not FieldAccess.CreateOnly || current[field] is null) given.Add(new(field, null));
            else errors.Add(field.Name, "Can't be changed");
            return;
        }

        var before = errors.All.Count;
        var value = field.Read(json, field.Name, errors);
        if (errors.All.Count > before) return;
        if (current is not null && field.Access is FieldAccess.CreateOnly)
        {
            if (!field.Same(current[field], value)) errors.Add(field.Name, "Can't be changed");
            return;
        }

        given.Add(new(field, value));
    }

    private static IEnumerable<string> Settable(Schema schema) =>
        schema.Fields.Where(f => f.Access is FieldAccess.ReadWrite or FieldAccess.CreateOnly).Select(f => f.Name);
}
