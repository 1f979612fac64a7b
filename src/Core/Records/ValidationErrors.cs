using System.Text.Json;

namespace NodeStash.Core.Records;

/// <summary>Collects the errors of a request, so that one answer reports all of them. It keeps the first 100.</summary>
public sealed class ValidationErrors
{
    private const int MaxErrors = 100;
    private readonly List<FieldError> list = [];

    /// <summary>Whether there is any error.</summary>
    public bool Any => list.Count > 0;

    /// <summary>The errors, in the order they were added.</summary>
    public IReadOnlyList<FieldError> All => list;

    /// <summary>Tells whether a field has an error.</summary>
    public bool Has(string field) => list.Exists(f => f.Field == field);

    /// <summary>Tells whether a field, or a member inside it (<c>stages[0].name</c>), has an error.</summary>
    public bool Within(string field) =>
        list.Exists(f => f.Field.StartsWith(field, StringComparison.Ordinal) && (f.Field.Length == field.Length || f.Field[field.Length] is '[' or '.'));

    /// <summary>Adds an error.</summary>
    /// <returns>Always null, so that a method that reads a value can return it.</returns>
    public object? Add(string field, string message)
    {
        if (list.Count < MaxErrors) list.Add(new FieldError(field, message));
        return null;
    }

    /// <summary>Adds the error that a value has the wrong JSON type.</summary>
    /// <param name="field">The field that has the value.</param>
    /// <param name="expected">The expected type with its article, e.g. <c>a string</c>.</param>
    /// <param name="found">The value.</param>
    /// <returns>Always null, so that a method that reads a value can return it.</returns>
    public object? WrongType(string field, string expected, JsonElement found) => Add(field, $"Expected {expected}, found {Kind(found)}");

    private static string Kind(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        JsonValueKind.Array => "an array",
        JsonValueKind.Object => "an object",
        _ => "null",
    };
}
