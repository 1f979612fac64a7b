using System.Globalization;
using System.Text;
using System.Text.Json;

namespace NodeStash.Functions.Api.Tests.Properties;

/// <summary>A filter of a list, and what the contract says it means, evaluated on attributes as the API answers them.</summary>
/// <param name="Name">Of the field, e.g. <c>email</c>, <c>custom_fields[score]</c> or <c>company.industry</c>.</param>
/// <param name="Operator">E.g. <c>gte</c>; null for the filter that is named like the field.</param>
/// <param name="Value">As given.</param>
/// <param name="Kind">What the field holds.</param>
internal sealed record Filter(string Name, string? Operator, string Value, FieldKind Kind)
{
    private const string CustomFields = "custom_fields[";

    /// <summary>As a query parameter.</summary>
    public override string ToString() => $"{Uri.EscapeDataString(Operator is null ? Name : $"{Name}[{Operator}]")}={Uri.EscapeDataString(Value)}";

    /// <param name="attributes">Of a record.</param>
    /// <param name="linked">The attributes of what a link points to, by id.</param>
    public bool Holds(JsonElement attributes, IReadOnlyDictionary<string, JsonElement> linked)
    {
        if (Name.Split('.') is [var link, var inner])
            return attributes.GetProperty(link + "_id").GetString() is { } id && (this with { Name = inner }).Holds(linked[id], linked);
        return Kind switch
        {
            FieldKind.List => OnList([.. attributes.GetProperty(Name).EnumerateArray().Select(item => item.GetString()!)]),
            FieldKind.Custom => OnCustom(attributes.GetProperty("custom_fields").TryGetProperty(Name[CustomFields.Length..^1], out var value) ? value : null),
            _ => attributes.GetProperty(Name) is { ValueKind: not JsonValueKind.Null } value
                ? OnValue(value)
                : Operator is "neq" || (Operator is "exists" && Value is "false"),
        };
    }

    private static string Fold(string text) => text.ToLowerInvariant();

    private static int Compare(string left, string right) => Encoding.UTF8.GetBytes(left).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(right));

    private string[] Values => Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private bool OnValue(JsonElement value) => Operator switch
    {
        null when Kind is FieldKind.Text => Fold(value.GetString()!).Contains(Fold(Value), StringComparison.Ordinal),
        null or "eq" => Order(value, Value) == 0,
        "neq" => Order(value, Value) != 0,
        "gt" => Order(value, Value) > 0,
        "gte" => Order(value, Value) >= 0,
        "lt" => Order(value, Value) < 0,
        "lte" => Order(value, Value) <= 0,
        "in" => Values.Any(one => Order(value, one) == 0),
        "contains" => Fold(value.GetString()!).Contains(Fold(Value), StringComparison.Ordinal),
        "starts_with" => Fold(value.GetString()!).StartsWith(Fold(Value), StringComparison.Ordinal),
        "exists" => Value is "true",
        _ => throw new InvalidOperationException(Operator),
    };

    private int Order(JsonElement value, string given) => Kind switch
    {
        FieldKind.Text => Compare(Fold(value.GetString()!), Fold(given)),
        FieldKind.Code => Compare(value.GetString()!, given),
        FieldKind.Money => decimal.Parse(value.GetString()!, CultureInfo.InvariantCulture).CompareTo(decimal.Parse(given, CultureInfo.InvariantCulture)),
        FieldKind.Flag => value.GetBoolean().CompareTo(bool.Parse(given)),
        FieldKind.Time => value.GetDateTimeOffset().CompareTo(DateTimeOffset.Parse(given, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal)),
        FieldKind.Date => DateOnly.Parse(value.GetString()!, CultureInfo.InvariantCulture).CompareTo(DateOnly.Parse(given, CultureInfo.InvariantCulture)),
        _ => throw new InvalidOperationException(Kind.ToString()),
    };

    private bool OnList(IReadOnlyList<string> members) => Operator switch
    {
        null => Values.All(members.Contains),
        "eq" => members.Contains(Value),
        "neq" => !members.Contains(Value),
        "in" => Values.Any(members.Contains),
        "exists" => members.Count > 0 == (Value is "true"),
        _ => throw new InvalidOperationException(Operator),
    };

    private bool OnCustom(JsonElement? value) => Operator switch
    {
        null or "eq" => Is(value, Value),
        "neq" => !Is(value, Value),
        "in" => Values.Any(one => Is(value, one)),
        "exists" => (value is not null) == (Value is "true"),
        "contains" => value is { ValueKind: JsonValueKind.String } text && Fold(text.GetString()!).Contains(Fold(Value), StringComparison.Ordinal),
        "starts_with" => value is { ValueKind: JsonValueKind.String } text && Fold(text.GetString()!).StartsWith(Fold(Value), StringComparison.Ordinal),
        "gt" => ByType(value) > 0,
        "gte" => ByType(value) >= 0,
        "lt" => ByType(value) < 0,
        "lte" => ByType(value) <= 0,
        _ => throw new InvalidOperationException(Operator),
    };

    /// <summary>A value is compared by its own JSON type; a list is what it has.</summary>
    private static bool Is(JsonElement? value, string given) => value switch
    {
        { ValueKind: JsonValueKind.String } text => Fold(text.GetString()!) == Fold(given),
        { ValueKind: JsonValueKind.Number } number => NumberOrder(number, given) == 0,
        { ValueKind: JsonValueKind.True or JsonValueKind.False } flag => given == (flag.GetBoolean() ? "true" : "false"),
        { ValueKind: JsonValueKind.Array } list =>
            list.EnumerateArray().Any(item => item.ValueKind is JsonValueKind.String && Fold(item.GetString()!) == Fold(given)),
        _ => false,
    };

    /// <summary>How the value compares; null where it does not.</summary>
    private int? ByType(JsonElement? value) => value switch
    {
        { ValueKind: JsonValueKind.String } text => Compare(Fold(text.GetString()!), Fold(Value)),
        { ValueKind: JsonValueKind.Number } number => NumberOrder(number, Value),
        _ => null,
    };

    private static int? NumberOrder(JsonElement number, string given)
    {
        if (!double.TryParse(given, NumberStyles.Float, CultureInfo.InvariantCulture, out var wanted)) return null;
        if (number.TryGetInt64(out var whole) && long.TryParse(given, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var exact))
            return whole.CompareTo(exact);
        return number.GetDouble().CompareTo(wanted);
    }
}

internal enum FieldKind
{
    /// <summary>Compared by its folded form.</summary>
    Text,

    /// <summary>Compared as it is.</summary>
    Code,
    Money,
    Flag,
    Time,
    Date,
    List,
    Custom,
}
