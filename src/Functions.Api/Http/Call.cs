using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using NodeStash.Core.Access;
using NodeStash.Core.Events;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;

namespace NodeStash.Functions.Api.Http;

/// <summary>A request whose caller is known: what it asks for, and the operations every resource has.</summary>
/// <param name="Request">The HTTP request.</param>
/// <param name="Caller">Who calls.</param>
/// <param name="Origin">What its events will say.</param>
/// <param name="Ids">Makes ids.</param>
/// <param name="Clock">Tells the time.</param>
/// <param name="Idempotent">Keeps the answer for repeats; null where there is nothing to keep.</param>
public sealed record Call(HttpRequest Request, Caller Caller, Origin Origin, Ids Ids, TimeProvider Clock, IdempotentRequest? Idempotent)
{
    /// <summary>The query parameter that asks for a dry run.</summary>
    public const string DryRun = "dry_run";

    /// <summary>The caller's records, to be read, or written without an answer in the commit.</summary>
    public RecordSet Records { get; init; } = new(Caller.Store, Origin, Ids, Clock);

    /// <summary>The caller's records, to see what a write would do.</summary>
    public RecordSet Tried => new(Caller.Store, Origin, Ids, Clock, new Writing(IsDryRun: true, Keeping: null));

    public CancellationToken Aborted => Request.HttpContext.RequestAborted;

    public async ValueTask<Answer> Get(Schema schema, string id)
    {
        NoParameters(View.Parameters);
        var view = View.Read(schema, Parameters());
        if (view.Error is { } wrong) return wrong;
        if (Lacking(view.Value.RelatedTypes) is { } lacking) return lacking;
        var found = await Records.Get(schema, id, Aborted);
        if (found.Error is { } error)
        {
            return error.Code is ErrorCode.NotFound && schema.SuccessorClaim is { } claim && await Caller.Store.FindClaim(claim(id), Aborted) is { } successor
                ? Answer.Moved($"/v1/{schema.Collection}/{successor}{Request.QueryString}")
                : error;
        }

        return Answer.Found(schema.EnvelopeType, (await view.Value.Of([found.Value], Caller.Store, Aborted))[0], view.Value.Includes ? null : Request);
    }

    public ValueTask<Answer> List(Schema schema) => List(schema, Records);

    /// <summary>Lists from other records than the caller's data set, e.g. those of the workspace itself.</summary>
    public async ValueTask<Answer> List(Schema schema, RecordSet from)
    {
        var parameters = Parameters();
        var (query, view) = (ListQuery.Read(schema, parameters), View.Read(schema, parameters));
        if (query.Error is not null || view.Error is not null) return Error.Invalid([.. query.Error?.Details ?? [], .. view.Error?.Details ?? []]);
        if (Lacking(view.Value.RelatedTypes.Concat(ListQuery.RelatedTypes(schema, parameters))) is { } lacking) return lacking;
        var page = query.Value.Search is null ? await from.List(query.Value.Query, Aborted) : await Caller.Search.List(query.Value, Aborted);
        return page.Error is { } error
            ? error
            : Answer.Listed(schema.EnvelopeType, await view.Value.Of(page.Value.Records, Caller.Store, Aborted), ListQuery.NextCursor(schema, parameters, page.Value));
    }

    /// <summary>The refusal where the caller may not read records of one of the types; null where it may.</summary>
    public Error? Lacking(IEnumerable<string> types) =>
        types.Select(type => Scope.Reading(Catalog.Find(type).Scopes)).FirstOrDefault(scope => !Caller.May(scope)) is { Name: { } name } ? Error.InsufficientScope(name) : null;

    public async ValueTask<Answer> Create(Schema schema)
    {
        var body = await Body();
        return await Write(records => records.Create(schema, body, Aborted), stored => Answer.Created(schema, stored));
    }

    public async ValueTask<Answer> Update(Schema schema, string id)
    {
        var (body, ifVersion) = (await Body(), IfMatch());
        return await Write(records => records.Update(schema, id, body, ifVersion, Aborted), stored => Answer.Found(schema.EnvelopeType, stored));
    }

    /// <summary>Does the operations of a batch.</summary>
    public async ValueTask<Answer> Batch(Schema schema)
    {
        NoParameters(DryRun);
        var batch = Core.Records.Batch.Read(schema, await Body());
        if (batch.Error is { } error) return error;
        return await new BatchRun(this, schema, batch.Value.Operations, Flag(DryRun)).Run(batch.Value.IsAtomic);
    }

    public ValueTask<Answer> Delete(Schema schema, string id) => Delete(records => records.Delete(schema, id, IfMatch(), Aborted));

    /// <summary>Deletes, with all that stands against it where the client insists.</summary>
    public ValueTask<Answer> DeleteForced(Schema schema, string id)
    {
        var force = Flag("force");
        return Delete(records => records.Delete(schema, id, IfMatch(), Aborted, force), "force");
    }

    /// <summary>Writes, as the request asks: for real or dry, with the answer in the commit where the client may repeat it.</summary>
    /// <param name="work">Does it.</param>
    /// <param name="answerOf">The answer for the record as it is then.</param>
    /// <param name="parameters">Query parameters it may have, beside dry_run.</param>
    public async ValueTask<Answer> Write(Func<RecordSet, ValueTask<Result<StoredRecord>>> work, Func<StoredRecord, Answer> answerOf, params string[] parameters)
    {
        NoParameters([DryRun, .. parameters]);
        var written = await work(Writable(Caller.Store, answerOf));
        return written.Error is { } error ? error : answerOf(written.Value);
    }

    /// <summary>Deletes, as <see cref="Write"/> writes.</summary>
    public async ValueTask<Answer> Delete(Func<RecordSet, ValueTask<Error?>> work, params string[] parameters)
    {
        NoParameters([DryRun, .. parameters]);
        return await work(Writable(Caller.Store, _ => Answer.NoContent)) is { } error ? error : Answer.NoContent;
    }

    /// <summary>Records to write to.</summary>
    /// <param name="store">Of the caller's stores.</param>
    /// <param name="answerOf">The answer to keep in the commit, if the store is of the data set where answers are looked for; null where it is kept after it.</param>
    public RecordSet Writable(IWorkspaceStore store, Func<StoredRecord, Answer>? answerOf) =>
        new(store, Origin, Ids, Clock, new Writing(Flag(DryRun), answerOf is null || store.Partition != Caller.Partition ? null : Idempotent?.Keeping(answerOf)));

    /// <summary>The body, a JSON object.</summary>
    public ValueTask<JsonElement> Body() => Http.Body.Read(Request, mayBeEmpty: false);

    /// <summary>The body, or an empty object where there is none.</summary>
    public ValueTask<JsonElement> OptionalBody() => Http.Body.Read(Request, mayBeEmpty: true);

    /// <summary>The version the client asks the record to be of; null where it does not care.</summary>
    public long? IfMatch()
    {
        var header = Request.Headers.IfMatch.ToString();
        if (header.Length == 0 || header == "*") return null;
        if (header.Length > 2 && header[0] == '"' && header[^1] == '"' && long.TryParse(header.AsSpan(1..^1), NumberStyles.None, CultureInfo.InvariantCulture, out var version)) return version;

        // A tag that is none of ours, or weak, matches no version (RFC 9110, 13.1.1).
        const long NoVersion = 0;
        if (EntityTagHeaderValue.TryParse(header, out _)) return NoVersion;
        throw new RefusedException(Error.Invalid("If-Match", "Expected one ETag as it was answered, e.g. \"4\""));
    }

    /// <summary>The names and values of the query string, in order.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Parameters() =>
        [.. Request.Query.SelectMany(p => p.Value.Select(value => new KeyValuePair<string, string>(p.Key, value ?? "")))];

    /// <summary>Refuses any query parameter but these.</summary>
    public void NoParameters(params string[] but)
    {
        var faults = new Faults();
        foreach (var name in Request.Query.Keys.Where(name => !but.Contains(name))) faults.Add(name, Suggestion.Unknown("query parameter", name, but));
        if (faults.Any) throw new RefusedException(Error.Invalid(faults.All));
    }

    /// <summary>Whether a yes-or-no query parameter is true.</summary>
    public bool Flag(string name) => Request.Query[name].ToString() switch
    {
        "true" => true,
        "false" or "" => false,
        _ => throw new RefusedException(Error.Invalid(name, "Expected true or false")),
    };
}
