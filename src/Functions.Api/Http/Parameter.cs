using System.Globalization;
using NodeStash.Core.Records;

namespace NodeStash.Functions.Api.Http;

/// <summary>A query parameter of an operation: how its text is read, and what is told of it.</summary>
/// <param name="Name">As in the query string.</param>
/// <param name="Facets">Which values it takes.</param>
/// <param name="Description">What it is for, in one sentence.</param>
/// <param name="Read">Makes a value of its text; null, with a fault added under its name, where it is wrong.</param>
public sealed record Parameter(string Name, Facets Facets, string Description, Func<string, ValidationErrors, object?> Read)
{
    private const int MaxLimit = 100;

    private static readonly Facets Flags = new(JsonType.Boolean);

    /// <summary>Whether everything is checked and answered as if, and nothing is stored or sent.</summary>
    public static Parameter DryRun { get; } = Flag("dry_run", "Check and answer the request without doing it.");

    /// <summary>Whether what stands against the operation goes, too.</summary>
    public static Parameter Force { get; } = Flag("force", "Do it although records still use it; they give it up.");

    /// <summary>Where the page begins: the <c>next_cursor</c> of the page before.</summary>
    public static Parameter Cursor { get; } = new(
        "cursor", new(JsonType.String), "The next_cursor of the page before; the first page if absent.", (text, _) => text);

    /// <summary>How many a page has, by whatever default.</summary>
    public static Parameter Pages { get; } = new(
        "limit",
        new(JsonType.Integer) { Minimum = 1, Maximum = MaxLimit },
        "How many to answer at most.",
        (text, errors) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is >= 1 and <= MaxLimit
            ? limit
            : errors.Add("limit", $"Expected a whole number from 1 to {MaxLimit}"));

    /// <summary>Whether it has to be given.</summary>
    public bool IsRequired { get; init; }

    /// <summary>The value where it is not given; null for none.</summary>
    public object? Default { get; init; }

    /// <summary>Whether a NUL character is text like any other; else it is refused.</summary>
    public bool TakesNul { get; init; }

    /// <summary>A value that it takes; null where its facets alone show it.</summary>
    public string? Example { get; init; }

    /// <summary>A yes-or-no parameter, false where it is absent. An empty text is false, too.</summary>
    public static Parameter Flag(string name, string description) => new(name, Flags, description, (text, errors) => text switch
    {
        "true" => true,
        "false" or "" => false,
        _ => errors.Add(name, "Expected true or false"),
    });

    /// <summary>How many a page has, from 1 to 100.</summary>
    /// <param name="otherwise">Where it is not given.</param>
    public static Parameter Limit(int otherwise) => Pages with { Default = otherwise };
}

/// <summary>The query of a request, read by the parameters of its operation.</summary>
/// <param name="values">By name, what was given and is sound, and the defaults of what was not given.</param>
/// <param name="others">What the operation made of parameters that it does not declare by name, in order.</param>
public sealed class Query(IReadOnlyDictionary<string, object> values, IReadOnlyList<object> others)
{
    /// <summary>The value of a parameter; its default where it was not given; null where it has none.</summary>
    public object? this[Parameter parameter] => values.GetValueOrDefault(parameter.Name);

    /// <summary>Every value of one type, those of parameters without a declaration included.</summary>
    public IEnumerable<T> Values<T>() => values.Values.Concat(others).OfType<T>();

    /// <summary>Whether a yes-or-no parameter is true.</summary>
    public bool Is(Parameter flag) => this[flag] is true;
}
