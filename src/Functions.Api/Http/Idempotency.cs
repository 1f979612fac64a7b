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
/// Gives a repeat of a request the answer of the first (docs/api/v1.md, Idempotency). A write stores its answer in its own commit, so
/// that no crash can separate the two; what ends without a commit is stored afterwards. Answers are kept sealed: some hold a secret.
/// </summary>
public sealed partial class Idempotency(SecretBox box, IDoor door, TimeProvider clock, ILogger<Idempotency> log)
{
    private const string Header = "Idempotency-Key";
    private const int MaxKeyLength = 255;

    private readonly ConcurrentDictionary<string, bool> running = new(StringComparer.Ordinal);

    /// <summary>Begins a request whose answer is to be kept. It has to be disposed of: until then a repeat is refused as still running.</summary>
    /// <param name="request">The request.</param>
    /// <param name="operation">What it asks for.</param>
    /// <param name="caller">Whose key it is.</param>
    /// <param name="requestId">Goes into the answer that is kept.</param>
    /// <returns>The request; null where there is nothing to keep.</returns>
    /// <exception cref="RefusedException">The key will not do, or a request with it is still running.</exception>
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
            (at, answer) => Seal(at, fingerprint, answer),
            at => Replay(caller, at, fingerprint, request.HttpContext.RequestAborted),
            () => running.TryRemove(place, out _));
    }

    /// <summary>Keeps what a request came to, unless its commit has done so or a repeat may come to something else.</summary>
    /// <returns>The outcome to answer.</returns>
    public async ValueTask<Outcome> Keep(IdempotentRequest kept, Outcome outcome, Caller caller, string requestId)
    {
        if (outcome.Error is null && kept.Stored is { } stored) return new Outcome.Rendered(stored);
        if (!IsFinal(outcome) || outcome.IsProvisional) return outcome;
        await Store(caller, kept.Seal(outcome), requestId);
        return new Outcome.Rendered(kept.Rendered!);
    }

    /// <summary>Keeps the answer of what ended without a commit. What was done is done: if this fails, a repeat runs again, and that is all.</summary>
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
    /// Whether a repeat should get the same: what was done, and what the state forbade. What was wrong with the request, or with us, may be right
    /// next time.
    /// </summary>
    private static bool IsFinal(Outcome outcome) => outcome.Error is null
        or { Code: ErrorCode.NotFound or ErrorCode.Conflict or ErrorCode.PreconditionFailed or ErrorCode.UnprocessableEntity };

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

    private StoredAnswer Seal(string place, string fingerprint, Answer answer)
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

/// <summary>A request, or a part of one, whose answer is to be kept. The answer is rendered once, and what is kept is what is sent.</summary>
/// <param name="place">Where the answer is kept.</param>
/// <param name="render">Makes the answer of an outcome.</param>
/// <param name="seal">Puts an answer into the form in which it is stored at a place.</param>
/// <param name="replay">The answer stored at a place, if there is one.</param>
/// <param name="end">Told once the request is no longer running; null for a part.</param>
public sealed class IdempotentRequest(
    string place, Func<Outcome, Answer> render, Func<string, Answer, StoredAnswer> seal, Func<string, ValueTask<Outcome?>> replay, Action? end) : IDisposable
{
    /// <summary>The answer rendered last; null before the first.</summary>
    public Answer? Rendered { get; private set; }

    /// <summary>The answer that a commit has stored; null where none has.</summary>
    public Answer? Stored { get; private set; }

    /// <summary>One of the parts that the request does one after the other: a repeat of a request that was interrupted does not do them again.</summary>
    /// <param name="index">From 0.</param>
    public IdempotentRequest Part(int index) => new($"{place}#{Text.Invariant(index)}", render, seal, replay, end: null);

    /// <summary>What was answered before; null if it was not.</summary>
    public ValueTask<Outcome?> Replay() => replay(place);

    /// <summary>Renders an outcome for its commit.</summary>
    public StoredAnswer Seal(Outcome outcome) => seal(place, Rendered = render(outcome));

    public void Dispose() => end?.Invoke();

    /// <summary>Told once a commit with the answer rendered last is stored.</summary>
    public void IsStored() => Stored = Rendered;

    /// <summary>How a commit keeps the answer.</summary>
    internal ResponseRecorder Keeping(Func<StoredRecord, Outcome> outcomeOf) => new(stored => Seal(outcomeOf(stored)), IsStored);
}
