using Microsoft.AspNetCore.Http;
using NodeStash.Core.Records;
using NodeStash.Core.Values;

namespace NodeStash.Functions.Api.V1;

/// <summary>Maps error codes to HTTP statuses and names (docs/api/v1.md, Envelopes).</summary>
internal static class Statuses
{
    private static readonly Dictionary<ErrorCode,
        string> Names = Enum.GetValues<ErrorCode>().ToDictionary(code => code, code => Text.ToSnakeCase(code.ToString()).ToUpperInvariant());

    public static int Of(ErrorCode code) => code switch
    {
        ErrorCode.ValidationError => StatusCodes.Status400BadRequest,
        ErrorCode.InvalidApiKey => StatusCodes.Status401Unauthorized,
        ErrorCode.InsufficientScope => StatusCodes.Status403Forbidden,
        ErrorCode.NotFound => StatusCodes.Status404NotFound,
        ErrorCode.MethodNotAllowed => StatusCodes.Status405MethodNotAllowed,
        ErrorCode.Conflict => StatusCodes.Status409Conflict,
        ErrorCode.PreconditionFailed => StatusCodes.Status412PreconditionFailed,
        ErrorCode.PayloadTooLarge => StatusCodes.Status413PayloadTooLarge,
        ErrorCode.UnsupportedMediaType => StatusCodes.Status415UnsupportedMediaType,
        ErrorCode.UnprocessableEntity => StatusCodes.Status422UnprocessableEntity,
        ErrorCode.IdempotencyInProgress => StatusCodes.Status409Conflict,
        ErrorCode.IdempotencyKeyReused => StatusCodes.Status422UnprocessableEntity,
        ErrorCode.InternalError => StatusCodes.Status500InternalServerError,
        ErrorCode.Unavailable => StatusCodes.Status503ServiceUnavailable,
        _ => throw new ArgumentOutOfRangeException(nameof(code), code, null),
    };

    /// <summary>Writes a code as clients see it, e.g. <c>VALIDATION_ERROR</c>.</summary>
    public static string NameOf(ErrorCode code) => Names[code];
}
