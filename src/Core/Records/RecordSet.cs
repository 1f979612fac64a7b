using System.Text.Json;
using NodeStash.Core.Events;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Core.Telemetry;

namespace NodeStash.Core.Records;

/// <summary>
/// The records of one environment, as one caller reads and changes them. The same few operations for every resource: check against the schema,
/// let the resource's rules decide, commit the record with its unique keys and its events.
/// </summary>
/// <param name="store">The caller's environment.</param>
/// <param name="origin">On whose behalf.</param>
/// <param name="ids">Makes ids.</param>
/// <param name="clock">Tells the time.</param>
/// <param name="options">How writes are to be done; null: stored, and nothing more.</param>
public sealed class RecordSet(IWorkspaceStore store, Origin origin, Ids ids, TimeProvider clock, WriteOptions? options = null)
{
    /// <summary>How often a change is decided anew because another came first. Each time someone got through, so this many in a row mean a very hot record.</summary>
    private const int MaxAttempts = 100;

    /// <summary>So many other records may change in the commit of the one that reaches them; more are a cascade.</summary>
    private const int MaxSameCommit = 20;

    /// <summary>Whether writes are only tried.</summary>
    public bool IsDryRun => options?.IsDryRun == true;

    /// <summary>Reads one record.</summary>
    /// <param name="schema">Of which resource.</param>
    /// <param name="id">Of which record.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <param name="withArchived">Whether it is read though it is archived.</param>
    public async ValueTask<Result<StoredRecord>> Get(Schema schema, string id, CancellationToken ct, bool withArchived = false)
    {
        if (CheckId(schema, id) is { } wrong) return wrong;
        return await FindVersion(withArchived ? store.WithArchived : store, schema, id, null, ct);
    }

    /// <summary>Reads a page of records; archived ones only where the query says so.</summary>
    public ValueTask<RecordPage> List(RecordQuery query, CancellationToken ct) => store.Query(query, ct);

    /// <summary>Creates a record of a client's JSON.</summary>
    public ValueTask<Result<StoredRecord>> Create(Schema schema, JsonElement body, CancellationToken ct)
    {
        var errors = new ValidationErrors();
        var input = Input.Read(schema, body, current: null, errors);
        return Create(schema, input, errors, static _ => { }, ct);
    }

    /// <summary>Creates a record of what was read already.</summary>
    /// <param name="schema">Of which resource.</param>
    /// <param name="input">What the client gave.</param>
    /// <param name="errors">What was wrong with it so far.</param>
    /// <param name="complete">Sets what the server sets, before the rules decide.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <param name="id">Its id, new; null to make one.</param>
    public async ValueTask<Result<StoredRecord>> Create(Schema schema, Input input, ValidationErrors errors, Action<Record> complete, CancellationToken ct, string? id = null)
    {
        for (var round = 0; round < MaxAttempts; round++)
        {
            var now = clock.GetUtcNow();
            var record = Record.New(schema, id ?? ids.New(schema.Prefix), now);
            input.ApplyTo(record, errors);
            complete(record);
            foreach (var field in schema.Fields.Where(f => f.IsRequired && record[f] is null && !errors.Within(f.Name))) errors.Add(field.Name, "Required");

            var change = new Change(null, record, now, store, ids);
            if (await Decide(change, errors, ct) is { } error) return error;
            var (outcome, stored) = await Commit(change, ct);
            if (outcome.Result is CommitResult.Done) return stored;
            if (await Explain(change, outcome, ct) is { } refusal) return refusal;
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
        Update(schema, id, ifVersion, (change, errors) =>
        {
            change.Given = Input.Read(schema, body, change.Before, errors);
            change.Given.ApplyTo(change.After!, errors);
            return (Error?)null;
        }, ct);

    /// <summary>Changes a record as <paramref name="apply"/> says, which may be called again on a newer version of it.</summary>
    public ValueTask<Result<StoredRecord>> Update(Schema schema, string id, long? ifVersion, Func<Change, ValidationErrors, Error?> apply, CancellationToken ct) =>
        Update(schema, id, ifVersion, (change, errors, _) => ValueTask.FromResult(apply(change, errors)), ct);

    /// <summary>Changes a record as <paramref name="apply"/> says, which may read others for it, and be called again on newer versions.</summary>
    public ValueTask<Result<StoredRecord>> Update(
        Schema schema, string id, long? ifVersion, Func<Change, ValidationErrors, CancellationToken, ValueTask<Error?>> apply, CancellationToken ct) =>
        Update(store, schema, id, ifVersion, apply, ct);

    /// <summary>
    /// Archives a record: from then on it is hidden, keeps its links and unique keys, and is purged after <see cref="ArchiveState.Retention"/>.
    /// </summary>
    /// <param name="schema">Of which resource.</param>
    /// <param name="id">Of which record; one that is archived already is not found.</param>
    /// <param name="ifVersion">Only if it is of this version; null for any.</param>
    /// <param name="ct">Ends the wait.</param>
    public ValueTask<Result<StoredRecord>> Archive(Schema schema, string id, long? ifVersion, CancellationToken ct) =>
        SetArchived(store, schema, id, ifVersion, isArchived: true, ct);

    /// <summary>Restores an archived record; one that is not archived stays as it is.</summary>
    /// <param name="schema">Of which resource.</param>
    /// <param name="id">Of which record.</param>
    /// <param name="ifVersion">Only if it is of this version; null for any.</param>
    /// <param name="ct">Ends the wait.</param>
    public ValueTask<Result<StoredRecord>> Restore(Schema schema, string id, long? ifVersion, CancellationToken ct) =>
        SetArchived(store.WithArchived, schema, id, ifVersion, isArchived: false, ct);

    private async ValueTask<Result<StoredRecord>> SetArchived(
        IWorkspaceStore from, Schema schema, string id, long? ifVersion, bool isArchived, CancellationToken ct)
    {
        if (schema.ArchivedAt is not { } archivedAt) return Error.Invalid("id", $"A {schema.Noun} can't be archived or restored");
        return await Update(
            from,
            schema,
            id,
            ifVersion,
            (change, _, _) =>
            {
                change.After![archivedAt] = isArchived ? Text.ToSecond(change.Now) : null;
                return ValueTask.FromResult<Error?>(null);
            },
            ct);
    }

    private async ValueTask<Result<StoredRecord>> Update(
        IWorkspaceStore from,
        Schema schema,
        string id,
        long? ifVersion,
        Func<Change, ValidationErrors, CancellationToken, ValueTask<Error?>> apply,
        CancellationToken ct)
    {
        if (CheckId(schema, id) is { } wrong) return wrong;
        for (var round = 0; round < MaxAttempts; round++)
        {
            var found = await FindVersion(from, schema, id, ifVersion, ct);
            if (found.Error is { } missing) return missing;
            var before = Record.Load(schema, found.Value);
            var change = new Change(before, before.Next(), clock.GetUtcNow(), store, ids);
            var errors = new ValidationErrors();
            if (await apply(change, errors, ct) is { } refused) return refused;
            if (await Decide(change, errors, ct) is { } error) return error;
            if (change.With.Count == 0 && !change.After!.ChangedSince(before).Any()) return found;

            if (await ApplyCascades(change, ct) is { } tooMany) return tooMany;
            var (outcome, updated) = await Commit(change, ct);
            if (outcome.Result is CommitResult.Done) return updated;
            if (MissedRecords(change, outcome)) continue;
            if (await Explain(change, outcome, ct) is { } refusal) return refusal;
        }

        return Error.Busy;
    }

    /// <summary>Changes the record that has a unique value, or creates it.</summary>
    /// <param name="schema">Of which resource.</param>
    /// <param name="match">The value by which it is found.</param>
    /// <param name="body">The fields; the one matched by among them.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>The record, and whether it is new.</returns>
    public async ValueTask<Result<(StoredRecord Record, bool IsNew)>> Upsert(Schema schema, Unique match, JsonElement body, CancellationToken ct)
    {
        var errors = new ValidationErrors();
        var given = Record.New(schema, ids.New(schema.Prefix), clock.GetUtcNow());
        var input = Input.Read(schema, body, current: null, errors);
        if (!input.Gives(schema.Find(match.Field)!)) errors.Add(match.Field, "Required: the record is found by it");
        if (errors.Any) return Error.Invalid(errors.All);
        input.ApplyTo(given, errors);
        if (match.KeyOf(given) is not { } uniqueKey) return Error.Invalid(match.Field, "Must not be empty: the record is found by it");
        for (var round = 0; round < MaxAttempts; round++)
        {
            if (await store.FindOwner(uniqueKey, ct) is { } id)
            {
                var updated = await Update(schema, id, body, ifVersion: null, ct);
                if (updated.Error is not { Code: ErrorCode.NotFound }) return updated.Error is { } error ? error : (updated.Value, false);
                if (await ConflictWithArchived(match, given, id, ct) is { } conflict) return conflict;
            }
            else
            {
                var created = await Create(schema, body, ct);
                if (created.Error is not { Code: ErrorCode.Conflict }) return created.Error is { } error ? error : (created.Value, true);
                if (await store.FindOwner(uniqueKey, ct) is null) return created.Error;
            }
        }

        return Error.Busy;
    }

    /// <summary>Deletes a record. What links to it is unlinked with it: in the same commit where it is little, else by a cascade.</summary>
    /// <param name="schema">Of which resource.</param>
    /// <param name="id">Of which record.</param>
    /// <param name="ifVersion">Only if it is of this version; null for any.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <param name="force">Whether what stands against it goes with it.</param>
    public ValueTask<Error?> Delete(Schema schema, string id, long? ifVersion, CancellationToken ct, bool force = false) =>
        Delete(store, schema, id, ifVersion, force, ct);

    /// <summary>Deletes an archived record, with the same cascades as any deletion; one that is not archived is not found.</summary>
    /// <param name="schema">Of which resource.</param>
    /// <param name="id">Of which record.</param>
    /// <param name="ifVersion">Only if it is of this version; null for any.</param>
    /// <param name="ct">Ends the wait.</param>
    public async ValueTask<Error?> Purge(Schema schema, string id, long? ifVersion, CancellationToken ct)
    {
        if (CheckId(schema, id) is { } wrong) return wrong;
        var found = await FindVersion(store.WithArchived, schema, id, ifVersion, ct);
        if (found.Error is { } missing) return missing;

        // A restore makes another version.
        if (!ArchiveState.IsArchived(found.Value)) return Error.NotFound(schema.Noun, id);
        return await Delete(store.WithArchived, schema, id, found.Value.Version, force: false, ct);
    }

    private async ValueTask<Error?> Delete(IWorkspaceStore from, Schema schema, string id, long? ifVersion, bool force, CancellationToken ct)
    {
        if (CheckId(schema, id) is { } wrong) return wrong;
        for (var round = 0; round < MaxAttempts; round++)
        {
            var found = await FindVersion(from, schema, id, ifVersion, ct);
            if (found.Error is { } missing) return missing;
            var before = Record.Load(schema, found.Value);
            var change = new Change(before, null, clock.GetUtcNow(), store, ids) { IsForced = force };
            if (await Decide(change, change.Errors, ct) is { } error) return error;
            var links = Catalog.LinksTo(schema.Type).ToLookup(l => l.Link.HoldsTarget, l => new Cascade(l.Schema.Type, new KeyPath(l.Link.Name), [id]));
            foreach (var held in links[true]) change.Guards.Add(new Guard.NoneMatch(held.Type, held.Matches));
            change.Cascades.AddRange([.. links[false], .. schema.CascadesOnDelete(before), .. await Relations.To(schema, [id], null, store, ct)]);
            if (await ApplyCascades(change, ct) is { } tooMany) return tooMany;
            var (outcome, _) = await Commit(change, ct);
            if (outcome.Result is CommitResult.Done) return null;
            if (MissedRecords(change, outcome)) continue;
            if (await Explain(change, outcome, ct) is { } refusal) return refusal;
        }

        return Error.Busy;
    }

    /// <summary>
    /// Takes into a change what it does to other records, archived ones too: themselves where they are few, and a guard that there are no others;
    /// else the announcement.
    /// </summary>
    private async ValueTask<Error?> ApplyCascades(Change change, CancellationToken ct)
    {
        if (change.Cascades.Count == 0) return null;
        var pending = await PendingCascades.Read(store, ct);
        if (change.Cascades.Exists(pending.Conflicts)) return Error.CascadeInProgress;
        var announced = new List<Cascade>();
        var (beside, bytes) = (new Dictionary<string, Change>(StringComparer.Ordinal), 0);
        foreach (var cascade in change.Cascades)
        {
            var room = options?.IsOneOfMany == true ? 0 : MaxSameCommit - beside.Count;
            var oldest = new SortKey(new KeyPath(cascade.Schema.CreatedAt.Name), Descending: false);
            var page = await store.WithArchived.Query(new RecordQuery(cascade.Type, cascade.Matches, [oldest], null, room + 1), ct);
            bytes += page.Records.Sum(r => r.Attributes.Length);
            // What is announced is carried through in order: a removal does not come before what looks at the records it removes. And what others of many
            // commits do to records of the type is not stored yet, so it is not found.
            var isAnnounced = (cascade.DeletesRecords && announced.Count > 0) || (options?.IsOneOfMany == true && cascade.Type == change.Subject.Schema.Type);
            if (isAnnounced || page.Records.Count > room || bytes > CascadeWorker.BatchBytes)
            {
                announced.Add(cascade);
                continue;
            }

            foreach (var stored in page.Records)
            {
                if (!beside.TryGetValue(stored.Id, out var other)) beside[stored.Id] = other = BesideOf(change, cascade, stored);
                if (other.After is { } after) cascade.Apply(after);
            }

            var others = new Condition.Not(new Condition.In(KeyPath.Id, [.. page.Records.Select(r => r.Id)]));
            change.Guards.Add(new Guard.NoneMatch(cascade.Type, page.Records.Count == 0 ? cascade.Matches : new Condition.All([cascade.Matches, others])));
        }

        change.With.AddRange(beside.Values);
        if (announced.Count == 0) return null;
        if (pending.With(announced, origin, ids, change.Now) is not { } more) return Error.TooManyCascades;
        change.Writes.Add(more.Write());
        return null;
    }

    private static Change BesideOf(Change change, Cascade cascade, StoredRecord stored)
    {
        var before = Record.Load(cascade.Schema, stored);
        return change.Beside(before, cascade.DeletesRecords ? null : before.Next());
    }

    /// <summary>Whether the commit met a record that got what the change takes away, after they had been counted.</summary>
    private static bool MissedRecords(Change change, CommitOutcome outcome) =>
        outcome.Result is CommitResult.Blocked && change.Cascades.Exists(cascade => cascade.Type == outcome.Subject);

    private static async ValueTask<Result<StoredRecord>> FindVersion(IWorkspaceStore from, Schema schema, string id, long? ifVersion, CancellationToken ct)
    {
        var stored = await from.Find(schema.Type, id, ct);
        if (stored is null) return Error.NotFound(schema.Noun, id);
        return ifVersion is { } version && version != stored.Version ? Error.PreconditionFailed(stored.Version) : stored;
    }

    private static Error? CheckId(Schema schema, string id) =>
        Ids.IsId(id, schema.Prefix) ? null : Error.Invalid("id", Ids.Expected(schema.Prefix));

    private static async ValueTask<Error?> Decide(Change change, ValidationErrors errors, CancellationToken ct)
    {
        await CustomFieldCheck.Run(change, errors, ct);
        if (errors.Any) return Error.Invalid(errors.All);
        if (change.After is not null && (await PendingCascades.Read(change.Store, ct)).FieldBeingCleared(change) is { } taken)
            return Error.Conflict($"What is given for {taken} is just being renamed on, or taken from, all records; try again in a moment", taken);
        if (change.Subject.Schema.Decide is { } rules && await rules(change, ct) is { } error) return error;
        return change.Errors.Any ? Error.Invalid(change.Errors.All) : null;
    }

    /// <param name="change">What to store.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="AlreadyAnsweredException">The request is a repeat, and was answered while this one was under way.</exception>
    private async ValueTask<(CommitOutcome Outcome, StoredRecord Stored)> Commit(Change change, CancellationToken ct)
    {
        var builder = new CommitBuilder(store.Partition, origin);
        var stored = builder.Add(change, isAsked: true);
        var recorder = IsDryRun ? null : options?.Recorder;
        var commit = builder.Build(recorder?.MakeAnswer(stored));
        using var activity = Instruments.Traces.StartActivity("store.commit");
        var outcome = IsDryRun ? await store.Check(commit, ct) : await store.Commit(commit, ct);
        if (outcome.Result is CommitResult.Answered) throw new AlreadyAnsweredException();
        if (outcome.Result is CommitResult.Done) recorder?.Stored();
        activity?.SetTag("nodestash.commit.result", outcome.Result);
        Instruments.Commits.Add(1, new KeyValuePair<string, object?>("result", outcome.Result));
        return (outcome, stored);
    }

    /// <summary>Says in the client's terms why a commit was refused; null where it should be decided anew, because what it was decided on has changed.</summary>
    private async ValueTask<Error?> Explain(Change change, CommitOutcome outcome, CancellationToken ct)
    {
        var record = change.Subject;
        return outcome.Result switch
        {
            CommitResult.UniqueKeyTaken when record.Schema.Uniques.FirstOrDefault(u => u.KeyOf(record) == outcome.Subject) is { } unique =>
                await store.FindOwner(outcome.Subject!, ct) is { } owner && await ConflictWithArchived(unique, record, owner, ct) is { } conflict
                    ? conflict
                    : Error.Conflict(unique.Message(record), unique.Field),
            CommitResult.Missing when record.Schema.Links.FirstOrDefault(l => l.Of(record) == outcome.Subject) is { } link =>
                Error.Unprocessable(link.Name, $"No {link.TargetType.Replace('_', ' ')} with id '{outcome.Subject}' in this workspace"),
            CommitResult.Blocked => Error.Conflict(await IsBlockedByArchived(change, outcome.Subject!, ct)
                ? $"Still in use by archived {Catalog.Find(outcome.Subject!).Collection}; restore and move them, or delete them for good, first"
                : $"Still in use by {Catalog.Find(outcome.Subject!).Collection}; move or delete them first"),
            CommitResult.Stale or CommitResult.Exists or CommitResult.Missing or CommitResult.UniqueKeyTaken => null,
            _ => throw new InvalidOperationException($"A commit of {record.Schema.Type} ended {outcome.Result}."),
        };
    }

    /// <summary>Says that a unique value belongs to an archived record; null where the owner is not archived.</summary>
    private async ValueTask<Error?> ConflictWithArchived(Unique unique, Record wanted, string owner, CancellationToken ct) =>
        await store.WithArchived.Find(wanted.Schema.Type, owner, ct) is { } stored && ArchiveState.IsArchived(stored)
            ? Error.Conflict($"{unique.Message(wanted)}; it is archived as '{owner}': restore it, or delete it for good, first", unique.Field)
            : null;

    /// <summary>Whether only archived records stand against a change.</summary>
    private async ValueTask<bool> IsBlockedByArchived(Change change, string type, CancellationToken ct)
    {
        if (!ArchiveState.IsArchivable(type)) return false;
        foreach (var guard in change.Guards.OfType<Guard.NoneMatch>().Where(guard => guard.Type == type))
        {
            if (await store.Count(type, guard.Where, ct) > 0) return false;
        }

        return true;
    }
}
