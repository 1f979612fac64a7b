using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using NodeStash.Core.Access;
using NodeStash.Core.Events;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Core.Tenancy;
using NodeStash.Core.Values;

namespace NodeStash.Functions.Api.Http;

/// <summary>A request whose caller is known and whose query is read.</summary>
/// <param name="Request">The HTTP request.</param>
/// <param name="Operation">What it asks for.</param>
/// <param name="Query">Its query string, read by the operation's parameters.</param>
/// <param name="Caller">Who calls.</param>
/// <param name="Origin">What its events will say.</param>
/// <param name="Ids">Makes ids.</param>
/// <param name="Clock">Tells the time.</param>
/// <param name="Idempotent">Keeps the answer for repeats; null where there is nothing to keep.</param>
public sealed record Call(
    HttpRequest Request, Operation Operation, Query Query, Caller Caller, Origin Origin, Ids Ids, TimeProvider Clock, IdempotentRequest? Idempotent)
{
    /// <summary>The caller's records, to be read, or written without an answer in the commit.</summary>
    public RecordSet Records { get; init; } = new(Crm.Catalog, Caller.Store, Origin, Ids, Clock);

    /// <summary>The caller's records, to see what a write would do.</summary>
    public RecordSet Tried => new(Crm.Catalog, Caller.Store, Origin, Ids, Clock, new WriteOptions(IsDryRun: true, Recorder: null));

    public CancellationToken Aborted => Request.HttpContext.RequestAborted;

    /// <summary>Whether everything is checked and answered as if, and nothing is stored or sent.</summary>
    public bool IsDryRun => Query.Is(Parameter.DryRun);

    /// <summary>The refusal where the caller may not read records of one of the types; null where it may.</summary>
    public Error? Lacking(IEnumerable<string> types) =>
        types.Select(type => Scope.Reading(Crm.Catalog.Find(type).Scopes)).FirstOrDefault(scope => !Caller.May(scope)) is { Name: { } name }
            ? Error.InsufficientScope(name)
            : null;

    /// <summary>Writes, as the request asks: for real or dry, with the answer in the commit where the client may repeat it.</summary>
    /// <param name="work">Does it.</param>
    /// <param name="outcomeOf">The outcome for the record as it is then.</param>
    public async ValueTask<Outcome> Write(Func<RecordSet, ValueTask<Result<StoredRecord>>> work, Func<StoredRecord, Outcome> outcomeOf)
    {
        var written = await work(Writable(Caller.Store, outcomeOf));
        return written.Error is { } error ? error : outcomeOf(written.Value);
    }

    /// <summary>Deletes, as <see cref="Write"/> writes.</summary>
    public async ValueTask<Outcome> Delete(Func<RecordSet, ValueTask<Error?>> work) =>
        await work(Writable(Caller.Store, _ => Outcome.Deleted)) is { } error ? error : Outcome.Deleted;

    /// <summary>Records to write to.</summary>
    /// <param name="store">Of the caller's stores.</param>
    /// <param name="outcomeOf">The outcome whose answer to keep in the commit, if the store is of the environment where answers are looked for; null
    /// where it is kept after it.</param>
    public RecordSet Writable(IWorkspaceStore store, Func<StoredRecord, Outcome>? outcomeOf) =>
        new(Crm.Catalog, store, Origin, Ids, Clock,
            new WriteOptions(IsDryRun, outcomeOf is null || store.Partition != Caller.Partition ? null : Idempotent?.Keeping(outcomeOf)));

    /// <summary>The body, a JSON object: to be read by a schema, or by <see cref="Read"/>. An empty object where the operation lets it be absent.</summary>
    public ValueTask<JsonElement> Body() => Http.Body.Read(Request, Operation.IsBodyOptional);

    /// <summary>The body, read by the operation's form.</summary>
    /// <param name="check">Adds what is wrong beyond single members; null for nothing.</param>
    public async ValueTask<Result<FormValues>> Read(Action<FormValues, ValidationErrors>? check = null) => Operation.Body!.Read(await Body(), check);

    /// <summary>Whether the client has a version already, by <c>If-None-Match</c>.</summary>
    /// <param name="tag">The ETag of the version.</param>
    public bool Knows(string tag) =>
        Request.Headers.IfNoneMatch is { Count: > 0 } known
            && known.ToString().Split(',').Any(one => one.Trim() is var each && (each == tag || each == "W/" + tag || each == "*"));

    /// <summary>The version the client asks the record to be of; null where it does not care.</summary>
    public long? IfMatch()
    {
        var header = Request.Headers.IfMatch.ToString();
        if (header.Length == 0 || header == "*") return null;
        if (header.Length > 2 && header[0] == '"' && header[^1] == '"'
            && long.TryParse(header.AsSpan(1..^1), NumberStyles.None, CultureInfo.InvariantCulture, out var version)) return version;

        // A tag that is none of ours, or weak, matches no version (RFC 9110, 13.1.1).
        const long NoVersion = 0;
        if (EntityTagHeaderValue.TryParse(header, out _)) return NoVersion;
        throw new RefusedException(Error.Invalid("If-Match", "Expected one ETag as it was answered, e.g. \"4\""));
    }

    /// <summary>The names and values of the query string, in order.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Parameters() => ParametersOf(Request);

    internal static IReadOnlyList<KeyValuePair<string, string>> ParametersOf(HttpRequest request) =>
        [.. request.Query.SelectMany(p => p.Value.Select(value => new KeyValuePair<string, string>(p.Key, value ?? "")))];
}
