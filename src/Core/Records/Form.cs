using System.Text.Json;
using NodeStash.Core.Values;

namespace NodeStash.Core.Records;

/// <summary>Describes and reads a JSON object that a client sends. Reading reports every invalid member at once.</summary>
public sealed class Form
{
    private readonly string[] names;

    /// <summary>Creates a form of these members.</summary>
    /// <param name="fields">The members, in the order they are documented.</param>
    public Form(params IReadOnlyList<Field> fields)
    {
        Fields = fields;
        names = [.. fields.Select(field => field.Name)];
    }

    /// <summary>A form that accepts no member.</summary>
    public static Form Empty { get; } = new();

    /// <summary>The members, in the order they are documented.</summary>
    public IReadOnlyList<Field> Fields { get; }

    /// <summary>Members that answers show but a client can't set. They get an error of their own.</summary>
    public IReadOnlyList<string> SetByServer { get; init; } = [];

    /// <summary>Reads the body of a request.</summary>
    /// <param name="body">A JSON object without duplicate names.</param>
    /// <param name="check">Checks the valid values further, e.g. two of them together, and adds errors; null for no further check.</param>
    /// <returns>The values, or one error that lists every invalid member.</returns>
    public Result<FormValues> Read(JsonElement body, Action<FormValues, ValidationErrors>? check = null)
    {
        var errors = new ValidationErrors();
        var values = Read(body, "", errors);
        check?.Invoke(values, errors);
        return errors.Any ? Error.Invalid(errors.All) : values;
    }

    /// <summary>Reads an object inside a body.</summary>
    /// <param name="json">A JSON object without duplicate names.</param>
    /// <param name="path">The prefix of member names in errors, e.g. <c>stages[0].</c>; empty for a body.</param>
    /// <param name="errors">Takes the errors.</param>
    /// <param name="isChange">Whether the object changes stored values. Then any member may be absent, and none may be null.</param>
    /// <returns>The valid values.</returns>
    public FormValues Read(JsonElement json, string path, ValidationErrors errors, bool isChange = false)
    {
        var given = new Dictionary<Field, object>();
        var seen = new HashSet<Field>();
        foreach (var member in json.EnumerateObject())
        {
            var memberPath = path + member.Name;
            if (Fields.FirstOrDefault(field => field.Name == member.Name) is not { } field)
            {
                errors.Add(memberPath, SetByServer.Contains(member.Name) ? "Set by the server; leave it out" : Suggestion.Unknown("field", member.Name, names));
                continue;
            }

            seen.Add(field);
            if (member.Value.ValueKind is JsonValueKind.Null)
            {
                if (field.IsRequired || isChange) errors.Add(memberPath, "Required, can't be null");
            }
            else if (field.Read(member.Value, memberPath, errors) is { } value)
            {
                given[field] = value;
            }
        }

        if (!isChange)
        {
            foreach (var field in Fields.Where(field => field.IsRequired && !seen.Contains(field))) errors.Add(path + field.Name, "Required");
        }

        return new FormValues(given);
    }
}

/// <summary>Holds the valid values that a client gave in a form.</summary>
/// <param name="given">The values by field, in the types that the fields read.</param>
public sealed class FormValues(IReadOnlyDictionary<Field, object> given)
{
    /// <summary>Tells whether the client gave a valid value for a field.</summary>
    public bool Gives(Field field) => given.ContainsKey(field);

    /// <summary>Gets the value of a field. If the client gave none, it is the field's default; null if there is no default.</summary>
    public object? this[Field field] => given.GetValueOrDefault(field) ?? field.Default;
}
