using NodeStash.Core.Access;
using NodeStash.Core.Records;
using NodeStash.Core.Values;

namespace NodeStash.Functions.Api.Http;

/// <summary>
/// Declares an endpoint of the API. The pipeline (<see cref="Api"/>) runs requests by it, and documentation and tests read it.
/// <see cref="All"/> lists every operation; tests compare each with its function.
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

    /// <summary>The query of a request without a query string; created by the first such request.</summary>
    private Query? defaultQuery;

    /// <summary>All operations, ordered by name.</summary>
    public static IReadOnlyList<Operation> All => all.Value;

    /// <summary>The name of its function, e.g. <c>contacts-list</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The HTTP method in capitals.</summary>
    public required string Method { get; init; }

    /// <summary>The route of its function, without a leading slash, e.g. <c>v1/contacts/{id}</c>.</summary>
    public required string Route { get; init; }

    /// <summary>The description of the operation, in one sentence.</summary>
    public required string Summary { get; init; }

    /// <summary>The scopes that allow the operation; a credential needs one of them. Empty where no credential of a workspace is needed.</summary>
    public IReadOnlyList<Scope> Scopes { get; init; } = [];

    /// <summary>The reason why the operation is public; null where a credential is needed.</summary>
    public string? PublicBecause { get; init; }

    /// <summary>Whether the operation takes the operator's secret instead of a workspace's credential.</summary>
    public bool IsForOperator { get; init; }

    /// <summary>The query parameters with a fixed name.</summary>
    public IReadOnlyList<Parameter> Parameters { get; init; } = [];

    /// <summary>Reads any other query parameter by its name and text; returns null for an unknown name. Null where only fixed names are taken.</summary>
    public Func<string, string, ValidationErrors, object?>? OtherParameters { get; init; }

    /// <summary>Names to suggest for an unknown parameter, beside those of <see cref="Parameters"/>.</summary>
    public IReadOnlyList<string> OtherNames { get; init; } = [];

    /// <summary>The form of the body; null for an operation without a body.</summary>
    public Form? Body { get; init; }

    /// <summary>Whether the body may be absent; then it is read as an empty object.</summary>
    public bool IsBodyOptional { get; init; }

    /// <summary>The possible answers on success: at least one.</summary>
    public required IReadOnlyList<Success> Answers { get; init; }

    /// <summary>Additional errors, beside those that follow from the rest of the declaration.</summary>
    public IReadOnlyList<ErrorCode> OwnErrors { get; init; } = [];

    /// <summary>Whether the operation reads <c>If-Match</c>.</summary>
    public bool TakesIfMatch { get; init; }

    /// <summary>Whether the operation reads <c>If-None-Match</c>.</summary>
    public bool TakesIfNoneMatch { get; init; }

    /// <summary>Whether the operation reads <c>Idempotency-Key</c>: true for every write of a workspace.</summary>
    public bool TakesIdempotencyKey => Scopes.Count > 0 && Method is not "GET";

    /// <summary>Whether the operation has a dry run.</summary>
    public bool HasDryRun => Parameters.Contains(Parameter.DryRun);

    /// <summary>All errors that the operation may answer.</summary>
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
    /// <param name="given">The names and values of the query string, in order.</param>
    /// <returns>The values, or all validation errors.</returns>
    public Result<Query> ReadQuery(IReadOnlyList<KeyValuePair<string, string>> given)
    {
        if (given.Count == 0 && !Parameters.Any(parameter => parameter.IsRequired)) return defaultQuery ??= Defaults();
        var (errors, values, others, seen) =
            (new ValidationErrors(), new Dictionary<string, object>(StringComparer.Ordinal), new List<object>(), new HashSet<string>(StringComparer.Ordinal));
        foreach (var (name, text) in given)
        {
            var parameter = Parameters.FirstOrDefault(one => one.Name == name);
            if (!seen.Add(name))
            {
                errors.Add(name, "Given twice; pass it once");
            }
            else if (text.Contains('\0', StringComparison.Ordinal) && parameter?.TakesNul is not true)
            {
                errors.Add(name, "Contains a NUL character; remove it");
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

/// <summary>Describes one possible answer of an operation on success.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Type">The <c>type</c> of the data; null for an answer without data.</param>
public sealed record Success(int Status, string? Type)
{
    /// <summary>The attributes of the data; empty where the type is described elsewhere, and for an answer without data.</summary>
    public IReadOnlyList<Field> Attributes { get; init; } = [];

    /// <summary>Whether the answer is a list with a cursor.</summary>
    public bool IsList { get; init; }
}
