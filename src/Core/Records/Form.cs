using System.Text.Json;
using NodeStash.Core.Values;

namespace NodeStash.Core.Records;

/// <summary>The members of a JSON object that a client sends. It is read whole: every faulty member is reported at once.</summary>
public sealed class Form
{
    private readonly string[] names;

    /// <param name="fields">The members, in the order they are documented.</param>
    public Form(params IReadOnlyList<Field> fields)
    {
        Fields = fields;
        names = [.. fields.Select(field => field.Name)];
    }

    /// <summary>Takes no member at all.</summary>
    public static Form Empty { get; } = new();

    /// <summary>The members, in the order they are documented.</summary>
    public IReadOnlyList<Field> Fields { get; }

    /// <summary>Names that a client may know from answers, and cannot set.</summary>
    public IReadOnlyList<string> SetByServer { get; init; } = [];

    /// <summary>Reads a body.</summary>
    /// <param name="body">A JSON object without duplicate names.</param>
    /// <param name="check">Adds what is wrong beyond single members, of the values that are sound; null for nothing.</param>
    /// <returns>The values, or every fault.</returns>
    public Result<FormValues> Read(JsonElement body, Action<FormValues, ValidationErrors>? check = null)
    {
        var errors = new ValidationErrors();
        var values = Read(body, "", errors);
        check?.Invoke(values, errors);
        return errors.Any ? Error.Invalid(errors.All) : values;
    }

    /// <summary>Reads an object inside a body.</summary>
    /// <param name="json">A JSON object without duplicate names.</param>
    /// <param name="path">What stands before the names of faulty members, e.g. <c>stages[0].</c>; empty for a body.</param>
    /// <param name="errors">Where faults go.</param>
    /// <param name="isChange">Whether members may be absent, because there is a value to keep; those that are required must not be null.</param>
    /// <returns>The values that are sound.</returns>
    public FormValues Read(JsonElement json, string path, ValidationErrors errors, bool isChange = false)
    {
        var given = new Dictionary<Field, object>();
        var seen = new HashSet<Field>();
        foreach (var member in json.EnumerateObject())
        {
            var at = path + member.Name;
            if (Fields.FirstOrDefault(field => field.Name == member.Name) is not { } field)
            {
                errors.Add(at, SetByServer.Contains(member.Name) ? "Set by the server" : Suggestion.Unknown("field", member.Name, names));
                continue;
            }

            seen.Add(field);
            if (member.Value.ValueKind is JsonValueKind.Null)
            {
                if (field.IsRequired || isChange) errors.Add(at, "Required, can't be null");
            }
            else if (field.Read(member.Value, at, errors) is { } value)
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

/// <summary>What a client gave of a form.</summary>
/// <param name="given">The values by field, in the types of the fields' readers.</param>
public sealed class FormValues(IReadOnlyDictionary<Field, object> given)
{
    /// <summary>Whether the client gave a value that is sound.</summary>
    public bool Gives(Field field) => given.ContainsKey(field);

    /// <summary>The value of a field; its default where the client gave none; null where it has none.</summary>
    public object? this[Field field] => given.GetValueOrDefault(field) ?? field.Default;
}
