using System.Globalization;
using System.Text.Json;
using NodeStash.Core.Values;

namespace NodeStash.Core.Records;

/// <summary>Defines a text field. Filters and sorting ignore case, unless <see cref="IsCaseSensitive"/> is set.</summary>
/// <param name="name">The name in JSON.</param>
/// <param name="maxLength">The maximum length in characters (Unicode code points).</param>
public class TextField(string name, int maxLength) : Field(name)
{
    /// <summary>The maximum length in characters (Unicode code points).</summary>
    public int MaxLength { get; } = maxLength;

    /// <inheritdoc/>
    public override Facets Facets => new(JsonType.String) { MinLength = IsRequired ? 1 : null, MaxLength = MaxLength };

    /// <summary>Whether filters and sorting respect case, as for a code rather than a text.</summary>
    public bool IsCaseSensitive { get; init; }

    /// <summary>Gets the field's value in a record; null for none.</summary>
    public string? Of(Record record) => (string?)record[this];

    /// <inheritdoc/>
    public override object? Read(JsonElement json, string path, ValidationErrors errors)
    {
        if (json.ValueKind is not JsonValueKind.String) return errors.WrongType(path, "a string", json);
        var text = json.GetString()!;
        if (text.Length > MaxLength && text.EnumerateRunes().Count() > MaxLength) return errors.Add(path, $"At most {MaxLength} characters");
        if (IsRequired && string.IsNullOrWhiteSpace(text)) return errors.Add(path, "Must not be empty");
        return CheckText(text) is { } problem ? errors.Add(path, problem) : text;
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, object value) => writer.WriteStringValue((string)value);

    /// <inheritdoc/>
    public override void WriteKey(Utf8JsonWriter writer, object value) => writer.WriteStringValue(ToKey((string)value));

    /// <inheritdoc/>
    public override object? ReadKey(string text, string parameter, ValidationErrors errors) => ToKey(text);

    /// <summary>Checks a text whose length is allowed.</summary>
    /// <returns>The problem, as an error message; null if the text is valid.</returns>
    protected virtual string? CheckText(string text) => null;

    private string ToKey(string text) => IsCaseSensitive ? text : Text.Fold(text);
}

/// <summary>Defines an email address of at most 254 characters; see <see cref="Text.IsEmail"/>.</summary>
/// <param name="name">The name in JSON.</param>
public sealed class EmailField(string name) : TextField(name, 254)
{
    /// <inheritdoc/>
    public override Facets Facets => base.Facets with { Format = "email" };

    /// <inheritdoc/>
    protected override string? CheckText(string text) => Text.IsEmail(text) ? null : "Invalid email";
}

/// <summary>Defines a field that takes one of a fixed set of words.</summary>
/// <param name="name">The name in JSON.</param>
/// <param name="choices">The allowed words.</param>
public sealed class ChoiceField(string name, params string[] choices) : TextField(name, 100)
{
    /// <summary>The allowed words, in the order they are documented.</summary>
    public IReadOnlyList<string> Choices { get; } = choices;

    /// <inheritdoc/>
    public override Facets Facets => new(JsonType.String) { Choices = Choices };

    /// <inheritdoc/>
    public override object? ReadKey(string text, string parameter, ValidationErrors errors) =>
        CheckText(text) is { } problem ? errors.Add(parameter, problem) : text;

    /// <inheritdoc/>
    protected override string? CheckText(string text) => choices.Contains(text) ? null : $"Expected one of {string.Join(", ", choices)}";
}

/// <summary>Defines a currency field: an ISO 4217 code in capitals.</summary>
/// <param name="name">The name in JSON.</param>
public sealed class CurrencyField(string name) : TextField(name, 3)
{
    /// <inheritdoc/>
    public override Facets Facets => new(JsonType.String) { Pattern = "^[A-Z]{3}$" };

    /// <inheritdoc/>
    protected override string? CheckText(string text) => Currencies.IsKnown(text) ? null : "Expected an ISO 4217 code in capitals, e.g. EUR";
}

/// <summary>Defines a link: the id of another record of the same workspace.</summary>
/// <param name="name">The name in JSON.</param>
/// <param name="prefix">The prefix of the ids it takes, with the underscore.</param>
/// <param name="targetType">The type of the linked record.</param>
public sealed class LinkField(string name, string prefix, string targetType) : Field(name)
{
    /// <summary>The prefix of the ids it takes, with the underscore, e.g. <c>co_</c>.</summary>
    public string Prefix { get; } = prefix;

    /// <inheritdoc/>
    public override Facets Facets => new(JsonType.String) { Pattern = Ids.Pattern(Prefix) };

    /// <summary>The type of the linked record.</summary>
    public string TargetType { get; } = targetType;

    /// <summary>Whether the link blocks the deletion of the linked record. Otherwise the deletion clears the link.</summary>
    public bool HoldsTarget { get; init; }

    /// <summary>Whether the commit checks that the linked record exists. False only for links to records of another environment.</summary>
    public bool IsChecked { get; init; } = true;

    /// <summary>Gets the field's value in a record; null for none.</summary>
    public string? Of(Record record) => (string?)record[this];

    /// <inheritdoc/>
    public override object? Read(JsonElement json, string path, ValidationErrors errors)
    {
        if (json.ValueKind is not JsonValueKind.String) return errors.WrongType(path, "a string", json);
        return ReadKey(json.GetString()!, path, errors);
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, object value) => writer.WriteStringValue((string)value);

    /// <inheritdoc/>
    public override object? ReadKey(string text, string parameter, ValidationErrors errors) =>
        Ids.IsId(text, Prefix) ? text : errors.Add(parameter, Ids.Expected(Prefix));
}

/// <summary>Defines a boolean field.</summary>
/// <param name="name">The name in JSON.</param>
public sealed class FlagField(string name) : Field(name)
{
    /// <inheritdoc/>
    public override Facets Facets => new(JsonType.Boolean);

    /// <summary>Gets the field's value in a record; false if it has none.</summary>
    public bool Of(Record record) => record[this] is true;

    /// <inheritdoc/>
    public override object? Read(JsonElement json, string path, ValidationErrors errors) =>
        json.ValueKind is JsonValueKind.True or JsonValueKind.False ? json.GetBoolean() : errors.WrongType(path, "a boolean", json);

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, object value) => writer.WriteBooleanValue((bool)value);

    /// <inheritdoc/>
    public override object? ReadKey(string text, string parameter, ValidationErrors errors) => text switch
    {
        "true" => true,
        "false" => false,
        _ => errors.Add(parameter, "Expected true or false"),
    };
}

/// <summary>Defines a field for a whole number in a range.</summary>
/// <param name="name">The name in JSON.</param>
/// <param name="min">The lowest number allowed.</param>
/// <param name="max">The highest number allowed.</param>
public sealed class IntegerField(string name, long min, long max) : Field(name)
{
    /// <inheritdoc/>
    public override Facets Facets => new(JsonType.Integer) { Minimum = min, Maximum = max };

    /// <summary>Gets the field's value in a record; null for none.</summary>
    public long? Of(Record record) => (long?)record[this];

    /// <inheritdoc/>
    public override object? Read(JsonElement json, string path, ValidationErrors errors)
    {
        if (json.ValueKind is not JsonValueKind.Number) return errors.WrongType(path, "a whole number", json);
        return json.TryGetInt64(out var number) && number >= min && number <= max ? number : errors.Add(path, $"Expected a whole number from {min} to {max}");
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, object value) => writer.WriteNumberValue((long)value);

    /// <inheritdoc/>
    public override object? ReadKey(string text, string parameter, ValidationErrors errors) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : errors.Add(parameter, "Expected a whole number");
}

/// <summary>
/// Defines an amount of money. It reads a JSON number or a decimal string, keeps a decimal, and writes a decimal string with two places; it never
/// uses binary floating point. The storage key is the amount in hundredths. The limit of 13 digits before the point lets a double hold it exactly.
/// </summary>
/// <param name="name">The name in JSON.</param>
public sealed class MoneyField(string name) : Field(name)
{
    private const decimal MaxAmount = 9_999_999_999_999.99m;
    private const NumberStyles Plain = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint;

    /// <inheritdoc/>
    public override Facets Facets => new(JsonType.String) { Pattern = @"^-?\d{1,13}(\.\d{1,2})?$" };

    /// <summary>Gets the amount in a record; null for none.</summary>
    public decimal? Of(Record record) => (decimal?)record[this];

    /// <inheritdoc/>
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

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, object value) => writer.WriteStringValue(((decimal)value).ToString("0.00", CultureInfo.InvariantCulture));

    /// <inheritdoc/>
    public override void WriteKey(Utf8JsonWriter writer, object value) => writer.WriteNumberValue((long)((decimal)value * 100));

    /// <inheritdoc/>
    public override object? ReadKey(string text, string parameter, ValidationErrors errors) =>
        Parse(text, Plain, out var amount) is { } problem ? errors.Add(parameter, problem) : (long)(amount * 100);

    private static string? Parse(string text, NumberStyles style, out decimal amount)
    {
        // A decimal holds up to 28 characters without rounding. The second condition refuses an amount whose exponent is so small that it became 0.
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

/// <summary>Defines a date without a time, <c>YYYY-MM-DD</c>.</summary>
/// <param name="name">The name in JSON.</param>
public sealed class DateField(string name) : Field(name)
{
    private const string Expected = "Expected a date of the form YYYY-MM-DD";

    /// <inheritdoc/>
    public override Facets Facets => new(JsonType.String) { Format = "date" };

    /// <inheritdoc/>
    public override object? Read(JsonElement json, string path, ValidationErrors errors)
    {
        if (json.ValueKind is not JsonValueKind.String) return errors.WrongType(path, "a date of the form YYYY-MM-DD", json);
        return Text.TryDate(json.GetString()!, out var date) ? date : errors.Add(path, Expected);
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, object value) => writer.WriteStringValue(Text.Format((DateOnly)value));

    /// <inheritdoc/>
    public override object? ReadKey(string text, string parameter, ValidationErrors errors) =>
        Text.TryDate(text, out _) ? text : errors.Add(parameter, Expected);
}

/// <summary>Defines a time, kept to the second and answered in UTC. A date is read as its first second in UTC.</summary>
/// <param name="name">The name in JSON.</param>
public sealed class TimeField(string name) : Field(name)
{
    private const string Expected = "Expected a time such as 2026-01-15T10:30:00Z, or a date";

    /// <summary>Whether the store keeps a key for the engine's own queries, even if clients can't filter or sort by the field.</summary>
    public bool IsFound { get; init; }

    /// <inheritdoc/>
    public override bool HasKey => base.HasKey || IsFound;

    /// <inheritdoc/>
    public override Facets Facets => new(JsonType.String) { Format = "date-time" };

    /// <summary>Gets the time in a record; null for none.</summary>
    public DateTimeOffset? Of(Record record) => (DateTimeOffset?)record[this];

    /// <inheritdoc/>
    public override object? Read(JsonElement json, string path, ValidationErrors errors)
    {
        if (json.ValueKind is not JsonValueKind.String) return errors.WrongType(path, "a time such as 2026-01-15T10:30:00Z", json);
        return Text.TryTime(json.GetString()!, out var time) ? time : errors.Add(path, Expected);
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, object value) => writer.WriteStringValue(Text.Format((DateTimeOffset)value));

    /// <inheritdoc/>
    public override object? ReadKey(string text, string parameter, ValidationErrors errors) =>
        Text.TryTime(text, out var time) ? Text.Format(time) : errors.Add(parameter, Expected);
}

/// <summary>Defines a list of distinct texts, kept in the order given. Repeated texts are dropped.</summary>
/// <param name="name">The name in JSON.</param>
/// <param name="max">The maximum number of texts.</param>
/// <param name="maxLength">The maximum length of each text in characters (Unicode code points).</param>
public sealed class TextListField(string name, int max, int maxLength) : Field(name)
{
    /// <summary>The maximum number of texts.</summary>
    public int MaxItems { get; } = max;

    /// <inheritdoc/>
    public override Facets Facets => new(JsonType.Array)
    {
        MinItems = NotEmpty ? 1 : null, MaxItems = MaxItems, Items = new(JsonType.String) { MinLength = 1, MaxLength = maxLength },
    };

    /// <summary>Whether an empty list is refused.</summary>
    public bool NotEmpty { get; init; }

    /// <summary>Whether answers show null for a missing list; otherwise they show an empty list.</summary>
    public bool IsNullable { get; init; }

    /// <summary>Checks one text, and gives an error message or null. If this is null, every text is valid.</summary>
    public Func<string, string?>? CheckItem { get; init; }

    /// <inheritdoc/>
    public override object? EmptyValue => IsNullable ? null : Array.Empty<string>();

    /// <summary>Gets the texts in a record; empty for none.</summary>
    public IReadOnlyList<string> Of(Record record) => (IReadOnlyList<string>?)record[this] ?? [];

    /// <inheritdoc/>
    public override object? Read(JsonElement json, string path, ValidationErrors errors)
    {
        if (json.ValueKind is not JsonValueKind.Array) return errors.WrongType(path, "an array of strings", json);
        var texts = new List<string>(json.GetArrayLength());
        var isValid = true;
        var i = 0;
        foreach (var item in json.EnumerateArray())
        {
            if (ReadItem(item, $"{path}[{i++}]", errors) is not { } text) isValid = false;
            else if (!texts.Contains(text)) texts.Add(text);
        }

        if (texts.Count > MaxItems) return errors.Add(path, $"At most {MaxItems} entries");
        if (isValid && NotEmpty && texts.Count == 0) return errors.Add(path, "Expected at least one entry");
        return isValid ? texts : null;
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, object value)
    {
        writer.WriteStartArray();
        foreach (var text in (IReadOnlyList<string>)value) writer.WriteStringValue(text);
        writer.WriteEndArray();
    }

    /// <inheritdoc/>
    public override object? ReadKey(string text, string parameter, ValidationErrors errors) => text;

    /// <inheritdoc/>
    public override bool Same(object? left, object? right) =>
        ((IReadOnlyList<string>?)left ?? []).SequenceEqual((IReadOnlyList<string>?)right ?? [], StringComparer.Ordinal);

    private string? ReadItem(JsonElement item, string path, ValidationErrors errors)
    {
        if (item.ValueKind is not JsonValueKind.String) return (string?)errors.WrongType(path, "a string", item);
        var text = item.GetString()!;
        if (text.Length == 0) return (string?)errors.Add(path, "Must not be empty");
        if (text.EnumerateRunes().Count() > maxLength) return (string?)errors.Add(path, $"At most {maxLength} characters");
        return CheckItem?.Invoke(text) is { } problem ? (string?)errors.Add(path, problem) : text;
    }
}
