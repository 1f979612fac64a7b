namespace NodeStash.Core.Records;

/// <summary>
/// Lists every reason to refuse a request. Functions.Api/Http gives each one its HTTP status. Source: docs/api/errors.md.
/// </summary>
public enum ErrorCode
{
    /// <summary>The body, a query parameter or a header is invalid; the details name each field.</summary>
    ValidationError,

    /// <summary>The API key is missing, malformed, unknown or revoked.</summary>
    InvalidApiKey,

    /// <summary>The credential lacks a scope that the operation needs.</summary>
    InsufficientScope,

    /// <summary>The record or path does not exist, at least not in this environment.</summary>
    NotFound,

    /// <summary>The path exists, but does not take this HTTP method.</summary>
    MethodNotAllowed,

    /// <summary>A unique value is taken, or the current state forbids the change.</summary>
    Conflict,

    /// <summary>The record has another version than the one in <c>If-Match</c>.</summary>
    PreconditionFailed,

    /// <summary>The body, or the commit it would cause, is too large.</summary>
    PayloadTooLarge,

    /// <summary>The body is not declared as JSON.</summary>
    UnsupportedMediaType,

    /// <summary>The body is valid, but refers to a record that does not exist or does not fit.</summary>
    UnprocessableEntity,

    /// <summary>Another request with the same Idempotency-Key is still running.</summary>
    IdempotencyInProgress,

    /// <summary>The Idempotency-Key was used before with a different request.</summary>
    IdempotencyKeyReused,

    /// <summary>The server failed unexpectedly.</summary>
    InternalError,

    /// <summary>The server can't do it now; the same request may succeed later.</summary>
    Unavailable,
}

/// <summary>Describes one invalid field of a request.</summary>
/// <param name="Field">The place of the mistake: a body field (<c>stages[0].name</c>), a query parameter or a header.</param>
/// <param name="Message">The problem, and how to correct it.</param>
public sealed record FieldError(string Field, string Message);

/// <summary>Describes why a request is refused. Unexpected failures are exceptions instead.</summary>
/// <param name="Code">The reason, for programs.</param>
/// <param name="Message">The reason, for the engineer who calls the API.</param>
/// <param name="Details">The invalid fields; empty if the error concerns no field.</param>
public sealed record Error(ErrorCode Code, string Message, IReadOnlyList<FieldError> Details)
{
    /// <summary>The time to wait before a retry, for <see cref="ErrorCode.Unavailable"/>; null if it is not known.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>
    /// The collection that lists the existing records, for a client that asked for one that does not exist. Null where that is no help. A door adds the
    /// path of the collection.
    /// </summary>
    public string? Collection { get; init; }

    /// <summary>Reports all invalid fields of a request.</summary>
    public static Error Invalid(IReadOnlyList<FieldError> errors) => new(ErrorCode.ValidationError, "Request validation failed", errors);

    /// <summary>Reports one invalid field of a request.</summary>
    public static Error Invalid(string field, string message) => Invalid([new FieldError(field, message)]);

    /// <summary>Reports a missing record. The text does not tell whether it was deleted, never existed, or belongs to another workspace.</summary>
    public static Error NotFound(string noun, string id) => new(ErrorCode.NotFound, $"No {noun} with id '{id}' in this workspace", []);

    /// <summary>Reports a missing custom object, and names the collection that lists the existing ones.</summary>
    public static Error NoObject(string slug) =>
        new(ErrorCode.NotFound, $"No custom object with slug '{slug}' in this workspace", []) { Collection = "objects" };

    /// <summary>Reports that a unique value is taken, or that the current state forbids the change.</summary>
    /// <param name="message">The conflict, and how to resolve it.</param>
    /// <param name="field">The field that conflicts; null if it is none.</param>
    public static Error Conflict(string message, string? field = null) =>
        new(ErrorCode.Conflict, message, field is null ? [] : [new FieldError(field, message)]);

    /// <summary>Reports that <c>If-Match</c> names another version than the record has.</summary>
    /// <param name="version">The current version of the record.</param>
    public static Error PreconditionFailed(long version) =>
        new(ErrorCode.PreconditionFailed, $"If-Match does not match: the record is at \"{version}\". Read it again and repeat the change.", []);

    /// <summary>Reports a field that is well-formed but refers to a record that does not exist or does not fit.</summary>
    public static Error Unprocessable(string field, string message) => new(ErrorCode.UnprocessableEntity, message, [new FieldError(field, message)]);

    /// <summary>Reports a scope that the credential lacks, e.g. <c>deals:read</c>.</summary>
    public static Error InsufficientScope(string scope) => new(ErrorCode.InsufficientScope, $"The credential lacks the scope '{scope}'", []);

    /// <summary>Reports that the store, or another backing service, is unavailable.</summary>
    /// <param name="retryAfter">The time to wait before a retry; null if it is not known.</param>
    public static Error StoreDown(TimeSpan? retryAfter) =>
        new(ErrorCode.Unavailable, "A backing service is not available; try again", []) { RetryAfter = retryAfter };

    /// <summary>Reports a commit that is larger than a store takes (<see cref="Storage.Commit.MaxBytes"/>).</summary>
    public static Error TooLarge { get; } = new(
        ErrorCode.PayloadTooLarge, "The change and its events are too large for one commit; send fewer operations or less text", []);

    /// <summary>Reports that a pending cascade replaces the same values as the requested change.</summary>
    public static Error CascadeInProgress { get; } = Conflict("An earlier operation is still updating the same values in other records; retry shortly");

    /// <summary>Reports that the environment has the maximum number of pending cascades.</summary>
    public static Error TooManyCascades { get; } = new(
        ErrorCode.Unavailable, "Too many operations that update many records are in progress; retry when some of them have finished", []);

    /// <summary>Reports that other requests kept changing the record until every attempt was used up.</summary>
    public static Error Busy { get; } = new(ErrorCode.Unavailable, "Too many other requests are changing this record; retry shortly", []);
}

/// <summary>Holds either a value or the error that explains why there is none.</summary>
/// <typeparam name="T">The type of the value.</typeparam>
public readonly struct Result<T>
{
    private readonly T? value;

    private Result(T? value, Error? error)
    {
        this.value = value;
        Error = error;
    }

    /// <summary>The error; null if there is a value.</summary>
    public Error? Error { get; }

    /// <summary>The value.</summary>
    /// <exception cref="InvalidOperationException">The result is an error.</exception>
    public T Value => Error is null ? value! : throw new InvalidOperationException(Error.Message);

    /// <summary>Wraps a value.</summary>
    public static implicit operator Result<T>(T value) => new(value, null);

    /// <summary>Wraps an error.</summary>
    public static implicit operator Result<T>(Error error) => new(default, error);
}
