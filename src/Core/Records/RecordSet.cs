using System.Text.Json;
using NodeStash.Core.Events;
using NodeStash.Core.Storage;
using NodeStash.Core.Telemetry;
using NodeStash.Core.Values;

namespace NodeStash.Core.Records;

/// <summary>
/// The records of one environment, as one caller reads and changes them. The same few operations for every resource: check against the schema,
/// let the resource's rules decide, commit the record with its unique keys and its events.
/// </summary>
/// <param name="catalog">The resources there are.</param>
/// <param name="store">The caller's environment.</param>
/// <param name="origin">On whose behalf.</param>
/// <param name="ids">Makes ids.</param>
/// <param name="clock">Tells the time.</param>
/// <param name="options">How writes are to be done; null: stored, and nothing more.</param>
public sealed class RecordSet(Catalog catalog, IWorkspaceStore store, Origin origin, Ids ids, TimeProvider clock, WriteOptions? options = null)
{
    /// <summary>
    /// How often a change is decided anew because another came first. Each time someone got through, so this many in a row mean a very hot record.
    /// </summary>
    private const int MaxAttempts = 100;

    /// <summary>So many other records may change in the commit of the one that reaches them; more are a cascade.</summary>
    private const int MaxSameCommit = 20;

    /// <summary>Whether writes are only tried.</summary>
    public bool IsDryRun => options?.IsDryRun == true;

    /// <summary>Reads one record.</summary>
    /// <param name="schema">The resource.</param>
    /// <param name="id">The record.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <param name="withArchived">Whether it is read even if it is archived.</param>
    public async ValueTask<Result<StoredRecord>> Get(Schema schema, string id, CancellationToken ct, bool withArchived = false)
    {
        if (CheckId(schema, id) is { } wrong) return wrong;
        return await (withArchived ? store.WithArchived : store).Find(schema.Type, id, ct) is { } stored ? stored : Error.NotFound(schema.Noun, id);
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
    public ValueTask<Result<StoredRecord>> Create(
        Schema schema, Input input, ValidationErrors errors, Action<Record> complete, CancellationToken ct, string? id = null) =>
        DecideAndCommit(async () => await DecideCreate(schema, input, errors, complete, id ?? ids.New(schema.Prefix), ct), ct);

    /// <summary>Changes the fields given in a client's JSON; the others stay as they are, whoever else changes them meanwhile.</summary>
    /// <param name="schema">Of which resource.</param>
    /// <param name="id">Of which record.</param>
    /// <param name="body">The fields to change.</param>
    /// <param name="ifVersion">Only if the record is of this version; null for whatever version it is.</param>
    /// <param name="ct">Ends the wait.</param>
    public ValueTask<Result<StoredRecord>> Update(Schema schema, string id, JsonElement body, long? ifVersion, CancellationToken ct) =>
        Update(schema, id, ifVersion, Patch(schema, body), ct);

    /// <summary>Changes a record as <paramref name="apply"/> says, which may be called again on a newer version of it.</summary>
    public ValueTask<Result<StoredRecord>> Update(
        Schema schema, string id, long? ifVersion, Func<Change, ValidationErrors, Error?> apply, CancellationToken ct) =>
        Update(schema, id, ifVersion, (change, errors, _) => ValueTask.FromResult(apply(change, errors)), ct);

    /// <summary>Changes a record as <paramref name="apply"/> says, which may read others for it, and be called again on newer versions.</summary>
    public async ValueTask<Result<StoredRecord>> Update(
        Schema schema, string id, long? ifVersion, Func<Change, ValidationErrors, CancellationToken, ValueTask<Error?>> apply, CancellationToken ct)
    {
        if (CheckId(schema, id) is { } wrong) return wrong;
        return await DecideAndCommit(() => DecideUpdate(schema, id, ifVersion, apply, withArchived: false, ct), ct);
    }

    /// <summary>
    /// Archives a record: from then on it is hidden, keeps its links and unique keys, and is purged after <see cref="ArchiveState.Retention"/>.
    /// </summary>
    /// <param name="schema">The resource.</param>
    /// <param name="id">The record; one that is archived already is not found.</param>
    /// <param name="ifVersion">Only if it is of this version; null for any.</param>
    /// <param name="ct">Ends the wait.</param>
    public ValueTask<Result<StoredRecord>> Archive(Schema schema, string id, long? ifVersion, CancellationToken ct) =>
        SetArchived(schema, id, ifVersion, isArchived: true, ct);

    /// <summary>Restores an archived record; one that is not archived stays as it is.</summary>
    /// <param name="schema">The resource.</param>
    /// <param name="id">The record.</param>
    /// <param name="ifVersion">Only if it is of this version; null for any.</param>
    /// <param name="ct">Ends the wait.</param>
    public ValueTask<Result<StoredRecord>> Restore(Schema schema, string id, long? ifVersion, CancellationToken ct) =>
        SetArchived(schema, id, ifVersion, isArchived: false, ct);

    private async ValueTask<Result<StoredRecord>> SetArchived(Schema schema, string id, long? ifVersion, bool isArchived, CancellationToken ct)
    {
        if (schema.ArchivedAt is not { } archivedAt) return Error.Invalid("id", $"A {schema.Noun} can't be archived or restored");
        if (CheckId(schema, id) is { } wrong) return wrong;
        return await DecideAndCommit(() => DecideUpdate(schema, id, ifVersion, Set, withArchived: !isArchived, ct), ct);

        ValueTask<Error?> Set(Change change, ValidationErrors errors, CancellationToken token)
        {
            change.After![archivedAt] = isArchived ? Text.ToSecond(change.Now) : null;
            return ValueTask.FromResult<Error?>(null);
        }
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

        var isNew = false;
        var stored = await DecideAndCommit(
            async () =>
            {
                if (await store.FindOwner(uniqueKey, ct) is { } id)
                {
                    isNew = false;
                    var updated = await DecideUpdate(schema, id, ifVersion: null, Patch(schema, body), withArchived: false, ct);
                    if (updated.Error is not { Code: ErrorCode.NotFound }) return updated;
                    return await ConflictWithArchived(match, given, id, ct) is { } conflict ? conflict : default(Decision);
                }

                isNew = true;
                return await DecideCreate(schema, input, new ValidationErrors(), static _ => { }, ids.New(schema.Prefix), ct);
            },
            ct,
            isOvertaken: outcome => outcome.Result is CommitResult.UniqueKeyTaken && outcome.Subject == uniqueKey);
        return stored.Error is { } error ? error : (stored.Value, isNew);
    }

    /// <summary>Deletes a record. What links to it is unlinked with it: in the same commit where it is little, else by a cascade.</summary>
    /// <param name="schema">Of which resource.</param>
    /// <param name="id">Of which record.</param>
    /// <param name="ifVersion">Only if it is of this version; null for any.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <param name="force">Whether what stands against it goes with it.</param>
    public async ValueTask<Error?> Delete(Schema schema, string id, long? ifVersion, CancellationToken ct, bool force = false)
    {
        if (CheckId(schema, id) is { } wrong) return wrong;
        return (await DecideAndCommit(() => DecideDelete(schema, id, ifVersion, force, isPurge: false, ct), ct)).Error;
    }

    /// <summary>Deletes an archived record, with the same cascades as any deletion; one that is not archived is not found.</summary>
    /// <param name="schema">The resource.</param>
    /// <param name="id">The record.</param>
    /// <param name="ifVersion">Only if it is of this version, so that a restore wins; null for any.</param>
    /// <param name="ct">Ends the wait.</param>
    public async ValueTask<Error?> Purge(Schema schema, string id, long? ifVersion, CancellationToken ct)
    {
        if (CheckId(schema, id) is { } wrong) return wrong;
        return (await DecideAndCommit(() => DecideDelete(schema, id, ifVersion, force: false, isPurge: true, ct), ct)).Error;
    }

    /// <summary>
    /// Decides a change and commits it. Where what it was decided on has changed meanwhile, it is decided anew: the one loop that every write
    /// goes through.
    /// </summary>
    /// <param name="decide">Reads what the change depends on, and decides it.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <param name="isOvertaken">Whether a refusal of the commit means that somebody else came first, so that it is decided anew; null for never.</param>
    /// <returns>The record as it is then, or as it was if it is deleted.</returns>
    private async ValueTask<Result<StoredRecord>> DecideAndCommit(
        Func<ValueTask<Result<Decision>>> decide, CancellationToken ct, Func<CommitOutcome, bool>? isOvertaken = null)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var decided = await decide();
            if (decided.Error is { } refused) return refused;
            if (decided.Value.Unchanged is { } unchanged) return unchanged;
            if (decided.Value.Change is not { } change) continue;

            if (await ApplyCascades(change, ct) is { } tooMany) return tooMany;
            var (outcome, stored) = await Commit(change, ct);
            if (outcome.Result is CommitResult.Done) return stored;
            if (MissedRecords(change, outcome) || isOvertaken?.Invoke(outcome) == true) continue;
            if (await Explain(change, outcome, ct) is { } refusal) return refusal;
        }

        return Error.Busy;
    }

    private async ValueTask<Result<Decision>> DecideCreate(
        Schema schema, Input input, ValidationErrors errors, Action<Record> complete, string id, CancellationToken ct)
    {
        var record = Record.New(schema, id, clock.GetUtcNow());
        input.ApplyTo(record, errors);
        complete(record);
        foreach (var field in schema.Fields.Where(f => f.IsRequired && record[f] is null && !errors.Within(f.Name))) errors.Add(field.Name, "Required");

        var change = NewChange(null, record, View());
        return await Decide(change, errors, ct) is { } error ? error : new Decision(change);
    }

    private async ValueTask<Result<Decision>> DecideUpdate(
        Schema schema, string id, long? ifVersion, Func<Change, ValidationErrors, CancellationToken, ValueTask<Error?>> apply, bool withArchived,
        CancellationToken ct)
    {
        var view = View();
        var stored = await (withArchived ? view.WithArchived : view).Find(schema.Type, id, ct);
        if (CheckVersion(schema, id, stored, ifVersion) is { } missing) return missing;
        var before = Record.Load(schema, stored!);
        var (change, errors) = (NewChange(before, before.Next(), view), new ValidationErrors());
        if (await apply(change, errors, ct) is { } refused) return refused;
        if (await Decide(change, errors, ct) is { } error) return error;
        return change.With.Count == 0 && !change.After!.ChangedSince(before).Any() ? new Decision(null, Unchanged: stored) : new Decision(change);
    }

    private async ValueTask<Result<Decision>> DecideDelete(Schema schema, string id, long? ifVersion, bool force, bool isPurge, CancellationToken ct)
    {
        var view = View();
        var stored = await (isPurge ? view.WithArchived : view).Find(schema.Type, id, ct);
        if (isPurge && stored is not null && !ArchiveState.IsArchived(stored)) stored = null;
        if (CheckVersion(schema, id, stored, ifVersion) is { } missing) return missing;
        var before = Record.Load(schema, stored!);
        var change = NewChange(before, null, view);
        change.IsForced = force;
        if (await Decide(change, change.Errors, ct) is { } error) return error;
        var links = catalog.LinksTo(schema.Type).ToLookup(l => l.Link.HoldsTarget, l => new Cascade(l.Schema, new KeyPath(l.Link.Name), [id]));
        foreach (var held in links[true]) change.Guards.Add(new Guard.NoneMatch(held.Type, held.Matches));
        change.Cascades.AddRange([.. links[false], .. schema.CascadesOnDelete(before), .. await catalog.ClearRelations(before, store, ct)]);
        return new Decision(change);
    }

    private static Func<Change, ValidationErrors, CancellationToken, ValueTask<Error?>> Patch(Schema schema, JsonElement body) => (change, errors, _) =>
    {
        change.Given = Input.Read(schema, body, change.Before, errors);
        change.Given.ApplyTo(change.After!, errors);
        return ValueTask.FromResult<Error?>(null);
    };

    /// <summary>The store as one decision reads it.</summary>
    private IWorkspaceStore View() => store switch
    {
        ArchiveFilter filter => filter.ForDecision(),
        CascadeOverlay overlay => overlay.ForDecision(),
        _ => store,
    };

    private Change NewChange(Record? before, Record? after, IWorkspaceStore view) => new(before, after, clock.GetUtcNow(), view, ids);

    /// <summary>
    /// Adds to a change what it does to other records, archived ones too: the changed records where they are few, with a guard that there are no
    /// others; else the announcement of a cascade.
    /// </summary>
    private async ValueTask<Error?> ApplyCascades(Change change, CancellationToken ct)
    {
        if (change.Cascades.Count == 0) return null;
        var pending = change.Pending;
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

    /// <summary>The error where a record is not there, or is of another version than the one asked for; else null.</summary>
    private static Error? CheckVersion(Schema schema, string id, StoredRecord? stored, long? ifVersion)
    {
        if (stored is null) return Error.NotFound(schema.Noun, id);
        return ifVersion is { } version && version != stored.Version ? Error.PreconditionFailed(stored.Version) : null;
    }

    private static Error? CheckId(Schema schema, string id) =>
        Ids.IsId(id, schema.Prefix) ? null : Error.Invalid("id", Ids.Expected(schema.Prefix));

    private async ValueTask<Error?> Decide(Change change, ValidationErrors errors, CancellationToken ct)
    {
        await catalog.CheckCustomFields(change, errors, ct);
        if (errors.Any) return Error.Invalid(errors.All);
        change.Pending = await PendingCascades.Read(change.Store, catalog, ct);
        if (change.After is not null && change.Pending.FieldBeingCleared(change) is { } taken)
            return Error.Conflict($"What is given for {taken} is just being renamed on, or taken from, all records; try again in a moment", taken);
        if (change.Subject.Schema.Decide is { } rules && await rules(change, ct) is { } error) return error;
        return change.Errors.Any ? Error.Invalid(change.Errors.All) : null;
    }

    /// <param name="change">What to store.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="AlreadyAnsweredException">The request is a repeat, and was answered while this one was under way.</exception>
    private async ValueTask<(CommitOutcome Outcome, StoredRecord Stored)> Commit(Change change, CancellationToken ct)
    {
        var builder = new CommitBuilder(catalog, store.Partition, origin);
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

    /// <summary>
    /// Says in the client's terms why a commit was refused; null where it should be decided anew, because what it was decided on has changed.
    /// </summary>
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
                ? $"Still in use by archived {catalog.Find(outcome.Subject!).Collection}; restore and move them, or delete them for good, first"
                : $"Still in use by {catalog.Find(outcome.Subject!).Collection}; move or delete them first"),
            CommitResult.Stale or CommitResult.Exists or CommitResult.Missing or CommitResult.UniqueKeyTaken => null,
            _ => throw new InvalidOperationException($"A commit of {record.Schema.Type} ended {outcome.Result}."),
        };
    }

    /// <summary>The conflict where a unique value belongs to an archived record; null where its owner is not archived.</summary>
    private async ValueTask<Error?> ConflictWithArchived(Unique unique, Record wanted, string owner, CancellationToken ct) =>
        await store.WithArchived.Find(wanted.Schema.Type, owner, ct) is { } stored && ArchiveState.IsArchived(stored)
            ? Error.Conflict($"{unique.Message(wanted)}; it is archived as '{owner}': restore it, or delete it for good, first", unique.Field)
            : null;

    /// <summary>Whether only archived records stand against a change.</summary>
    private async ValueTask<bool> IsBlockedByArchived(Change change, string type, CancellationToken ct)
    {
        if (!catalog.IsArchivable(type)) return false;
        foreach (var guard in change.Guards.OfType<Guard.NoneMatch>().Where(guard => guard.Type == type))
        {
            if (await store.Count(type, guard.Where, ct) > 0) return false;
        }

        return true;
    }

    /// <summary>What was decided: a change to commit, or that a record stays as it is; neither where it is to be decided anew.</summary>
    private readonly record struct Decision(Change? Change, StoredRecord? Unchanged = null);
}
