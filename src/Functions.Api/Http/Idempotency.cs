using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Tenancy;
using NodeStash.Core.Values;
using NodeStash.Core.Webhooks;

namespace NodeStash.Functions.Api.Http;

/// <summary>
/// Answers a repeated request as the first one was answered (docs/api/v1.md, Idempotency). The commit of a write holds the answer, so that no crash can
/// separate the two. The answer of a request without a commit is stored afterwards. Answers are encrypted, because some hold a secret.
/// </summary>
public sealed partial class Idempotency(SecretBox box, IDoor door, TimeProvider clock, ILogger<Idempotency> log)
{
    private const string Header = "Idempotency-Key";
    private const int MaxKeyLength = 255;

    private readonly ConcurrentDictionary<string, bool> running = new(StringComparer.Ordinal);

    /// <summary>Begins a request that has an Idempotency-Key. Dispose of the result when the request ends: until then repeats are refused.</summary>
    /// <param name="request">The request.</param>
    /// <param name="operation">The operation that is called.</param>
    /// <param name="caller">The caller; keys of different callers are distinct.</param>
    /// <param name="requestId">The id of the request, which the stored answer shows.</param>
    /// <returns>The request; null where its answer is not stored: it has no key, or it is a dry run.</returns>
    /// <exception cref="RefusedException">The key is invalid, or a request with it is still running.</exception>
    public async ValueTask<IdempotentRequest?> Begin(HttpRequest request, Operation operation, Caller caller, string requestId)
    {
        var header = request.Headers[Header];
        if (header.Count == 0 || !operation.TakesIdempotencyKey) return null;
        if (header.Count > 1 || header[0] is not { Length: > 0 and <= MaxKeyLength } key)
            throw new RefusedException(Error.Invalid(Header, $"Expected one key of 1 to {MaxKeyLength} characters"));
        if (operation.HasDryRun && request.Query[Parameter.DryRun.Name] == "true") return null;

        var place = Hash($"{caller.Partition.Key}\n{caller.Actor}\n{key}");
        var fingerprint = Hash($"{request.Method}\n{request.Path}{request.QueryString}\n", await Body.Bytes(request));
        if (!running.TryAdd(place, true)) throw new RefusedException(InProgress);
        return new IdempotentRequest(
            place,
            outcome => door.Render(outcome, requestId),
            (at, answer) => ToStoredAnswer(at, fingerprint, answer),
            at => Replay(caller, at, fingerprint, request.HttpContext.RequestAborted),
            () => running.TryRemove(place, out _));
    }

    /// <summary>Stores the answer of a request, unless its commit has done so or a repeat may end differently.</summary>
    /// <returns>The outcome to send.</returns>
    public async ValueTask<Outcome> SaveAnswer(IdempotentRequest request, Outcome outcome, Caller caller, string requestId)
    {
        if (outcome.Error is null && request.Stored is { } stored) return new Outcome.Rendered(stored);
        if (!IsFinal(outcome) || outcome.IsProvisional) return outcome;
        await Store(caller, request.ToStoredAnswer(outcome), requestId);
        return new Outcome.Rendered(request.Rendered!);
    }

    /// <summary>Stores an answer after the request has ended. If that fails, a repeat only runs again.</summary>
    private async ValueTask Store(Caller caller, StoredAnswer answer, string requestId)
    {
        try
        {
            await caller.Store.Commit(new Commit { Answer = answer }, CancellationToken.None);
        }
        catch (Exception e) when (e is StoreUnavailableException or CommitTooLargeException)
        {
            NotKept(log, e, requestId);
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "The answer of request {RequestId} could not be kept for repeats")]
    private static partial void NotKept(ILogger logger, Exception e, string requestId);

    internal static Error InProgress { get; } = new(
        ErrorCode.IdempotencyInProgress, "A request with this Idempotency-Key is still running; repeat it when it has ended", []);

    private static Error Reused { get; } = new(
        ErrorCode.IdempotencyKeyReused, "This Idempotency-Key was used for another request; use a new key for a new request", []);

    /// <summary>
    /// Whether a repeat must get the same answer: on success, and where the stored data forbade the request. Other errors may not occur
    /// next time.
    /// </summary>
    private static bool IsFinal(Outcome outcome) => outcome.Error is null
        or { Code: ErrorCode.NotFound or ErrorCode.Conflict or ErrorCode.PreconditionFailed or ErrorCode.UnprocessableEntity };

    /// <summary>Finds the stored answer at a place; null where there is none. A different request with the same key is refused.</summary>
    private async ValueTask<Outcome?> Replay(Caller caller, string place, string fingerprint, CancellationToken ct)
    {
        if (await caller.Store.FindAnswer(place, ct) is not { } stored) return null;
        if (stored.Fingerprint != fingerprint) return Reused;
        var json = JsonElement.Parse(box.Open(stored.Content, place));
        var body = json.GetProperty("body") is { ValueKind: JsonValueKind.Object } kept
            ? Encoding.UTF8.GetBytes(kept.GetRawText())
            : default(ReadOnlyMemory<byte>?);
        return new Outcome.Rendered(new Answer(json.GetProperty("status").GetInt32(), body)
        {
            ETag = json.GetProperty("etag").GetString(), Location = json.GetProperty("location").GetString(), IsRepeat = true,
        });
    }

    private StoredAnswer ToStoredAnswer(string place, string fingerprint, Answer answer)
    {
        var content = JsonForm.Object(writer =>
        {
            writer.WriteNumber("status"u8, answer.Status);
            writer.WriteString("etag"u8, answer.ETag);
            writer.WriteString("location"u8, answer.Location);
            writer.WritePropertyName("body"u8);
            if (answer.Body is { } body) writer.WriteRawValue(body.Span, skipInputValidation: true);
            else writer.WriteNullValue();
        });
        return new StoredAnswer(place, fingerprint, clock.GetUtcNow(), box.Seal(content.Span, place));
    }

    private static string Hash(string text, ReadOnlyMemory<byte> more = default)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(text));
        hash.AppendData(more.Span);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

/// <summary>Stores the answer of a request, or of one operation of a batch. The answer is rendered once, so the stored one equals the sent one.</summary>
/// <param name="place">The key that the answer is stored under.</param>
/// <param name="render">Renders an outcome.</param>
/// <param name="toStored">Encrypts an answer for its place.</param>
/// <param name="replay">Finds the answer stored at a place.</param>
/// <param name="onEnd">Called when the request ends; null for one operation of a batch.</param>
public sealed class IdempotentRequest(
    string place, Func<Outcome, Answer> render, Func<string, Answer, StoredAnswer> toStored, Func<string, ValueTask<Outcome?>> replay, Action? onEnd)
    : IDisposable
{
    /// <summary>The answer rendered last; null before the first.</summary>
    public Answer? Rendered { get; private set; }

    /// <summary>The answer that a commit has stored; null where none has.</summary>
    public Answer? Stored { get; private set; }

    /// <summary>Stores the answer of one operation of a batch under its own key, so that a repeat of an interrupted batch skips finished operations.</summary>
    /// <param name="index">The position of the operation, from 0.</param>
    public IdempotentRequest ForOperation(int index) => new($"{place}#{Text.Invariant(index)}", render, toStored, replay, onEnd: null);

    /// <summary>Finds the earlier answer; null where there is none.</summary>
    public ValueTask<Outcome?> Replay() => replay(place);

    /// <summary>Renders an outcome as the answer that its commit holds.</summary>
    public StoredAnswer ToStoredAnswer(Outcome outcome) => toStored(place, Rendered = render(outcome));

    public void Dispose() => onEnd?.Invoke();

    /// <summary>Marks the last rendered answer as stored. Call it after the commit.</summary>
    public void MarkStored() => Stored = Rendered;

    /// <summary>Creates the recorder that puts the answer into a commit.</summary>
    internal ResponseRecorder CreateRecorder(Func<StoredRecord, Outcome> outcomeOf) => new(stored => ToStoredAnswer(outcomeOf(stored)), MarkStored);
}
