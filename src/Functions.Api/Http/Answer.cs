using NodeStash.Core.Records;

namespace NodeStash.Functions.Api.Http;

/// <summary>An outcome in the form of a door, ready to be sent or kept for repeats.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Body">UTF-8 JSON; null for none.</param>
public sealed record Answer(int Status, ReadOnlyMemory<byte>? Body)
{
    /// <summary>Null for none.</summary>
    public string? ETag { get; init; }

    /// <summary>Null for none.</summary>
    public string? Location { get; init; }

    /// <summary>The methods a path takes; null where they are not told.</summary>
    public string? Allow { get; init; }

    /// <summary>Which part of a list is answered (RFC 9110, 14.4); null where it is not told.</summary>
    public string? ContentRange { get; init; }

    /// <summary>The error answered; null for success.</summary>
    public Error? Error { get; init; }

    /// <summary>Whether it was given before, to a request that this one repeats.</summary>
    public bool IsRepeat { get; init; }
}

/// <summary>A public system over the engine: it gives outcomes their statuses, paths and bodies.</summary>
public interface IDoor
{
    /// <summary>An outcome in the door's form.</summary>
    /// <param name="outcome">What the operation came to.</param>
    /// <param name="requestId">The request's id, <c>req_…</c></param>
    Answer Render(Outcome outcome, string requestId);

    /// <summary>An error as problem details (RFC 9457), for clients that ask for them.</summary>
    /// <param name="error">Why the request was refused.</param>
    /// <param name="requestId">The request's id, <c>req_…</c></param>
    /// <returns>UTF-8 JSON.</returns>
    ReadOnlyMemory<byte> RenderProblem(Error error, string requestId);
}
