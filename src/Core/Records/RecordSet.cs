using System.Text.Json;
using NodeStash.Core.Events;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Core.Telemetry;

namespace NodeStash.Core.Records;

/// <summary>
/// The records of one data set, as one caller reads and changes them. The same few operations for every resource: check against the schema,
/// let the resource's rules decide, commit the record with its claims and its events.
/// </summary>
/// <param name="store">The caller's data set.</param>
/// <param name="origin">On whose behalf.</param>
/// <param name="ids">Makes ids.</param>
/// <param name="clock">Tells the time.</param>
/// <param name="writing">How writes are to be done; null: stored, and nothing more.</param>
public sealed class RecordSet(IWorkspaceStore store, Origin origin, Ids ids, TimeProvider clock, Writing? writing = null)
{
    /// <summary>How often a change is decided anew because another came first. Each time someone got through, so this many in a row mean a very hot record.</summary>
    private const int MostRounds = 100;

    private const int ClearBatch = 40;

    /// <summary>Of attributes in one batch: an event holds them twice more at most, and all of it has to fit a commit.</summary>
    private const int ClearBytes = Storage.Commit.MaxBytes / 4;

    /// <summary>Whether writes are only tried.</summary>
    public bool IsDryRun => writing?.IsDryRun == true;

    public async ValueTask<Result<StoredRecord>> Get(Schema schema, string id, CancellationToken ct)
    {
        if (CheckId(schema, id) is { } wrong) return wrong;
        return await FindVersion(schema, id, null, ct);
    }

    public ValueTask<RecordPage> List(RecordQuery query, CancellationToken ct) => store.Query(query, ct);

    /// <summary>Creates a record of a client's JSON.</summary>
    public ValueTask<Result<StoredRecord>> Create(Schema schema, JsonElement body, CancellationToken ct)
    {
        var faults = new Faults();
        var input = Input.Read(schema, body, current: null, faults);
        return Create(schema, input, faults, static _ => { }, ct);
    }

    /// <summary>Creates a record of what was read already.</summary>
    /// <param name="schema">Of which resource.</param>
    /// <param name="input">What the client gave.</param>
    /// <param name="faults">What was wrong with it so far.</param>
    /// <param name="complete">Sets what the server sets, before the rules decide.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <param name="id">Its id, new; null to make one.</param>
    public async ValueTask<Result<StoredRecord>> Create(Schema schema, Input input, Faults faults, Action<Record> complete, CancellationToken ct, string? id = null)
    {
        for (var round = 0; round < MostRounds; round++)
        {
            var now = clock.GetUtcNow();
            var record = Record.New(schema, id ?? ids.New(schema.Prefix), now);
            input.ApplyTo(record, faults);
            complete(record);
            foreach (var field in schema.Fields.Where(f => f.IsRequired && record[f] is null && !faults.Within(f.Name))) faults.Add(field.Name, "Required");

            var change = new Change(null, record, now, store, ids);
            if (await Decide(change, faults, ct) is { } error) return error;
            var (outcome, stored) = await Commit(change, ct);
            if (outcome.Result is CommitResult.Done) return stored;
            if (Explain(change, outcome) is { } refusal) return refusal;
        }

        return Error.Busy;
    }

    /// <summary>Changes the fields given in a client's JSON; the others stay as they are, whoever else changes them meanwhile.</summary>
    /// <param name="schema">Of which resource.</param>
    /// <param name="id">Of which record.</param>
    /// <param name="body">The fields to change.</param>
    /// <param name="ifVersion">Only if the record is of this version; null for whatever version it is.</param>
    /// <param name="ct">Ends the wait.</param>
    public ValueTask<Result<StoredRecord>> Update(Schema schema, string id, JsonElement body, long? ifVersion, CancellationToken ct) =>
        Update(schema, id, ifVersion, (change, faults) =>
        {
            change.Given = Input.Read(schema, body, change.Before, faults);
            change.Given.ApplyTo(change.After!, faults);
            return null;
        }, ct);

    /// <summary>Changes a record as <paramref name="apply"/> says, which may be called again on a newer version of it.</summary>
    public async ValueTask<Result<StoredRecord>> Update(
        Schema schema, string id, long? ifVersion, Func<Change, Faults, Error?> apply, CancellationToken ct)
    {
        if (CheckId(schema, id) is { } wrong) return wrong;
        for (var round = 0; round < MostRounds; round++)
        {
            var found = await FindVersion(schema, id, ifVersion, ct);
            if (found.Error is { } missing) return missing;
            var before = Record.Load(schema, found.Value);
            var change = new Change(before, before.Next(), clock.GetUtcNow(), store, ids);
            var faults = new Faults();
            if (apply(change, faults) is { } refused) return refused;
            if (await Decide(change, faults, ct) is { } error) return error;
            if (!change.After!.ChangedSince(before).Any()) return found;

            await Clear(change, ct);
            var (outcome, updated) = await Commit(change, ct);
            if (outcome.Result is CommitResult.Done) return updated;
            if (IsFilledAgain(change, outcome)) continue;
            if (Explain(change, outcome) is { } refusal) return refusal;
        }

        return Error.Busy;
    }

    /// <summary>
    /// Deletes a record. What links to it is unlinked first, in batches; the deletion itself is stored only if nothing links to it any more, so
    /// that no reader ever follows a link to nothing, and an interrupted deletion is simply asked for again.
    /// </summary>
    public async ValueTask<Error?> Delete(Schema schema, string id, long? ifVersion, CancellationToken ct)
    {
        if (CheckId(schema, id) is { } wrong) return wrong;
        for (var round = 0; round < MostRounds; round++)
        {
            var found = await FindVersion(schema, id, ifVersion, ct);
            if (found.Error is { } missing) return missing;
            var before = Record.Load(schema, found.Value);
            var change = new Change(before, null, clock.GetUtcNow(), store, ids);
            if (await Decide(change, change.Faults, ct) is { } error) return error;
            var links = Catalog.LinksTo(schema.Type).ToLookup(l => l.Link.HoldsTarget, l => new Clearing(l.Schema, new Condition.Equal(new KeyPath(l.Link.Name), id), r => r[l.Link] = null));
            foreach (var held in links[true]) change.Guards.Add(new Guard.NoneMatch(held.Schema.Type, held.Where));
            change.Clears.AddRange(links[false].Concat(schema.ClearedOnDelete(before)));
            await Clear(change, ct);
            var (outcome, _) = await Commit(change, ct);
            if (outcome.Result is CommitResult.Done) return null;
            if (IsFilledAgain(change, outcome)) continue;
            if (Explain(change, outcome) is { } refusal) return refusal;
        }

        return Error.Busy;
    }

    /// <summary>Clears what a change has to have cleared, and guards that it stays so. A dry run clears nothing, and does not mind.</summary>
    private async ValueTask Clear(Change change, CancellationToken ct)
    {
        if (IsDryRun) return;
        foreach (var clearing in change.Clears)
        {
            await Clear(clearing, ct);
            change.Guards.Add(new Guard.NoneMatch(clearing.Schema.Type, clearing.Where));
        }
    }

    /// <summary>Whether the commit met a record that got what had just been cleared: it is to be cleared again.</summary>
    private static bool IsFilledAgain(Change change, CommitOutcome outcome) =>
        outcome.Result is CommitResult.Blocked && change.Clears.Exists(clearing => clearing.Schema.Type == outcome.Subject);

    /// <summary>Changes every record that matches, in batches, until none matches.</summary>
    private async ValueTask Clear(Clearing clearing, CancellationToken ct)
    {
        var schema = clearing.Schema;
        while (true)
        {
            var page = await store.Query(new RecordQuery(schema.Type, clearing.Where, [new SortKey(new KeyPath(schema.CreatedAt.Name), false)], null, ClearBatch), ct);
            if (page.Records.Count == 0) return;
            var now = clock.GetUtcNow();
            Change? first = null;
            var bytes = 0;
            foreach (var stored in page.Records)
            {
                bytes += stored.Attributes.Length;
                if (first is not null && bytes > ClearBytes) break;
                var before = Record.Load(schema, stored);
                var change = new Change(before, before.Next(), now, store, ids);
                clearing.Apply(change.After!);
                if (first is null) first = change;
                else first.With.Add(change);
            }

            // Whoever changed one of them meanwhile makes the batch stale: it is read again.
            await Commit(first!, ct, isStep: true);
        }
    }

    private async ValueTask<Result<StoredRecord>> FindVersion(Schema schema, string id, long? ifVersion, CancellationToken ct)
    {
        var stored = await store.Find(schema.Type, id, ct);
        if (stored is null) return Error.NotFound(schema.Noun, id);
        return ifVersion is { } version && version != stored.Version ? Error.PreconditionFailed(stored.Version) : stored;
    }

    private static Error? CheckId(Schema schema, string id) =>
        Ids.IsId(id, schema.Prefix) ? null : Error.Invalid("id", Ids.Expected(schema.Prefix));

    private static async ValueTask<Error?> Decide(Change change, Faults faults, CancellationToken ct)
    {
        await CustomFieldCheck.Run(change, faults, ct);
        if (faults.Any) return Error.Invalid(faults.All);
        if (change.Subject.Schema.Decide is { } rules && await rules(change, ct) is { } error) return error;
        return change.Faults.Any ? Error.Invalid(change.Faults.All) : null;
    }

    /// <param name="change">What to store.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <param name="isStep">Whether more is to come before the request is answered.</param>
    /// <exception cref="AlreadyAnsweredException">The request is a repeat, and was answered while this one was under way.</exception>
    private async ValueTask<(CommitOutcome Outcome, StoredRecord Stored)> Commit(Change change, CancellationToken ct, bool isStep = false)
    {
        var builder = new CommitBuilder(store.Partition, origin);
        var stored = builder.Add(change);
        var keeping = isStep || IsDryRun ? null : writing?.Keeping;
        var commit = builder.Build(keeping?.AnswerOf(stored));
        using var activity = Instruments.Traces.StartActivity("store.commit");
        var outcome = IsDryRun ? await store.Check(commit, ct) : await store.Commit(commit, ct);
        if (outcome.Result is CommitResult.Answered) throw new AlreadyAnsweredException();
        if (outcome.Result is CommitResult.Done) keeping?.Stored();
        activity?.SetTag("nodestash.commit.result", outcome.Result);
        Instruments.Commits.Add(1, new KeyValuePair<string, object?>("result", outcome.Result));
        return (outcome, stored);
    }

    /// <summary>Says in the client's terms why a commit was refused; null where it should be decided anew, because what it was decided on has changed.</summary>
    private static Error? Explain(Change change, CommitOutcome outcome)
    {
        var record = change.Subject;
        return outcome.Result switch
        {
            CommitResult.ClaimTaken when record.Schema.Uniques.FirstOrDefault(u => u.ClaimOf(record) == outcome.Subject) is { } unique =>
                Error.Conflict(unique.Message(record), unique.Field),
            CommitResult.Missing when record.Schema.Links.FirstOrDefault(l => l.Of(record) == outcome.Subject) is { } link =>
                Error.Unprocessable(link.Name, $"No {link.TargetType.Replace('_', ' ')} with id '{outcome.Subject}' in this workspace"),
            CommitResult.Blocked => Error.Conflict($"Still in use by {Catalog.Find(outcome.Subject!).Collection}; move or delete them first"),
            CommitResult.Stale or CommitResult.Missing or CommitResult.ClaimTaken => null,
            _ => throw new InvalidOperationException($"A commit of {record.Schema.Type} ended {outcome.Result}."),
        };
    }
}
