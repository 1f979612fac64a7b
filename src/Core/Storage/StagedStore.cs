namespace NodeStash.Core.Storage;

/// <summary>
/// Stages several commits on top of a partition, to store all of them as one. Each commit is checked against the partition and the commits staged
/// before it. A query selects and sorts by the stored values, then shows the staged version of each record; a query for all records appends staged
/// new ones. Counts and events ignore the staged commits.
/// </summary>
/// <param name="store">The store of the partition. It belongs to one request, and so does the staged store.</param>
public sealed class StagedStore(IWorkspaceStore store) : IWorkspaceStore
{
    private readonly Dictionary<(string Type, string Id), StoredRecord?> records = [];
    private readonly Dictionary<string, string?> uniqueKeys = new(StringComparer.Ordinal);
    private readonly List<Write> writes = [];
    private readonly List<Guard> guards = [];
    private readonly List<StoredEvent> events = [];

    /// <inheritdoc/>
    public Partition Partition => store.Partition;

    /// <inheritdoc/>
    public string? Session => store.Session;

    /// <summary>Returns all staged commits as one commit, to be stored.</summary>
    /// <param name="answer">The answer to store with it; null for none.</param>
    public Commit Whole(StoredAnswer? answer) => new() { Writes = writes, Guards = guards, Events = events, Answer = answer };

    /// <inheritdoc/>
    public async ValueTask<StoredRecord?> Find(string type, string id, CancellationToken ct) =>
        records.TryGetValue((type, id), out var staged) ? staged : await store.Find(type, id, ct);

    /// <inheritdoc/>
    public async ValueTask<string?> TypeOf(string id, CancellationToken ct)
    {
        foreach (var (key, staged) in records)
        {
            if (key.Id == id) return staged?.Type;
        }

        return await store.TypeOf(id, ct);
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<StoredRecord>> FindMany(string type, IReadOnlyCollection<string> ids, CancellationToken ct)
    {
        var found = await store.FindMany(type, [.. ids.Where(id => !records.ContainsKey((type, id)))], ct);
        return [.. found, .. ids.Distinct(StringComparer.Ordinal).Select(id => records.GetValueOrDefault((type, id))).OfType<StoredRecord>()];
    }

    /// <inheritdoc/>
    public async ValueTask<string?> FindOwner(string uniqueKey, CancellationToken ct) =>
        uniqueKeys.TryGetValue(uniqueKey, out var owner) ? owner : await store.FindOwner(uniqueKey, ct);

    /// <summary>Stages a commit if it is valid. Returns what the store would return if all commits staged before were stored.</summary>
    public async ValueTask<CommitOutcome> Commit(Commit commit, CancellationToken ct)
    {
        var unsettled = new List<Guard>();
        foreach (var guard in commit.Guards)
        {
            if (await CheckGuard(guard, unsettled, ct) is { } broken) return broken;
        }

        // Apply to a copy first: a refused commit must leave nothing behind.
        var (changed, reserved) = (new Dictionary<(string Type, string Id), StoredRecord?>(), new Dictionary<string, string?>(StringComparer.Ordinal));
        foreach (var write in commit.Writes)
        {
            if (await Apply(write, changed, reserved, ct) is { } refused) return refused;
        }

        foreach (var (key, record) in changed) records[key] = record;
        foreach (var (key, owner) in reserved) uniqueKeys[key] = owner;
        writes.AddRange(commit.Writes);
        guards.AddRange(unsettled);
        events.AddRange(commit.Events);
        return CommitOutcome.Done;
    }

    /// <summary>Not supported: <see cref="Commit"/> stores nothing either, so use that.</summary>
    /// <exception cref="NotSupportedException">Always thrown.</exception>
    public ValueTask<CommitOutcome> Check(Commit commit, CancellationToken ct) =>
        throw new NotSupportedException("A staged store does not check commits: stage the commit, which stores nothing yet.");

    /// <summary>Queries the stored records and shows the staged version of each. Staged values decide neither match nor order.</summary>
    public async ValueTask<RecordPage> Query(RecordQuery query, CancellationToken ct)
    {
        var removed = records.Count(staged => staged.Key.Type == query.Type && staged.Value is null);
        var page = await store.Query(query with { Limit = query.Limit + removed }, ct);
        var found = page.Records.Select(record => records.GetValueOrDefault((record.Type, record.Id), record)).OfType<StoredRecord>().ToList();
        if (query is { Where: Condition.All { Conditions.Count: 0 }, After: null } && page.Next is null)
            found.AddRange(records.Values.OfType<StoredRecord>().Where(staged => staged.Type == query.Type && !found.Exists(f => f.Id == staged.Id)));
        return page with { Records = found };
    }

    /// <summary>Counts the stored records that match, without the staged commits.</summary>
    public ValueTask<long> Count(string type, Condition where, CancellationToken ct) => store.Count(type, where, ct);

    /// <summary>Counts the stored records by text, without the staged commits.</summary>
    public ValueTask<IReadOnlyDictionary<string, long>> CountEach(
        string type, KeyPath path, IReadOnlyCollection<string> texts, Condition where, CancellationToken ct) => store.CountEach(type, path, texts, where, ct);

    /// <summary>Computes the value anew if a record of the type is staged; otherwise the inner store may keep it.</summary>
    public ValueTask<T?> Memoized<T>(string type, string name, Func<CancellationToken, ValueTask<T?>> make, CancellationToken ct)
        where T : class => records.Keys.Any(key => key.Type == type) ? make(ct) : store.Memoized(type, name, make, ct);

    /// <inheritdoc/>
    public ValueTask<StoredAnswer?> FindAnswer(string key, CancellationToken ct) => store.FindAnswer(key, ct);

    /// <summary>Finds a stored event; staged events are not found.</summary>
    public ValueTask<StoredEvent?> FindEvent(string id, CancellationToken ct) => store.FindEvent(id, ct);

    /// <summary>Reads the stored events, without the staged ones.</summary>
    public ValueTask<EventPage> ReadEvents(EventQuery query, CancellationToken ct) => store.ReadEvents(query, ct);

    /// <summary>Lists the stored events of one record, without the staged ones.</summary>
    public ValueTask<IReadOnlyList<StoredEvent>> EventsOf(string recordId, string? before, int limit, CancellationToken ct) =>
        store.EventsOf(recordId, before, limit, ct);

    /// <summary>Checks a guard now; returns null if it holds.</summary>
    /// <param name="guard">The guard to check.</param>
    /// <param name="unsettled">Receives the guard if the staged records do not settle it: it must be checked again when all is stored.</param>
    /// <param name="ct">Ends the wait.</param>
    private async ValueTask<CommitOutcome?> CheckGuard(Guard guard, List<Guard> unsettled, CancellationToken ct)
    {
        switch (guard)
        {
            case Guard.RecordExists exists when records.TryGetValue((exists.Type, exists.Id), out var staged):
                return exists.Holds(staged) ? null : new CommitOutcome(CommitResult.Missing, exists.Id);
            case Guard.UniqueKeyHeld held when uniqueKeys.TryGetValue(held.Key, out var owner):
                return owner is null ? new CommitOutcome(CommitResult.Missing, held.Key) : null;
        }

        unsettled.Add(guard);
        return guard switch
        {
            Guard.RecordExists exists => exists.Holds(await store.Find(exists.Type, exists.Id, ct)) ? null : new CommitOutcome(CommitResult.Missing, exists.Id),
            Guard.UniqueKeyHeld held => await store.FindOwner(held.Key, ct) is null ? new CommitOutcome(CommitResult.Missing, held.Key) : null,
            _ => await store.Check(new Commit { Guards = [guard] }, ct) is { Result: not CommitResult.Done } broken ? broken : null,
        };
    }

    private async ValueTask<CommitOutcome?> Apply(
        Write write, Dictionary<(string Type, string Id), StoredRecord?> changed, Dictionary<string, string?> reserved, CancellationToken ct)
    {
        async ValueTask<StoredRecord?> Current(string type, string id) => changed.TryGetValue((type, id), out var record) ? record : await Find(type, id, ct);
        async ValueTask<string?> Owner(string key) => reserved.TryGetValue(key, out var owner) ? owner : await FindOwner(key, ct);
        switch (write)
        {
            case Write.Insert { Record: var record }:
                if (await Current(record.Type, record.Id) is not null) return new CommitOutcome(CommitResult.Exists, record.Id);
                changed[(record.Type, record.Id)] = record;
                return null;
            case Write.Replace { Record: var record }:
                if ((await Current(record.Type, record.Id))?.Version != record.Version - 1) return new CommitOutcome(CommitResult.Stale, record.Id);
                changed[(record.Type, record.Id)] = record;
                return null;
            case Write.Remove remove:
                if ((await Current(remove.Type, remove.Id))?.Version != remove.Version) return new CommitOutcome(CommitResult.Stale, remove.Id);
                changed[(remove.Type, remove.Id)] = null;
                return null;
            case Write.Reserve uniqueKey:
                if (await Owner(uniqueKey.Key) is { } holder && holder != uniqueKey.Owner) return new CommitOutcome(CommitResult.UniqueKeyTaken, uniqueKey.Key);
                reserved[uniqueKey.Key] = uniqueKey.Owner;
                return null;
            case Write.Release release:
                if (await Owner(release.Key) == release.Owner) reserved[release.Key] = null;
                return null;
            default:
                throw new ArgumentException($"unknown write {write.GetType()}", nameof(write));
        }
    }
}
