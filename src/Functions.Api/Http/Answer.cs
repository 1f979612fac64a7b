using NodeStash.Core.Records;

namespace NodeStash.Functions.Api.Http;

/// <summary>Holds a response that a door has rendered, ready to be sent or kept for repeats.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Body">UTF-8 JSON; null for none.</param>
public sealed record Answer(int Status, ReadOnlyMemory<byte>? Body)
{
    /// <summary>The <c>ETag</c> header; null for none.</summary>
    public string? ETag { get; init; }

    /// <summary>The <c>Location</c> header; null for none.</summary>
    public string? Location { get; init; }

    /// <summary>The <c>Allow</c> header: the methods that the path takes; null for none.</summary>
    public string? Allow { get; init; }

    /// <summary>The <c>Content-Range</c> header: the part of a list that is answered (RFC 9110, 14.4); null for none.</summary>
    public string? ContentRange { get; init; }

    /// <summary>The error that the body reports; null for success.</summary>
    public Error? Error { get; init; }

    /// <summary>Whether the answer repeats that of an earlier request with the same Idempotency-Key.</summary>
    public bool IsRepeat { get; init; }
}

/// <summary>Renders outcomes for one public API: it decides statuses, paths and bodies.</summary>
public interface IDoor
{
    /// <summary>Renders an outcome as an answer.</summary>
    /// <param name="outcome">The outcome of the operation.</param>
    /// <param name="requestId">The request's id, <c>req_…</c></param>
    Answer Render(Outcome outcome, string requestId);

    /// <summary>Renders an error as problem details (RFC 9457), for clients that ask for them.</summary>
    /// <param name="error">The reason for the refusal.</param>
    /// <param name="requestId">The request's id, <c>req_…</c></param>
    /// <returns>UTF-8 JSON.</returns>
    ReadOnlyMemory<byte> RenderProblem(Error error, string requestId);
}
