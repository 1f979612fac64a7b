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

/// <summary>Holds a request whose caller is authenticated and whose query string is read.</summary>
/// <param name="Request">The HTTP request.</param>
/// <param name="Operation">The operation that is called.</param>
/// <param name="Query">The query string, read by the operation's parameters.</param>
/// <param name="Caller">The caller, with access to one environment.</param>
/// <param name="Origin">The origin that its events carry.</param>
/// <param name="Ids">Makes ids.</param>
/// <param name="Clock">Tells the time.</param>
/// <param name="Idempotent">Stores the answer for repeats; null for a request without an Idempotency-Key.</param>
public sealed record Call(
    HttpRequest Request, Operation Operation, Query Query, Caller Caller, Origin Origin, Ids Ids, TimeProvider Clock, IdempotentRequest? Idempotent)
{
    /// <summary>The caller's records, for reads, and for writes whose commit holds no answer.</summary>
    public RecordSet Records { get; init; } = new(Crm.Catalog, Caller.Store, Origin, Ids, Clock);

    /// <summary>The caller's records, for dry runs: writes are checked and not stored.</summary>
    public RecordSet DryRunRecords => new(Crm.Catalog, Caller.Store, Origin, Ids, Clock, new WriteOptions(IsDryRun: true, Recorder: null));

    public CancellationToken Aborted => Request.HttpContext.RequestAborted;

    /// <summary>Whether the request is a dry run: it is checked and answered, and nothing is stored or sent.</summary>
    public bool IsDryRun => Query.Is(Parameter.DryRun);

    /// <summary>Checks that the caller may read records of all these types; null where it may.</summary>
    public Error? CheckCanRead(IEnumerable<string> types) =>
        types.Select(type => Scope.Reading(Crm.Catalog.Find(type).Scopes)).FirstOrDefault(scope => !Caller.May(scope)) is { Name: { } name }
            ? Error.InsufficientScope(name)
            : null;

    /// <summary>Writes a record, or only checks the write in a dry run. The commit holds the answer where the client may repeat the request.</summary>
    /// <param name="work">Writes to the records it is given.</param>
    /// <param name="outcomeOf">Makes the outcome from the written record.</param>
    public async ValueTask<Outcome> Write(Func<RecordSet, ValueTask<Result<StoredRecord>>> work, Func<StoredRecord, Outcome> outcomeOf)
    {
        var written = await work(OpenForWriting(Caller.Store, outcomeOf));
        return written.Error is { } error ? error : outcomeOf(written.Value);
    }

    /// <summary>Deletes a record, or only checks the deletion in a dry run.</summary>
    public async ValueTask<Outcome> Delete(Func<RecordSet, ValueTask<Error?>> work) =>
        await work(OpenForWriting(Caller.Store, _ => Outcome.Deleted)) is { } error ? error : Outcome.Deleted;

    /// <summary>Opens the records of a store for writing.</summary>
    /// <param name="store">One of the caller's stores.</param>
    /// <param name="outcomeOf">Makes the outcome whose answer the commit holds; null to store the answer after the commit. Answers are stored in the
    /// caller's environment, so a commit to another store holds none.</param>
    public RecordSet OpenForWriting(IWorkspaceStore store, Func<StoredRecord, Outcome>? outcomeOf) =>
        new(Crm.Catalog, store, Origin, Ids, Clock,
            new WriteOptions(IsDryRun, outcomeOf is null || store.Partition != Caller.Partition ? null : Idempotent?.CreateRecorder(outcomeOf)));

    /// <summary>Reads the body as a JSON object; an absent body is an empty object where the operation allows that.</summary>
    public ValueTask<JsonElement> Body() => Http.Body.Read(Request, Operation.IsBodyOptional);

    /// <summary>Reads the body by the operation's form.</summary>
    /// <param name="check">Adds errors that concern several members; null for no such check.</param>
    public async ValueTask<Result<FormValues>> Read(Action<FormValues, ValidationErrors>? check = null) => Operation.Body!.Read(await Body(), check);

    /// <summary>Whether <c>If-None-Match</c> names this version, so that the client has it already.</summary>
    /// <param name="tag">The ETag of the version.</param>
    public bool MatchesIfNoneMatch(string tag) =>
        Request.Headers.IfNoneMatch is { Count: > 0 } known
            && known.ToString().Split(',').Any(one => one.Trim() is var each && (each == tag || each == "W/" + tag || each == "*"));

    /// <summary>Reads the version that <c>If-Match</c> asks for; null where any version will do.</summary>
    public long? IfMatch()
    {
        var header = Request.Headers.IfMatch.ToString();
        if (header.Length == 0 || header == "*") return null;
        if (header.Length > 2 && header[0] == '"' && header[^1] == '"'
            && long.TryParse(header.AsSpan(1..^1), NumberStyles.None, CultureInfo.InvariantCulture, out var version)) return version;

        // A foreign or weak tag matches no version (RFC 9110, 13.1.1).
        const long NoVersion = 0;
        if (EntityTagHeaderValue.TryParse(header, out _)) return NoVersion;
        throw new RefusedException(Error.Invalid("If-Match", "Expected one ETag as it was answered, e.g. \"4\""));
    }

    /// <summary>The names and values of the query string, in order.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Parameters() => ParametersOf(Request);

    internal static IReadOnlyList<KeyValuePair<string, string>> ParametersOf(HttpRequest request) =>
        [.. request.Query.SelectMany(p => p.Value.Select(value => new KeyValuePair<string, string>(p.Key, value ?? "")))];
}
