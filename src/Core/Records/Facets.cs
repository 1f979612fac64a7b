namespace NodeStash.Core.Records;

/// <summary>The types of JSON values, as JSON Schema names them.</summary>
public enum JsonType
{
    String,
    Integer,
    Number,
    Boolean,
    Array,
    Object,
}

/// <summary>
/// Describes which values a field takes, in the terms of JSON Schema. Documentation is made of it; a field's own reader checks the same and more.
/// Source: JSON Schema 2020-12, Validation.
/// </summary>
/// <param name="Type">The type of the JSON value.</param>
public sealed record Facets(JsonType Type)
{
    /// <summary>The format of a string: <c>email</c>, <c>date</c>, <c>date-time</c> or <c>uri</c>; null for any.</summary>
    public string? Format { get; init; }

    /// <summary>The fewest Unicode code points of a string; null for none.</summary>
    public int? MinLength { get; init; }

    /// <summary>The most Unicode code points of a string; null for no limit.</summary>
    public int? MaxLength { get; init; }

    /// <summary>A regular expression (ECMA-262) that a string matches; null for any string.</summary>
    public string? Pattern { get; init; }

    /// <summary>The least number, included; null for no bound.</summary>
    public long? Minimum { get; init; }

    /// <summary>The greatest number, included; null for no bound.</summary>
    public long? Maximum { get; init; }

    /// <summary>The only texts allowed; empty for any.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>The fewest items of an array; null for none.</summary>
    public int? MinItems { get; init; }

    /// <summary>The most items of an array, or names of an object; null for no limit.</summary>
    public int? MaxItems { get; init; }

    /// <summary>Describes each item of an array; null for other types.</summary>
    public Facets? Items { get; init; }

    /// <summary>The members of an object; null where it has names of the client's own, and for other types.</summary>
    public Form? Members { get; init; }
}
