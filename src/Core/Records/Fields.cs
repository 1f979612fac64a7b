using System.Globalization;
using System.Text.Json;

namespace NodeStash.Core.Records;

/// <summary>A text, sorted and found by its folded form.</summary>
/// <param name="name">As in JSON.</param>
/// <param name="longest">The most characters (Unicode code points).</param>
public class TextField(string name, int longest) : Field(name)
{
    public int Longest { get; } = longest;

    public override Facets Facets => new(JsonType.String) { MinLength = IsRequired ? 1 : null, MaxLength = Longest };

    /// <summary>Whether the case of letters matters in filters (an exact code rather than a text).</summary>
    public bool IsCaseSensitive { get; init; }

    public string? Of(Record record) => (string?)record[this];

    public override object? Read(JsonElement json, string path, Faults faults)
    {
        if (json.ValueKind is not JsonValueKind.String) return faults.WrongType(path, "a string", json);
        var text = json.GetString()!;
        if (text.Length > Longest && text.EnumerateRunes().Count() > Longest) return faults.Add(path, $"At most {Longest} characters");
        if (IsRequired && string.IsNullOrWhiteSpace(text)) return faults.Add(path, "Must not be empty");
        return Fault(text) is { } fault ? faults.Add(path, fault) : text;
    }

    public override void Write(Utf8JsonWriter writer, object value) => writer.WriteStringValue((string)value);

    public override void WriteKey(Utf8JsonWriter writer, object value) => writer.WriteStringValue(ToKey((string)value));

    public override object? ReadKey(string text, string parameter, Faults faults) => ToKey(text);

    /// <summary>What is wrong with a text of allowed length; null if nothing.</summary>
    protected virtual string? Fault(string text) => null;

    private string ToKey(string text) => IsCaseSensitive ? text : Text.Fold(text);
}

public sealed class EmailField(string name) : TextField(name, 254)
{
    public override Facets Facets => base.Facets with { Format = "email" };

    protected override string? Fault(string text) => Text.IsEmail(text) ? null : "Invalid email";
}

/// <summary>One of a fixed set of words.</summary>
public sealed class ChoiceField(string name, params string[] choices) : TextField(name, 100)
{
    public IReadOnlyList<string> Choices { get; } = choices;

    public override Facets Facets => new(JsonType.String) { Choices = Choices };

    public override object? ReadKey(string text, string parameter, Faults faults) =>
        Fault(text) is { } fault ? faults.Add(parameter, fault) : text;

    protected override string? Fault(string text) => choices.Contains(text) ? null : $"Expected one of {string.Join(", ", choices)}";
}

/// <summary>An upper-case ISO 4217 code.</summary>
public sealed class CurrencyField(string name) : TextField(name, 3)
{
    public override Facets Facets => new(JsonType.String) { Pattern = "^[A-Z]{3}$" };

    protected override string? Fault(string text) => Currencies.IsKnown(text) ? null : "Expected an ISO 4217 code in capitals, e.g. EUR";
}

/// <summary>The id of another record of the same workspace.</summary>
public sealed class LinkField(string name, string prefix, string targetType) : Field(name)
{
    public string Prefix { get; } = prefix;

    public override Facets Facets => new(JsonType.String) { Pattern = Ids.Pattern(Prefix) };

    /// <summary>The type it points to.</summary>
    public string TargetType { get; } = targetType;

    /// <summary>Whether the record pointed to may not be deleted while this points to it; else this is cleared.</summary>
    public bool HoldsTarget { get; init; }

    /// <summary>Whether what it points to is a record of the same data set, so that its existence is checked in the commit.</summary>
    public bool IsChecked { get; init; } = true;

    public string? Of(Record record) => (string?)record[this];

    public override object? Read(JsonElement json, string path, Faults faults)
    {
        if (json.ValueKind is not JsonValueKind.String) return faults.WrongType(path, "a string", json);
        return ReadKey(json.GetString()!, path, faults);
    }

    public override void Write(Utf8JsonWriter writer, object value) => writer.WriteStringValue((string)value);

    public override object? ReadKey(string text, string parameter, Faults faults) =>
        Ids.IsId(text, Prefix) ? text : faults.Add(parameter, Ids.Expected(Prefix));
}

public sealed class FlagField(string name) : Field(name)
{
    public override Facets Facets => new(JsonType.Boolean);

    public bool Of(Record record) => record[this] is true;

    public override object? Read(JsonElement json, string path, Faults faults) =>
        json.ValueKind is JsonValueKind.True or JsonValueKind.False ? json.GetBoolean() : faults.WrongType(path, "a boolean", json);

    public override void Write(Utf8JsonWriter writer, object value) => writer.WriteBooleanValue((bool)value);

    public override object? ReadKey(string text, string parameter, Faults faults) => text switch
    {
        "true" => true,
        "false" => false,
        _ => faults.Add(parameter, "Expected true or false"),
    };
}

/// <summary>A whole number between two bounds, both included.</summary>
public sealed class IntegerField(string name, long least, long most) : Field(name)
{
    public override Facets Facets => new(JsonType.Integer) { Minimum = least, Maximum = most };

    public long? Of(Record record) => (long?)record[this];

    public override object? Read(JsonElement json, string path, Faults faults)
    {
        if (json.ValueKind is not JsonValueKind.Number) return faults.WrongType(path, "a whole number", json);
        return json.TryGetInt64(out var number) && number >= least && number <= most ? number : faults.Add(path, $"Expected a whole number from {least} to {most}");
    }

    public override void Write(Utf8JsonWriter writer, object value) => writer.WriteNumberValue((long)value);

    public override object? ReadKey(string text, string parameter, Faults faults) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : faults.Add(parameter, "Expected a whole number");
}

/// <summary>
/// An amount of money: a number or decimal string in, an exact decimal string with two places out, a decimal in between. Never binary
/// floating point. At most 13 digits before the point, so that the minor units, the key, fit a double exactly.
/// </summary>
public sealed class MoneyField(string name) : Field(name)
{
    private const decimal Most = 9_999_999_999_999.99m;
    private const NumberStyles Plain = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint;

    public override Facets Facets => new(JsonType.String) { Pattern = @"^-?\d{1,13}(\.\d{1,2})?$" };

    public decimal? Of(Record record) => (decimal?)record[this];

    public override object? Read(JsonElement json, string path, Faults faults)
    {
        var text = json.ValueKind switch
        {
            JsonValueKind.Number => json.GetRawText(),
            JsonValueKind.String => json.GetString()!,
            _ => null,
        };
        if (text is null) return faults.WrongType(path, "a number or a decimal string", json);

        // JSON numbers may have an exponent; decimal strings may not.
        var style = json.ValueKind is JsonValueKind.Number ? Plain | NumberStyles.AllowExponent : Plain;
        return Parse(text, style, out var amount) is { } fault ? faults.Add(path, fault) : amount;
    }

    public override void Write(Utf8JsonWriter writer, object value) => writer.WriteStringValue(((decimal)value).ToString("0.00", CultureInfo.InvariantCulture));

    public override void WriteKey(Utf8JsonWriter writer, object value) => writer.WriteNumberValue((long)((decimal)value * 100));

    public override object? ReadKey(string text, string parameter, Faults faults) =>
        Parse(text, Plain, out var amount) is { } fault ? faults.Add(parameter, fault) : (long)(amount * 100);

    private static string? Parse(string text, NumberStyles style, out decimal amount)
    {
        // Up to 28 characters nothing is rounded, but for an exponent so small that it leaves nothing.
        if (text.Length > 28 || !decimal.TryParse(text, style, CultureInfo.InvariantCulture, out amount)
            || (amount == 0 && text.AsSpan().TrimStart("-0.").ContainsAnyInRange('1', '9') && !text.AsSpan().TrimStart("-0.").StartsWith("e", StringComparison.OrdinalIgnoreCase)))
        {
            amount = 0;
            return "Expected a decimal amount, e.g. 48000.00 or \"48000.00\"";
        }

        if (decimal.Round(amount, 2) != amount) return "At most two decimal places";
        if (Math.Abs(amount) > Most) return $"Expected an amount from -{Most} to {Most}";
        amount = decimal.Round(amount, 2);
        if (amount == 0) amount = 0; // no negative zero
        return null;
    }
}

/// <summary>A day, <c>YYYY-MM-DD</c>.</summary>
public sealed class DateField(string name) : Field(name)
{
    private const string Expected = "Expected a date of the form YYYY-MM-DD";

    public override Facets Facets => new(JsonType.String) { Format = "date" };

    public override object? Read(JsonElement json, string path, Faults faults)
    {
        if (json.ValueKind is not JsonValueKind.String) return faults.WrongType(path, "a date of the form YYYY-MM-DD", json);
        return Text.TryDate(json.GetString()!, out var date) ? date : faults.Add(path, Expected);
    }

    public override void Write(Utf8JsonWriter writer, object value) => writer.WriteStringValue(Text.Format((DateOnly)value));

    public override object? ReadKey(string text, string parameter, Faults faults) => Text.TryDate(text, out _) ? text : faults.Add(parameter, Expected);
}

/// <summary>A time, kept to the second and answered in UTC. A date stands for its first second.</summary>
public sealed class TimeField(string name) : Field(name)
{
    private const string Expected = "Expected a time such as 2026-01-15T10:30:00Z, or a date";

    public override Facets Facets => new(JsonType.String) { Format = "date-time" };

    public DateTimeOffset? Of(Record record) => (DateTimeOffset?)record[this];

    public override object? Read(JsonElement json, string path, Faults faults)
    {
        if (json.ValueKind is not JsonValueKind.String) return faults.WrongType(path, "a time such as 2026-01-15T10:30:00Z", json);
        return Text.TryTime(json.GetString()!, out var time) ? time : faults.Add(path, Expected);
    }

    public override void Write(Utf8JsonWriter writer, object value) => writer.WriteStringValue(Text.Format((DateTimeOffset)value));

    public override object? ReadKey(string text, string parameter, Faults faults) =>
        Text.TryTime(text, out var time) ? Text.Format(time) : faults.Add(parameter, Expected);
}

/// <summary>A list of different texts, in the order given; a repeated one is kept once.</summary>
public sealed class TextListField(string name, int most, int longest) : Field(name)
{
    /// <summary>The most texts it holds.</summary>
    public int Most { get; } = most;

    public override Facets Facets => new(JsonType.Array)
    {
        MinItems = NotEmpty ? 1 : null, MaxItems = Most, Items = new(JsonType.String) { MinLength = 1, MaxLength = longest },
    };

    /// <summary>Whether an empty list is refused.</summary>
    public bool NotEmpty { get; init; }

    /// <summary>Whether no list is answered as null; else as an empty list.</summary>
    public bool IsNullable { get; init; }

    /// <summary>What is wrong with one text; null if nothing. Null for any text.</summary>
    public Func<string, string?>? ItemFault { get; init; }

    public override object? EmptyValue => IsNullable ? null : Array.Empty<string>();

    public IReadOnlyList<string> Of(Record record) => (IReadOnlyList<string>?)record[this] ?? [];

    public override object? Read(JsonElement json, string path, Faults faults)
    {
        if (json.ValueKind is not JsonValueKind.Array) return faults.WrongType(path, "an array of strings", json);
        var texts = new List<string>(json.GetArrayLength());
        var sound = true;
        var i = 0;
        foreach (var item in json.EnumerateArray())
        {
            if (Item(item, $"{path}[{i++}]", faults) is not { } text) sound = false;
            else if (!texts.Contains(text)) texts.Add(text);
        }

        if (texts.Count > Most) return faults.Add(path, $"At most {Most} entries");
        if (sound && NotEmpty && texts.Count == 0) return faults.Add(path, "At least one entry");
        return sound ? texts : null;
    }

    public override void Write(Utf8JsonWriter writer, object value)
    {
        writer.WriteStartArray();
        foreach (var text in (IReadOnlyList<string>)value) writer.WriteStringValue(text);
        writer.WriteEndArray();
    }

    public override object? ReadKey(string text, string parameter, Faults faults) => text;

    public override bool Same(object? left, object? right) =>
        ((IReadOnlyList<string>?)left ?? []).SequenceEqual((IReadOnlyList<string>?)right ?? [], StringComparer.Ordinal);

    private string? Item(JsonElement item, string path, Faults faults)
    {
        if (item.ValueKind is not JsonValueKind.String) return (string?)faults.WrongType(path, "a string", item);
        var text = item.GetString()!;
        if (text.Length == 0) return (string?)faults.Add(path, "Must not be empty");
        if (text.EnumerateRunes().Count() > longest) return (string?)faults.Add(path, $"At most {longest} characters");
        return ItemFault?.Invoke(text) is { } fault ? (string?)faults.Add(path, fault) : text;
    }
}
