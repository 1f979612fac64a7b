using System.Globalization;
using NodeStash.Core.Records;

namespace NodeStash.Functions.Api.Http;

/// <summary>Declares a query parameter: its name, its documentation, and how its text is read.</summary>
/// <param name="Name">The name in the query string.</param>
/// <param name="Facets">The values that it takes.</param>
/// <param name="Description">The purpose, in one sentence.</param>
/// <param name="Read">Reads a text. Returns null for an invalid text, and adds a validation error under the name of the parameter.</param>
public sealed record Parameter(string Name, Facets Facets, string Description, Func<string, ValidationErrors, object?> Read)
{
    private const int MaxLimit = 100;

    private static readonly Facets Flags = new(JsonType.Boolean);

    /// <summary>Asks for a dry run: the request is checked and answered, and nothing is stored or sent.</summary>
    public static Parameter DryRun { get; } = Flag("dry_run", "Check and answer the request without doing it.");

    /// <summary>Forces the operation although records still use what it removes.</summary>
    public static Parameter Force { get; } = Flag("force", "Do it although records still use it; they give it up.");

    /// <summary>Continues a list: the <c>next_cursor</c> of the page before.</summary>
    public static Parameter Cursor { get; } = new(
        "cursor", new(JsonType.String), "The next_cursor of the page before; the first page if absent.", (text, _) => text);

    /// <summary>The page size, without a default: use it to read the value, and <see cref="Limit"/> to declare it.</summary>
    public static Parameter PageSize { get; } = new(
        "limit",
        new(JsonType.Integer) { Minimum = 1, Maximum = MaxLimit },
        "How many to answer at most.",
        (text, errors) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is >= 1 and <= MaxLimit
            ? limit
            : errors.Add("limit", $"Expected a whole number from 1 to {MaxLimit}"));

    /// <summary>Whether the parameter is required.</summary>
    public bool IsRequired { get; init; }

    /// <summary>The value where the parameter is absent; null for none.</summary>
    public object? Default { get; init; }

    /// <summary>Whether the text may contain a NUL character.</summary>
    public bool TakesNul { get; init; }

    /// <summary>An example of a value; null where the facets show enough.</summary>
    public string? Example { get; init; }

    /// <summary>Declares a boolean parameter. It is false where it is absent or empty.</summary>
    public static Parameter Flag(string name, string description) => new(name, Flags, description, (text, errors) => text switch
    {
        "true" => true,
        "false" or "" => false,
        _ => errors.Add(name, "Expected true or false"),
    });

    /// <summary>Declares the page size, from 1 to 100.</summary>
    /// <param name="defaultSize">The page size where the parameter is absent.</param>
    public static Parameter Limit(int defaultSize) => PageSize with { Default = defaultSize };
}

/// <summary>Holds the query string of a request, read by the parameters of its operation.</summary>
/// <param name="values">The values by name: those that were given, and the defaults of the others.</param>
/// <param name="others">The values of parameters without a fixed name, in order.</param>
public sealed class Query(IReadOnlyDictionary<string, object> values, IReadOnlyList<object> others)
{
    /// <summary>The value of a parameter, or its default; null where there is neither.</summary>
    public object? this[Parameter parameter] => values.GetValueOrDefault(parameter.Name);

    /// <summary>All values of one type, including those of parameters without a fixed name.</summary>
    public IEnumerable<T> Values<T>() => values.Values.Concat(others).OfType<T>();

    /// <summary>Whether a boolean parameter is true.</summary>
    public bool Is(Parameter flag) => this[flag] is true;
}
