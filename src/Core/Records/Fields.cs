using System.Globalization;
using System.Text.Json;
using NodeStash.Core.Values;

namespace NodeStash.Core.Records;

/// <summary>A text, sorted and found by its folded form.</summary>
/// <param name="name">As in JSON.</param>
/// <param name="maxLength">The most characters (Unicode code points).</param>
public class TextField(string name, int maxLength) : Field(name)
{
    public int MaxLength { get; } = maxLength;

    public override Facets Facets => new(JsonType.String) { MinLength = IsRequired ? 1 : null, MaxLength = MaxLength };

    /// <summary>Whether the case of letters matters in filters (an exact code rather than a text).</summary>
    public bool IsCaseSensitive { get; init; }

    public string? Of(Record record) => (string?)record[this];

    public override object? Read(JsonElement json, string path, ValidationErrors errors)
    {
        if (json.ValueKind is not JsonValueKind.String) return errors.WrongType(path, "a string", json);
        var text = json.GetString()!;
        if (text.Length > MaxLength && text.EnumerateRunes().Count() > MaxLength) return errors.Add(path, $"At most {MaxLength} characters");
        if (IsRequired && string.IsNullOrWhiteSpace(text)) return errors.Add(path, "Must not be empty");
        return CheckText(text) is { } problem ? errors.Add(path, problem) : text;
    }

    public override void Write(Utf8JsonWriter writer, object value) => writer.WriteStringValue((string)value);

    public override void WriteKey(Utf8JsonWriter writer, object value) => writer.WriteStringValue(ToKey((string)value));

    public override object? ReadKey(string text, string parameter, ValidationErrors errors) => ToKey(text);

    /// <summary>What is wrong with a text of allowed length; null if nothing.</summary>
    protected virtual string? CheckText(string text) => null;

    private string ToKey(string text) => IsCaseSensitive ? text : Text.Fold(text);
}

public sealed class EmailField(string name) : TextField(name, 254)
{
    public override Facets Facets => base.Facets with { Format = "email" };

    protected override string? CheckText(string text) => Text.IsEmail(text) ? null : "Invalid email";
}

/// <summary>One of a fixed set of words.</summary>
public sealed class ChoiceField(string name, params string[] choices) : TextField(name, 100)
{
    public IReadOnlyList<string> Choices { get; } = choices;

    public override Facets Facets => new(JsonType.String) { Choices = Choices };

    public override object? ReadKey(string text, string parameter, ValidationErrors errors) =>
        CheckText(text) is { } problem ? errors.Add(parameter, problem) : text;

    protected override string? CheckText(string text) => choices.Contains(text) ? null : $"Expected one of {string.Join(", ", choices)}";
}

/// <summary>An upper-case ISO 4217 code.</summary>
public sealed class CurrencyField(string name) : TextField(name, 3)
{
    public override Facets Facets => new(JsonType.String) { Pattern = "^[A-Z]{3}$" };

    protected override string? CheckText(string text) => Currencies.IsKnown(text) ? null : "Expected an ISO 4217 code in capitals, e.g. EUR";
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

    /// <summary>Whether what it points to is a record of the same environment, so that its existence is checked in the commit.</summary>
    public bool IsChecked { get; init; } = true;

    public string? Of(Record record) => (string?)record[this];

    public override object? Read(JsonElement json, string path, ValidationErrors errors)
    {
        if (json.ValueKind is not JsonValueKind.String) return errors.WrongType(path, "a string", json);
        return ReadKey(json.GetString()!, path, errors);
    }

    public override void Write(Utf8JsonWriter writer, object value) => writer.WriteStringValue((string)value);

    public override object? ReadKey(string text, string parameter, ValidationErrors errors) =>
        Ids.IsId(text, Prefix) ? text : errors.Add(parameter, Ids.Expected(Prefix));
}

public sealed class FlagField(string name) : Field(name)
{
    public override Facets Facets => new(JsonType.Boolean);

    public bool Of(Record record) => record[this] is true;

    public override object? Read(JsonElement json, string path, ValidationErrors errors) =>
        json.ValueKind is JsonValueKind.True or JsonValueKind.False ? json.GetBoolean() : errors.WrongType(path, "a boolean", json);

    public override void Write(Utf8JsonWriter writer, object value) => writer.WriteBooleanValue((bool)value);

    public override object? ReadKey(string text, string parameter, ValidationErrors errors) => text switch
    {
        "true" => true,
        "false" => false,
        _ => errors.Add(parameter, "Expected true or false"),
    };
}

/// <summary>A whole number between two bounds, both included.</summary>
public sealed class IntegerField(string name, long min, long max) : Field(name)
{
    public override Facets Facets => new(JsonType.Integer) { Minimum = min, Maximum = max };

    public long? Of(Record record) => (long?)record[this];

    public override object? Read(JsonElement json, string path, ValidationErrors errors)
    {
        if (json.ValueKind is not JsonValueKind.Number) return errors.WrongType(path, "a whole number", json);
        return json.TryGetInt64(out var number) && number >= min && number <= max ? number : errors.Add(path, $"Expected a whole number from {min} to {max}");
    }

    public override void Write(Utf8JsonWriter writer, object value) => writer.WriteNumberValue((long)value);

    public override object? ReadKey(string text, string parameter, ValidationErrors errors) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : errors.Add(parameter, "Expected a whole number");
}

/// <summary>
/// An amount of money: a number or decimal string in, an exact decimal string with two places out, a decimal in between. Never binary
/// floating point. At most 13 digits before the point, so that the minor units, the key, fit a double exactly.
/// </summary>
public sealed class MoneyField(string name) : Field(name)
{
    private const decimal MaxAmount = 9_999_999_999_999.99m;
    private const NumberStyles Plain = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint;

    public override Facets Facets => new(JsonType.String) { Pattern = @"^-?\d{1,13}(\.\d{1,2})?$" };

    public decimal? Of(Record record) => (decimal?)record[this];

    public override object? Read(JsonElement json, string path, ValidationErrors errors)
    {
        var text = json.ValueKind switch
        {
            JsonValueKind.Number => json.GetRawText(),
            JsonValueKind.String => json.GetString()!,
            _ => null,
        };
        if (text is null) return errors.WrongType(path, "a number or a decimal string", json);

        // JSON numbers may have an exponent; decimal strings may not.
        var style = json.ValueKind is JsonValueKind.Number ? Plain | NumberStyles.AllowExponent : Plain;
        return Parse(text, style, out var amount) is { } problem ? errors.Add(path, problem) : amount;
    }

    public override void Write(Utf8JsonWriter writer, object value) => writer.WriteStringValue(((decimal)value).ToString("0.00", CultureInfo.InvariantCulture));

    public override void WriteKey(Utf8JsonWriter writer, object value) => writer.WriteNumberValue((long)((decimal)value * 100));

    public override object? ReadKey(string text, string parameter, ValidationErrors errors) =>
        Parse(text, Plain, out var amount) is { } problem ? errors.Add(parameter, problem) : (long)(amount * 100);

    private static string? Parse(string text, NumberStyles style, out decimal amount)
    {
        // Up to 28 characters nothing is rounded, but for an exponent so small that it leaves nothing.
        if (text.Length > 28 || !decimal.TryParse(text, style, CultureInfo.InvariantCulture, out amount)
            || (amount == 0 && text.AsSpan().TrimStart("-0.").ContainsAnyInRange('1', '9')
                && !text.AsSpan().TrimStart("-0.").StartsWith("e", StringComparison.OrdinalIgnoreCase)))
        {
            amount = 0;
            return "Expected a decimal amount, e.g. 48000.00 or \"48000.00\"";
        }

        if (decimal.Round(amount, 2) != amount) return "At most two decimal places";
        if (Math.Abs(amount) > MaxAmount) return $"Expected an amount from -{MaxAmount} to {MaxAmount}";
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

    public override object? Read(JsonElement json, string path, ValidationErrors errors)
    {
        if (json.ValueKind is not JsonValueKind.String) return errors.WrongType(path, "a date of the form YYYY-MM-DD", json);
        return Text.TryDate(json.GetString()!, out var date) ? date : errors.Add(path, Expected);
    }

    public override void Write(Utf8JsonWriter writer, object value) => writer.WriteStringValue(Text.Format((DateOnly)value));

    public override object? ReadKey(string text, string parameter, ValidationErrors errors) =>
        Text.TryDate(text, out _) ? text : errors.Add(parameter, Expected);
}

/// <summary>A time, kept to the second and answered in UTC. A date stands for its first second.</summary>
public sealed class TimeField(string name) : Field(name)
{
    private const string Expected = "Expected a time such as 2026-01-15T10:30:00Z, or a date";

    /// <summary>Whether the engine finds records by it though clients can't.</summary>
    public bool IsFound { get; init; }

    public override bool HasKey => base.HasKey || IsFound;

    public override Facets Facets => new(JsonType.String) { Format = "date-time" };

    public DateTimeOffset? Of(Record record) => (DateTimeOffset?)record[this];

    public override object? Read(JsonElement json, string path, ValidationErrors errors)
    {
        if (json.ValueKind is not JsonValueKind.String) return errors.WrongType(path, "a time such as 2026-01-15T10:30:00Z", json);
        return Text.TryTime(json.GetString()!, out var time) ? time : errors.Add(path, Expected);
    }

    public override void Write(Utf8JsonWriter writer, object value) => writer.WriteStringValue(Text.Format((DateTimeOffset)value));

    public override object? ReadKey(string text, string parameter, ValidationErrors errors) =>
        Text.TryTime(text, out var time) ? Text.Format(time) : errors.Add(parameter, Expected);
}

/// <summary>A list of different texts, in the order given; a repeated one is kept once.</summary>
public sealed class TextListField(string name, int max, int maxLength) : Field(name)
{
    /// <summary>The most texts it holds.</summary>
    public int MaxItems { get; } = max;

    public override Facets Facets => new(JsonType.Array)
    {
        MinItems = NotEmpty ? 1 : null, MaxItems = MaxItems, Items = new(JsonType.String) { MinLength = 1, MaxLength = maxLength },
    };

    /// <summary>Whether an empty list is refused.</summary>
    public bool NotEmpty { get; init; }

    /// <summary>Whether no list is answered as null; else as an empty list.</summary>
    public bool IsNullable { get; init; }

    /// <summary>What is wrong with one text; null if nothing. Null for any text.</summary>
    public Func<string, string?>? CheckItem { get; init; }

    public override object? EmptyValue => IsNullable ? null : Array.Empty<string>();

    public IReadOnlyList<string> Of(Record record) => (IReadOnlyList<string>?)record[this] ?? [];

    public override object? Read(JsonElement json, string path, ValidationErrors errors)
    {
        if (json.ValueKind is not JsonValueKind.Array) return errors.WrongType(path, "an array of strings", json);
        var texts = new List<string>(json.GetArrayLength());
        var sound = true;
        var i = 0;
        foreach (var item in json.EnumerateArray())
        {
            if (Item(item, $"{path}[{i++}]", errors) is not { } text) sound = false;
            else if (!texts.Contains(text)) texts.Add(text);
        }

        if (texts.Count > MaxItems) return errors.Add(path, $"At most {MaxItems} entries");
        if (sound && NotEmpty && texts.Count == 0) return errors.Add(path, "At least one entry");
        return sound ? texts : null;
    }

    public override void Write(Utf8JsonWriter writer, object value)
    {
        writer.WriteStartArray();
        foreach (var text in (IReadOnlyList<string>)value) writer.WriteStringValue(text);
        writer.WriteEndArray();
    }

    public override object? ReadKey(string text, string parameter, ValidationErrors errors) => text;

    public override bool Same(object? left, object? right) =>
        ((IReadOnlyList<string>?)left ?? []).SequenceEqual((IReadOnlyList<string>?)right ?? [], StringComparer.Ordinal);

    private string? Item(JsonElement item, string path, ValidationErrors errors)
    {
        if (item.ValueKind is not JsonValueKind.String) return (string?)errors.WrongType(path, "a string", item);
        var text = item.GetString()!;
        if (text.Length == 0) return (string?)errors.Add(path, "Must not be empty");
        if (text.EnumerateRunes().Count() > maxLength) return (string?)errors.Add(path, $"At most {maxLength} characters");
        return CheckItem?.Invoke(text) is { } problem ? (string?)errors.Add(path, problem) : text;
    }
}
