using NodeStash.Core.Access;
using NodeStash.Core.Records;
using NodeStash.Core.Values;

namespace NodeStash.Functions.Api.Http;

/// <summary>
/// An endpoint of the API as a value. The pipeline (<see cref="Api"/>) runs requests by it, and whatever describes the API reads it.
/// <see cref="All"/> has every one; tests hold each to its function.
/// </summary>
public sealed record Operation
{
    private static readonly ErrorCode[] always = [ErrorCode.ValidationError, ErrorCode.Unavailable, ErrorCode.InternalError];

    private static readonly Lazy<IReadOnlyList<Operation>> all = new(() =>
    [
        .. typeof(Operation).Assembly.GetTypes()
            .SelectMany(type =>
                type.GetFields(System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Public))
            .Where(field => field.FieldType == typeof(Operation))
            .Select(field => (Operation)field.GetValue(null)!)
            .OrderBy(operation => operation.Name, StringComparer.Ordinal),
    ]);

    /// <summary>What a request without a query string asks for; made by the first of them, when the operation is complete.</summary>
    private Query? unasked;

    /// <summary>Every operation there is, by name.</summary>
    public static IReadOnlyList<Operation> All => all.Value;

    /// <summary>The name of its function, e.g. <c>contacts-list</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The HTTP method in capitals.</summary>
    public required string Method { get; init; }

    /// <summary>The route of its function, without a leading slash, e.g. <c>v1/contacts/{id}</c>.</summary>
    public required string Route { get; init; }

    /// <summary>What it does, in one sentence.</summary>
    public required string Summary { get; init; }

    /// <summary>The scopes of which a credential needs one; none for an operation without a credential of a workspace.</summary>
    public IReadOnlyList<Scope> Scopes { get; init; } = [];

    /// <summary>Why anyone may call it; null where a credential is needed.</summary>
    public string? PublicBecause { get; init; }

    /// <summary>Whether it takes the operator's secret, and no credential of a workspace.</summary>
    public bool IsForOperator { get; init; }

    /// <summary>The query parameters that have a name of their own.</summary>
    public IReadOnlyList<Parameter> Parameters { get; init; } = [];

    /// <summary>Reads any other query parameter, of a name and a text; null where there is none of that name. Null where there are no others.</summary>
    public Func<string, string, ValidationErrors, object?>? OtherParameters { get; init; }

    /// <summary>Names that are suggested where a parameter is not known, beside those of <see cref="Parameters"/>.</summary>
    public IReadOnlyList<string> OtherNames { get; init; } = [];

    /// <summary>The members of its body; null for an operation without a body.</summary>
    public Form? Body { get; init; }

    /// <summary>Whether the body may be absent, which stands for an empty object.</summary>
    public bool IsBodyOptional { get; init; }

    /// <summary>What it answers where it succeeds: at least one.</summary>
    public required IReadOnlyList<Success> Answers { get; init; }

    /// <summary>The errors it may answer beside those that follow from what else is declared.</summary>
    public IReadOnlyList<ErrorCode> OwnErrors { get; init; } = [];

    /// <summary>Whether it heeds <c>If-Match</c>.</summary>
    public bool TakesIfMatch { get; init; }

    /// <summary>Whether it heeds <c>If-None-Match</c>.</summary>
    public bool TakesIfNoneMatch { get; init; }

    /// <summary>Whether it heeds <c>Idempotency-Key</c>: every operation that writes for a workspace.</summary>
    public bool TakesIdempotencyKey => Scopes.Count > 0 && Method is not "GET";

    /// <summary>Whether it can be tried without being done.</summary>
    public bool HasDryRun => Parameters.Contains(Parameter.DryRun);

    /// <summary>Every error it may answer.</summary>
    public IReadOnlyList<ErrorCode> Errors
    {
        get
        {
            var errors = new HashSet<ErrorCode>([.. always, .. OwnErrors]);
            if (PublicBecause is null) errors.Add(ErrorCode.InvalidApiKey);
            if (Scopes.Count > 0) errors.Add(ErrorCode.InsufficientScope);
            if (Route.Contains('{', StringComparison.Ordinal)) errors.Add(ErrorCode.NotFound);
            if (Body is not null) errors.UnionWith([ErrorCode.PayloadTooLarge, ErrorCode.UnsupportedMediaType]);
            if (TakesIdempotencyKey) errors.UnionWith([ErrorCode.IdempotencyInProgress, ErrorCode.IdempotencyKeyReused, ErrorCode.PayloadTooLarge]);
            if (TakesIfMatch) errors.Add(ErrorCode.PreconditionFailed);
            return [.. errors.Order()];
        }
    }

    /// <summary>Reads the query string of a request.</summary>
    /// <param name="given">Names and texts, in order.</param>
    /// <returns>The values, or every fault.</returns>
    public Result<Query> ReadQuery(IReadOnlyList<KeyValuePair<string, string>> given)
    {
        if (given.Count == 0 && !Parameters.Any(parameter => parameter.IsRequired)) return unasked ??= Defaults();
        var (errors, values, others, seen) =
            (new ValidationErrors(), new Dictionary<string, object>(StringComparer.Ordinal), new List<object>(), new HashSet<string>(StringComparer.Ordinal));
        foreach (var (name, text) in given)
        {
            var parameter = Parameters.FirstOrDefault(one => one.Name == name);
            if (!seen.Add(name))
            {
                errors.Add(name, "Given twice");
            }
            else if (text.Contains('\0', StringComparison.Ordinal) && parameter?.TakesNul is not true)
            {
                errors.Add(name, "Contains a NUL character");
            }
            else if (parameter is not null)
            {
                if (parameter.Read(text, errors) is { } value) values[name] = value;
            }
            else if (OtherParameters?.Invoke(name, text, errors) is { } other)
            {
                others.Add(other);
            }
            else if (!errors.Has(name))
            {
                errors.Add(name, Suggestion.Unknown("query parameter", name, [.. Parameters.Select(one => one.Name), .. OtherNames]));
            }
        }

        foreach (var absent in Parameters.Where(parameter => !seen.Contains(parameter.Name)))
        {
            if (absent.IsRequired) errors.Add(absent.Name, $"Required: {absent.Description}");
            else if (absent.Default is { } value) values[absent.Name] = value;
        }

        return errors.Any ? Error.Invalid(errors.All) : new Query(values, others);
    }

    private Query Defaults() =>
        new(Parameters.Where(parameter => parameter.Default is not null)
            .ToDictionary(parameter => parameter.Name, parameter => parameter.Default!, StringComparer.Ordinal), []);
}

/// <summary>What an operation answers where it succeeds.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Type">The <c>type</c> of what it answers; null for an answer without data.</param>
public sealed record Success(int Status, string? Type)
{
    /// <summary>The attributes; empty for those of the type elsewhere, and for none.</summary>
    public IReadOnlyList<Field> Attributes { get; init; } = [];

    /// <summary>Whether it is a list of them, with a cursor.</summary>
    public bool IsList { get; init; }
}
