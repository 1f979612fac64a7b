namespace NodeStash.Core.Records;

/// <summary>Lists the types of JSON values, as JSON Schema names them.</summary>
public enum JsonType
{
    /// <summary>A JSON string.</summary>
    String,

    /// <summary>A JSON number without a fraction.</summary>
    Integer,

    /// <summary>Any JSON number.</summary>
    Number,

    /// <summary>True or false.</summary>
    Boolean,

    /// <summary>A JSON array.</summary>
    Array,

    /// <summary>A JSON object.</summary>
    Object,
}

/// <summary>
/// Describes the values that a field takes, in terms of JSON Schema. The documentation is generated from it. The field's reader enforces it, and more.
/// Source: JSON Schema 2020-12, Validation.
/// </summary>
/// <param name="Type">The type of the JSON value.</param>
public sealed record Facets(JsonType Type)
{
    /// <summary>The format of a string: <c>email</c>, <c>date</c>, <c>date-time</c> or <c>uri</c>; null for any.</summary>
    public string? Format { get; init; }

    /// <summary>The minimum length of a string in Unicode code points; null for no minimum.</summary>
    public int? MinLength { get; init; }

    /// <summary>The maximum length of a string in Unicode code points; null for no maximum.</summary>
    public int? MaxLength { get; init; }

    /// <summary>The regular expression (ECMA-262) that a string must match; null for any string.</summary>
    public string? Pattern { get; init; }

    /// <summary>The lowest number allowed; null for no minimum.</summary>
    public long? Minimum { get; init; }

    /// <summary>The highest number allowed; null for no maximum.</summary>
    public long? Maximum { get; init; }

    /// <summary>The only strings allowed; empty for any.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>The minimum number of items in an array; null for no minimum.</summary>
    public int? MinItems { get; init; }

    /// <summary>The maximum number of items in an array, or of names in an object; null for no maximum.</summary>
    public int? MaxItems { get; init; }

    /// <summary>The facets of each item of an array; null for other types.</summary>
    public Facets? Items { get; init; }

    /// <summary>The members of an object; null if the client chooses the names, and for other types.</summary>
    public Form? Members { get; init; }
}
