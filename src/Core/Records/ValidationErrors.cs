using System.Text.Json;

namespace NodeStash.Core.Records;

/// <summary>Gathers every fault of a request, so that all are answered at once. At most 100 are kept.</summary>
public sealed class ValidationErrors
{
    private const int MaxErrors = 100;
    private readonly List<FieldError> list = [];

    public bool Any => list.Count > 0;

    public IReadOnlyList<FieldError> All => list;

    /// <summary>Whether a field has a fault already.</summary>
    public bool Has(string field) => list.Exists(f => f.Field == field);

    /// <summary>Whether a field, or something inside it (<c>stages[0].name</c>), has a fault already.</summary>
    public bool Within(string field) =>
        list.Exists(f => f.Field.StartsWith(field, StringComparison.Ordinal) && (f.Field.Length == field.Length || f.Field[field.Length] is '[' or '.'));

    /// <summary>Adds a fault; answers null, so that a reader of a value can return it.</summary>
    public object? Add(string field, string message)
    {
        if (list.Count < MaxErrors) list.Add(new FieldError(field, message));
        return null;
    }

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
