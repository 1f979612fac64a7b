namespace NodeStash.Core.Records;

/// <summary>
/// The closed list of ways a request can be refused (docs/api/v1.md, Envelopes). Which HTTP status each has is known in one place,
/// Functions.Api/Http.
/// </summary>
public enum ErrorCode
{
    ValidationError,
    InvalidApiKey,
    InsufficientScope,
    NotFound,
    MethodNotAllowed,
    Conflict,
    PreconditionFailed,
    PayloadTooLarge,
    UnsupportedMediaType,
    UnprocessableEntity,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    InternalError,
    Unavailable,
}

/// <param name="Field">Where: a body field (<c>stages[0].name</c>), a query parameter or a header.</param>
/// <param name="Message">What is wrong and what would be right.</param>
public sealed record FieldError(string Field, string Message);

/// <summary>An expected answer that is not success. Faults of ours are exceptions instead.</summary>
/// <param name="Code">Which of the catalogue.</param>
/// <param name="Message">For the engineer who reads it.</param>
/// <param name="Details">Each faulty field; empty where no field is at fault.</param>
public sealed record Error(ErrorCode Code, string Message, IReadOnlyList<FieldError> Details)
{
    /// <summary>For <see cref="ErrorCode.Unavailable"/>: how long to wait before trying again; null where nobody knows.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The collection that lists what there is in place of what was asked for; null where that is no help. A door tells its path.</summary>
    public string? Collection { get; init; }

    public static Error Invalid(IReadOnlyList<FieldError> errors) => new(ErrorCode.ValidationError, "Request validation failed", errors);

    public static Error Invalid(string field, string message) => Invalid([new FieldError(field, message)]);

    /// <summary>The same whether the id never was, was deleted, or is another workspace's.</summary>
    public static Error NotFound(string noun, string id) => new(ErrorCode.NotFound, $"No {noun} with id '{id}' in this workspace", []);

    public static Error NoObject(string slug) =>
        new(ErrorCode.NotFound, $"No custom object with slug '{slug}' in this workspace", []) { Collection = "objects" };

    public static Error Conflict(string message, string? field = null) =>
        new(ErrorCode.Conflict, message, field is null ? [] : [new FieldError(field, message)]);

    public static Error PreconditionFailed(long version) =>
        new(ErrorCode.PreconditionFailed, $"If-Match does not match: the record is at \"{version}\". Read it again and repeat the change.", []);

    public static Error Unprocessable(string field, string message) => new(ErrorCode.UnprocessableEntity, message, [new FieldError(field, message)]);

    public static Error InsufficientScope(string scope) => new(ErrorCode.InsufficientScope, $"The credential lacks the scope '{scope}'", []);

    /// <param name="retryAfter">As <see cref="RetryAfter"/>.</param>
    public static Error StoreDown(TimeSpan? retryAfter) =>
        new(ErrorCode.Unavailable, "A backing service is not available; try again", []) { RetryAfter = retryAfter };

    /// <summary>A commit would be larger than a store takes.</summary>
    public static Error TooLarge { get; } = new(
        ErrorCode.PayloadTooLarge, "With its events this is too large to be stored as one; send fewer operations, or less text", []);

    public static Error CascadeInProgress { get; } = Conflict("A change like this one is still on its way to the records it reaches; try again in a moment");

    public static Error TooManyCascades { get; } = new(
        ErrorCode.Unavailable, "Too many changes that reach many records are under way; try again when they have ended", []);

    public static Error Busy { get; } = new(ErrorCode.Unavailable, "The record is being changed by too many others at once; try again", []);
}

/// <summary>A value, or why there is none.</summary>
public readonly struct Result<T>
{
    private readonly T? value;

    private Result(T? value, Error? error)
    {
        this.value = value;
        Error = error;
    }

    /// <summary>Why there is no value; null where there is one.</summary>
    public Error? Error { get; }

    /// <summary>The value. Only to be read where <see cref="Error"/> is null.</summary>
    public T Value => Error is null ? value! : throw new InvalidOperationException(Error.Message);

    public static implicit operator Result<T>(T value) => new(value, null);

    public static implicit operator Result<T>(Error error) => new(default, error);
}
