using System.Text.Json;
using NodeStash.Core.Values;

namespace NodeStash.Core.Records;

/// <summary>Holds the fields that a client gave for a record, each checked against the schema.</summary>
public sealed class Input
{
    private readonly List<KeyValuePair<Field, object?>> given = [];

    private Input()
    {
    }

    /// <summary>Reads the body of a request.</summary>
    /// <param name="schema">The resource of the record.</param>
    /// <param name="body">A JSON object that passed <see cref="StrictJson"/>.</param>
    /// <param name="current">The record to change; null on create.</param>
    /// <param name="errors">Takes every error of the body.</param>
    /// <returns>The valid fields.</returns>
    public static Input Read(Schema schema, JsonElement body, Record? current, ValidationErrors errors)
    {
        var input = new Input();
        foreach (var property in body.EnumerateObject())
        {
            if (schema.Find(property.Name) is { Access: not FieldAccess.Internal } field) input.ReadField(field, property.Value, current, errors);
            else if (property.Name is "id") errors.Add("id", "Set by the server; leave it out");
            else errors.Add(property.Name, Suggestion.Unknown("field", property.Name, SettableNames(schema)));
        }

        return input;
    }

    /// <summary>Tells whether the client gave a valid value, not null, for a field.</summary>
    public bool Gives(Field field) => given.Exists(g => g.Key == field && g.Value is not null);

    /// <summary>Sets the fields of a record. A null sets the field's default. A map is merged into the record's map.</summary>
    /// <param name="record">The record to change.</param>
    /// <param name="errors">Takes the error of a merged map that is too large.</param>
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
            errors.Add(field.Name, "Set by the server; leave it out");
            return;
        }

        if (json.ValueKind is JsonValueKind.Null)
        {
            if (field.IsRequired) errors.Add(field.Name, "Required, can't be null");
            else if (current is null || field.Access is not FieldAccess.CreateOnly || current[field] is null) given.Add(new(field, null));
            else errors.Add(field.Name, "Can't be changed after creation; leave it out");
            return;
        }

        var errorsBefore = errors.All.Count;
        var value = field.Read(json, field.Name, errors);
        if (errors.All.Count > errorsBefore) return;
        if (current is not null && field.Access is FieldAccess.CreateOnly)
        {
            if (!field.Same(current[field], value)) errors.Add(field.Name, "Can't be changed after creation; leave it out");
            return;
        }

        given.Add(new(field, value));
    }

    private static IEnumerable<string> SettableNames(Schema schema) =>
        schema.Fields.Where(f => f.Access is FieldAccess.ReadWrite or FieldAccess.CreateOnly).Select(f => f.Name);
}
