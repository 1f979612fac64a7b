using System.Text.Json;
using NodeStash.Core.Events;
using NodeStash.Core.Storage;
using NodeStash.Core.Telemetry;
using NodeStash.Core.Values;

namespace NodeStash.Core.Records;

/// <summary>
/// Reads and changes the records of one environment for one caller. Every write of every resource works alike: check the input against the schema,
/// let the resource's rules decide, commit the record with its unique keys and events.
/// </summary>
/// <param name="catalog">The known resources.</param>
/// <param name="store">The store of the caller's environment.</param>
/// <param name="origin">The request that the changes are made for.</param>
/// <param name="ids">Makes the ids of records and events.</param>
/// <param name="clock">Tells the time of each change.</param>
/// <param name="options">How writes are done; null for an ordinary write that keeps no answer.</param>
public sealed class RecordSet(Catalog catalog, IWorkspaceStore store, Origin origin, Ids ids, TimeProvider clock, WriteOptions? options = null)
{
    /// <summary>
    /// The number of attempts to decide and commit a change. An attempt fails only if another change was committed first, so this many failures in a
    /// row mean that very many requests change one record.
    /// </summary>
    private const int MaxAttempts = 100;

    /// <summary>The number of other records that a change may update in its own commit. For more, it announces a cascade.</summary>
    private const int MaxOthersInCommit = 20;

    /// <summary>Whether writes are dry runs: checked and answered, but not stored.</summary>
    public bool IsDryRun => options?.IsDryRun == true;

    /// <summary>Reads one record.</summary>
    /// <param name="schema">The resource of the record.</param>
    /// <param name="id">The id of the record.</param>
    /// <param name="withArchived">Whether an archived record is found too.</param>
    /// <returns>The record; NOT_FOUND if there is none, VALIDATION_ERROR if the id is malformed.</returns>
    public async ValueTask<Result<StoredRecord>> Get(Schema schema, string id, CancellationToken ct, bool withArchived = false)
    {
        if (CheckId(schema, id) is { } wrong) return wrong;
        return await (withArchived ? store.WithArchived : store).Find(schema.Type, id, ct) is { } stored ? stored : Error.NotFound(schema.Noun, id);
    }

    /// <summary>Reads a page of records. It has archived records only if the query includes them.</summary>
    public ValueTask<RecordPage> List(RecordQuery query, CancellationToken ct) => store.Query(query, ct);

    /// <summary>Creates a record from a client's JSON.</summary>
    public ValueTask<Result<StoredRecord>> Create(Schema schema, JsonElement body, CancellationToken ct)
    {
        var errors = new ValidationErrors();
        var input = Input.Read(schema, body, current: null, errors);
        return Create(schema, input, errors, static _ => { }, ct);
    }

    /// <summary>Creates a record from input that was read before.</summary>
    /// <param name="schema">The resource of the record.</param>
    /// <param name="input">The fields that the client gave.</param>
    /// <param name="errors">The errors found so far. If there are any, the record is refused with all of them.</param>
    /// <param name="complete">Sets the fields that the server sets, before the rules decide. A new attempt calls it again.</param>
    /// <param name="id">The id of the new record; null to make one.</param>
    public ValueTask<Result<StoredRecord>> Create(
        Schema schema, Input input, ValidationErrors errors, Action<Record> complete, CancellationToken ct, string? id = null) =>
        DecideAndCommit(async () => await DecideCreate(schema, input, errors, complete, id ?? ids.New(schema.Prefix), ct), ct);

    /// <summary>Updates the fields given in a client's JSON. Other fields keep their values, including those that other requests set meanwhile.</summary>
    /// <param name="schema">The resource of the record.</param>
    /// <param name="id">The id of the record.</param>
    /// <param name="body">The fields to change.</param>
    /// <param name="ifVersion">The version that the record must have (else PRECONDITION_FAILED); null for any.</param>
    public ValueTask<Result<StoredRecord>> Update(Schema schema, string id, JsonElement body, long? ifVersion, CancellationToken ct) =>
        Update(schema, id, ifVersion, ApplyBody(schema, body), ct);

    /// <summary>Updates a record with a function. A new attempt calls it again, with a newer version of the record.</summary>
    /// <param name="schema">The resource of the record.</param>
    /// <param name="id">The id of the record.</param>
    /// <param name="ifVersion">The version that the record must have (else PRECONDITION_FAILED); null for any.</param>
    /// <param name="apply">Changes <see cref="Change.After"/> and adds validation errors, or refuses with an error.</param>
    public ValueTask<Result<StoredRecord>> Update(
        Schema schema, string id, long? ifVersion, Func<Change, ValidationErrors, Error?> apply, CancellationToken ct) =>
        Update(schema, id, ifVersion, (change, errors, _) => ValueTask.FromResult(apply(change, errors)), ct);

    /// <summary>Updates a record with a function that may read other records. A new attempt calls it again, with a newer version of the record.</summary>
    /// <param name="schema">The resource of the record.</param>
    /// <param name="id">The id of the record.</param>
    /// <param name="ifVersion">The version that the record must have (else PRECONDITION_FAILED); null for any.</param>
    /// <param name="apply">Changes <see cref="Change.After"/> and adds validation errors, or refuses with an error.</param>
    public async ValueTask<Result<StoredRecord>> Update(
        Schema schema, string id, long? ifVersion, Func<Change, ValidationErrors, CancellationToken, ValueTask<Error?>> apply, CancellationToken ct)
    {
        if (CheckId(schema, id) is { } wrong) return wrong;
        return await DecideAndCommit(() => DecideUpdate(schema, id, ifVersion, apply, withArchived: false, ct), ct);
    }

    /// <summary>
    /// Archives a record. It is then hidden, keeps its links and unique keys, and is purged after <see cref="ArchiveState.Retention"/>.
    /// </summary>
    /// <param name="schema">The resource of the record.</param>
    /// <param name="id">The id of the record. A record that is archived already is not found.</param>
    /// <param name="ifVersion">The version that the record must have (else PRECONDITION_FAILED); null for any.</param>
    public ValueTask<Result<StoredRecord>> Archive(Schema schema, string id, long? ifVersion, CancellationToken ct) =>
        SetArchived(schema, id, ifVersion, isArchived: true, ct);

    /// <summary>Restores an archived record. A record that is not archived stays unchanged.</summary>
    /// <param name="schema">The resource of the record.</param>
    /// <param name="id">The id of the record.</param>
    /// <param name="ifVersion">The version that the record must have (else PRECONDITION_FAILED); null for any.</param>
    public ValueTask<Result<StoredRecord>> Restore(Schema schema, string id, long? ifVersion, CancellationToken ct) =>
        SetArchived(schema, id, ifVersion, isArchived: false, ct);

    private async ValueTask<Result<StoredRecord>> SetArchived(Schema schema, string id, long? ifVersion, bool isArchived, CancellationToken ct)
    {
        if (schema.ArchivedAt is not { } archivedAt) return Error.Invalid("id", $"{schema.Collection} can't be archived or restored");
        if (CheckId(schema, id) is { } wrong) return wrong;
        return await DecideAndCommit(() => DecideUpdate(schema, id, ifVersion, Set, withArchived: !isArchived, ct), ct);

        ValueTask<Error?> Set(Change change, ValidationErrors errors, CancellationToken token)
        {
            change.After![archivedAt] = isArchived ? Text.ToSecond(change.Now) : null;
            return ValueTask.FromResult<Error?>(null);
        }
    }

    /// <summary>Updates the record that has a unique value, or creates one.</summary>
    /// <param name="schema">The resource of the record.</param>
    /// <param name="match">The unique value to find the record by.</param>
    /// <param name="body">The fields to set; they must include the field of the unique value.</param>
    /// <returns>The record, and whether it was created.</returns>
    public async ValueTask<Result<(StoredRecord Record, bool IsNew)>> Upsert(Schema schema, Unique match, JsonElement body, CancellationToken ct)
    {
        var errors = new ValidationErrors();
        var given = Record.New(schema, ids.New(schema.Prefix), clock.GetUtcNow());
        var input = Input.Read(schema, body, current: null, errors);
        if (!input.Gives(schema.Find(match.Field)!)) errors.Add(match.Field, "Required: the record is matched by this field");
        if (errors.Any) return Error.Invalid(errors.All);
        input.ApplyTo(given, errors);
        if (match.KeyOf(given) is not { } uniqueKey) return Error.Invalid(match.Field, "Must not be empty: the record is matched by this field");

        var isNew = false;
        var stored = await DecideAndCommit(
            async () =>
            {
                if (await store.FindOwner(uniqueKey, ct) is { } id)
                {
                    isNew = false;
                    var updated = await DecideUpdate(schema, id, ifVersion: null, ApplyBody(schema, body), withArchived: false, ct);
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

    /// <summary>Deletes a record and clears the links to it: few links in the same commit, many by a cascade.</summary>
    /// <param name="schema">The resource of the record.</param>
    /// <param name="id">The id of the record.</param>
    /// <param name="ifVersion">The version that the record must have (else PRECONDITION_FAILED); null for any.</param>
    /// <param name="force">Whether the rules delete or clear whatever would block the deletion, instead of refusing it.</param>
    /// <returns>Null if the record was deleted; else the error, e.g. CONFLICT while records link to it by a link that
    /// <see cref="LinkField.HoldsTarget"/>.</returns>
    public async ValueTask<Error?> Delete(Schema schema, string id, long? ifVersion, CancellationToken ct, bool force = false)
    {
        if (CheckId(schema, id) is { } wrong) return wrong;
        return (await DecideAndCommit(() => DecideDelete(schema, id, ifVersion, force, isPurge: false, ct), ct)).Error;
    }

    /// <summary>Deletes an archived record, with the same cascades as any deletion.</summary>
    /// <param name="schema">The resource of the record.</param>
    /// <param name="id">The id of the record. A record that is not archived is not found.</param>
    /// <param name="ifVersion">The version that the record must have, so that a restore meanwhile wins; null for any.</param>
    /// <returns>Null if the record was deleted; else the error.</returns>
    public async ValueTask<Error?> Purge(Schema schema, string id, long? ifVersion, CancellationToken ct)
    {
        if (CheckId(schema, id) is { } wrong) return wrong;
        return (await DecideAndCommit(() => DecideDelete(schema, id, ifVersion, force: false, isPurge: true, ct), ct)).Error;
    }

    /// <summary>
    /// Decides a change and commits it. If the data it was decided on has changed meanwhile, it tries again. Every write goes through this loop.
    /// </summary>
    /// <param name="decide">Reads the data that the change depends on, and decides the change.</param>
    /// <param name="isOvertaken">Tells whether another request caused the commit to be refused, which calls for a new attempt; null for never.</param>
    /// <returns>The record after the change, or before it on delete.</returns>
    private async ValueTask<Result<StoredRecord>> DecideAndCommit(
        Func<ValueTask<Result<Decision>>> decide, CancellationToken ct, Func<CommitOutcome, bool>? isOvertaken = null)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var decided = await decide();
            if (decided.Error is { } refused) return refused;
            if (decided.Value.Unchanged is { } unchanged) return unchanged;
            if (decided.Value.Change is not { } change) continue;

            if (await ApplyCascades(change, ct) is { } cascadeError) return cascadeError;
            var (outcome, stored) = await Commit(change, ct);
            if (outcome.Result is CommitResult.Done) return stored;
            if (MissedRecords(change, outcome) || isOvertaken?.Invoke(outcome) == true) continue;
            if (await ExplainRefusal(change, outcome, ct) is { } refusal) return refusal;
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

        var change = NewChange(null, record, StoreForDecision());
        return await Decide(change, errors, ct) is { } error ? error : new Decision(change);
    }

    private async ValueTask<Result<Decision>> DecideUpdate(
        Schema schema, string id, long? ifVersion, Func<Change, ValidationErrors, CancellationToken, ValueTask<Error?>> apply, bool withArchived,
        CancellationToken ct)
    {
        var decisionStore = StoreForDecision();
        var stored = await (withArchived ? decisionStore.WithArchived : decisionStore).Find(schema.Type, id, ct);
        if (CheckVersion(schema, id, stored, ifVersion) is { } missing) return missing;
        var before = Record.Load(schema, stored!);
        var (change, errors) = (NewChange(before, before.Next(), decisionStore), new ValidationErrors());
        if (await apply(change, errors, ct) is { } refused) return refused;
        if (await Decide(change, errors, ct) is { } error) return error;
        return change.With.Count == 0 && !change.After!.ChangedSince(before).Any() ? new Decision(null, Unchanged: stored) : new Decision(change);
    }

    private async ValueTask<Result<Decision>> DecideDelete(Schema schema, string id, long? ifVersion, bool force, bool isPurge, CancellationToken ct)
    {
        var decisionStore = StoreForDecision();
        var stored = await (isPurge ? decisionStore.WithArchived : decisionStore).Find(schema.Type, id, ct);
        if (isPurge && stored is not null && !ArchiveState.IsArchived(stored)) stored = null;
        if (CheckVersion(schema, id, stored, ifVersion) is { } missing) return missing;
        var before = Record.Load(schema, stored!);
        var change = NewChange(before, null, decisionStore);
        change.IsForced = force;
        if (await Decide(change, change.Errors, ct) is { } error) return error;
        var links = catalog.LinksTo(schema.Type).ToLookup(l => l.Link.HoldsTarget, l => new Cascade(l.Schema, new KeyPath(l.Link.Name), [id]));
        foreach (var blocking in links[true]) change.Guards.Add(new Guard.NoneMatch(blocking.Type, blocking.Matches));
        change.Cascades.AddRange([.. links[false], .. schema.CascadesOnDelete(before), .. await catalog.ClearRelations(before, store, ct)]);
        return new Decision(change);
    }

    /// <summary>Creates the function that applies a client's JSON to a change.</summary>
    private static Func<Change, ValidationErrors, CancellationToken, ValueTask<Error?>> ApplyBody(Schema schema, JsonElement body) => (change, errors, _) =>
    {
        change.Given = Input.Read(schema, body, change.Before, errors);
        change.Given.ApplyTo(change.After!, errors);
        return ValueTask.FromResult<Error?>(null);
    };

    /// <summary>Gives each decision an overlay of its own, so that <see cref="CascadeOverlay.LastRead"/> reflects that decision's reads.</summary>
    private IWorkspaceStore StoreForDecision() => store switch
    {
        ArchiveFilter filter => filter.ForDecision(),
        CascadeOverlay overlay => overlay.ForDecision(),
        _ => store,
    };

    private Change NewChange(Record? before, Record? after, IWorkspaceStore decisionStore) =>
        new(before, after, clock.GetUtcNow(), decisionStore, ids);

    /// <summary>
    /// Adds the cascades of a change to its commit. A cascade that reaches few records, archived ones included, changes them in the same commit, with a
    /// guard that no other record matches. A larger one is announced.
    /// </summary>
    private async ValueTask<Error?> ApplyCascades(Change change, CancellationToken ct)
    {
        if (change.Cascades.Count == 0) return null;
        var pending = change.Pending;
        if (change.Cascades.Exists(pending.Conflicts)) return Error.CascadeInProgress;
        var announced = new List<Cascade>();
        var (others, bytes) = (new Dictionary<string, Change>(StringComparer.Ordinal), 0);
        foreach (var cascade in change.Cascades)
        {
            var capacity = options?.IsOneOfMany == true ? 0 : MaxOthersInCommit - others.Count;
            var oldest = new SortKey(new KeyPath(cascade.Schema.CreatedAt.Name), Descending: false);
            var page = await store.WithArchived.Query(new RecordQuery(cascade.Type, cascade.Matches, [oldest], null, capacity + 1), ct);
            bytes += page.Records.Sum(r => r.Attributes.Length);
            // Announced cascades are applied in order. A deletion must not come before an announced cascade that still looks at the deleted records, so it
            // is announced after it. And if several commits are stored as one, the query can't see the records of this type that the others change.
            var mustAnnounce = (cascade.DeletesRecords && announced.Count > 0) || (options?.IsOneOfMany == true && cascade.Type == change.Subject.Schema.Type);
            if (mustAnnounce || page.Records.Count > capacity || bytes > CascadeWorker.MaxBatchBytes)
            {
                announced.Add(cascade);
                continue;
            }

            foreach (var stored in page.Records)
            {
                if (!others.TryGetValue(stored.Id, out var other)) others[stored.Id] = other = NewCascadedChange(change, cascade, stored);
                if (other.After is { } after) cascade.Apply(after);
            }

            var isOther = new Condition.Not(new Condition.In(KeyPath.Id, [.. page.Records.Select(r => r.Id)]));
            change.Guards.Add(new Guard.NoneMatch(cascade.Type, page.Records.Count == 0 ? cascade.Matches : new Condition.All([cascade.Matches, isOther])));
        }

        change.With.AddRange(others.Values);
        if (announced.Count == 0) return null;
        if (pending.Announce(announced, origin, ids, change.Now) is not { } updated) return Error.TooManyCascades;
        change.Writes.Add(updated.Write());
        return null;
    }

    /// <summary>Creates the change that a cascade makes to one record. The caller applies the cascade to it.</summary>
    private static Change NewCascadedChange(Change change, Cascade cascade, StoredRecord stored)
    {
        var before = Record.Load(cascade.Schema, stored);
        return change.Beside(before, cascade.DeletesRecords ? null : before.Next());
    }

    /// <summary>Tells whether the commit was refused because another record has come to match one of the change's cascades.</summary>
    private static bool MissedRecords(Change change, CommitOutcome outcome) =>
        outcome.Result is CommitResult.Blocked && change.Cascades.Exists(cascade => cascade.Type == outcome.Subject);

    /// <summary>Gives the error if a record does not exist or has another version than required; else null.</summary>
    private static Error? CheckVersion(Schema schema, string id, StoredRecord? stored, long? ifVersion)
    {
        if (stored is null) return Error.NotFound(schema.Noun, id);
        return ifVersion is { } version && version != stored.Version ? Error.PreconditionFailed(stored.Version) : null;
    }

    /// <summary>Gives the error if an id is malformed; else null.</summary>
    private static Error? CheckId(Schema schema, string id) =>
        Ids.IsId(id, schema.Prefix) ? null : Error.Invalid("id", Ids.Expected(schema.Prefix));

    /// <summary>Lets the rules that all resources share, and those of the resource, complete or refuse a change.</summary>
    private async ValueTask<Error?> Decide(Change change, ValidationErrors errors, CancellationToken ct)
    {
        await catalog.CheckCustomFields(change, errors, ct);
        if (errors.Any) return Error.Invalid(errors.All);
        change.Pending = await PendingCascades.Read(change.Store, catalog, ct);
        if (change.After is not null && change.Pending.FieldBeingCleared(change) is { } field)
            return Error.Conflict($"The value given for '{field}' is being renamed or removed by another operation; retry shortly", field);
        if (change.Subject.Schema.Decide is { } rules && await rules(change, ct) is { } error) return error;
        return change.Errors.Any ? Error.Invalid(change.Errors.All) : null;
    }

    /// <summary>Commits a decided change, or checks it in a dry run.</summary>
    /// <returns>The outcome, and the record after the change, or before it on delete.</returns>
    /// <exception cref="AlreadyAnsweredException">Another request with the same Idempotency-Key was answered meanwhile.</exception>
    private async ValueTask<(CommitOutcome Outcome, StoredRecord Stored)> Commit(Change change, CancellationToken ct)
    {
        var builder = new CommitBuilder(catalog, store.Partition, origin);
        var stored = builder.Add(change, isRequested: true);
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
    /// Explains to the client why a commit was refused. Null means a new attempt, because the data that the change was decided on has changed.
    /// </summary>
    private async ValueTask<Error?> ExplainRefusal(Change change, CommitOutcome outcome, CancellationToken ct)
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

    /// <summary>Gives the conflict if a unique value belongs to an archived record; null if its owner is not archived.</summary>
    private async ValueTask<Error?> ConflictWithArchived(Unique unique, Record wanted, string owner, CancellationToken ct) =>
        await store.WithArchived.Find(wanted.Schema.Type, owner, ct) is { } stored && ArchiveState.IsArchived(stored)
            ? Error.Conflict($"{unique.Message(wanted)}; it is archived as '{owner}': restore it, or delete it for good, first", unique.Field)
            : null;

    /// <summary>Tells whether only archived records block a change.</summary>
    private async ValueTask<bool> IsBlockedByArchived(Change change, string type, CancellationToken ct)
    {
        if (!catalog.IsArchivable(type)) return false;
        foreach (var guard in change.Guards.OfType<Guard.NoneMatch>().Where(guard => guard.Type == type))
        {
            if (await store.Count(type, guard.Where, ct) > 0) return false;
        }

        return true;
    }

    /// <summary>Holds a change to commit, or the record if nothing changes. If both are null, a new attempt is needed.</summary>
    private readonly record struct Decision(Change? Change, StoredRecord? Unchanged = null);
}
