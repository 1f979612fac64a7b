namespace NodeStash.Core.Storage;

/// <summary>
/// A partition with commits on top of it that are not stored yet: each is held against those before it as the store would, and in the end all
/// of them are stored as one, or none. Queries show what is staged of the records they find, but do not find by it (of all records, new ones come
/// last); counts and events are those of the partition without them.
/// </summary>
/// <param name="store">The partition. Belongs to one request, as this does.</param>
public sealed class StagedStore(IWorkspaceStore store) : IWorkspaceStore
{
    private readonly Dictionary<(string Type, string Id), StoredRecord?> records = [];
    private readonly Dictionary<string, string?> uniqueKeys = new(StringComparer.Ordinal);
    private readonly List<Write> writes = [];
    private readonly List<Guard> guards = [];
    private readonly List<StoredEvent> events = [];

    public Partition Partition => store.Partition;

    public string? Session => store.Session;

    /// <summary>All of the commits as one, to be stored.</summary>
    /// <param name="answer">To be stored with it; null for none.</param>
    public Commit Whole(StoredAnswer? answer) => new() { Writes = writes, Guards = guards, Events = events, Answer = answer };

    public async ValueTask<StoredRecord?> Find(string type, string id, CancellationToken ct) =>
        records.TryGetValue((type, id), out var staged) ? staged : await store.Find(type, id, ct);

    public async ValueTask<string?> TypeOf(string id, CancellationToken ct)
    {
        foreach (var (key, staged) in records)
        {
            if (key.Id == id) return staged?.Type;
        }

        return await store.TypeOf(id, ct);
    }

    public async ValueTask<IReadOnlyList<StoredRecord>> FindMany(string type, IReadOnlyCollection<string> ids, CancellationToken ct)
    {
        var found = await store.FindMany(type, [.. ids.Where(id => !records.ContainsKey((type, id)))], ct);
        return [.. found, .. ids.Distinct(StringComparer.Ordinal).Select(id => records.GetValueOrDefault((type, id))).OfType<StoredRecord>()];
    }

    public async ValueTask<string?> FindOwner(string uniqueKey, CancellationToken ct) =>
        uniqueKeys.TryGetValue(uniqueKey, out var owner) ? owner : await store.FindOwner(uniqueKey, ct);

    /// <summary>Holds the commit against what is staged and stored, and adds it; what it would answer if those before it were stored.</summary>
    public async ValueTask<CommitOutcome> Commit(Commit commit, CancellationToken ct)
    {
        var open = new List<Guard>();
        foreach (var guard in commit.Guards)
        {
            if (await Check(guard, open, ct) is { } broken) return broken;
        }

        // Held against a copy first: of a commit that is refused nothing may stay.
        var (changed, claimed) = (new Dictionary<(string Type, string Id), StoredRecord?>(), new Dictionary<string, string?>(StringComparer.Ordinal));
        foreach (var write in commit.Writes)
        {
            if (await Apply(write, changed, claimed, ct) is { } refused) return refused;
        }

        foreach (var (key, record) in changed) records[key] = record;
        foreach (var (key, owner) in claimed) uniqueKeys[key] = owner;
        writes.AddRange(commit.Writes);
        guards.AddRange(open);
        events.AddRange(commit.Events);
        return CommitOutcome.Done;
    }

    /// <exception cref="NotSupportedException">Always: what is staged is tried anyway.</exception>
    public ValueTask<CommitOutcome> Check(Commit commit, CancellationToken ct) =>
        throw new NotSupportedException("A staged commit is not stored before all of them are.");

    public async ValueTask<RecordPage> Query(RecordQuery query, CancellationToken ct)
    {
        var removed = records.Count(staged => staged.Key.Type == query.Type && staged.Value is null);
        var page = await store.Query(query with { Limit = query.Limit + removed }, ct);
        var found = page.Records.Select(record => records.GetValueOrDefault((record.Type, record.Id), record)).OfType<StoredRecord>().ToList();
        if (query is { Where: Condition.All { Conditions.Count: 0 }, After: null } && page.Next is null)
            found.AddRange(records.Values.OfType<StoredRecord>().Where(staged => staged.Type == query.Type && !found.Exists(f => f.Id == staged.Id)));
        return page with { Records = found };
    }

    public ValueTask<long> Count(string type, Condition where, CancellationToken ct) => store.Count(type, where, ct);

    public ValueTask<IReadOnlyDictionary<string, long>> CountEach(
        string type, KeyPath path, IReadOnlyCollection<string> texts, Condition where, CancellationToken ct) => store.CountEach(type, path, texts, where, ct);

    /// <summary>Made anew each time, as what is staged changes it.</summary>
    public ValueTask<T?> Memoized<T>(string type, string name, Func<CancellationToken, ValueTask<T?>> make, CancellationToken ct)
        where T : class => records.Keys.Any(key => key.Type == type) ? make(ct) : store.Memoized(type, name, make, ct);

    public ValueTask<StoredAnswer?> FindAnswer(string key, CancellationToken ct) => store.FindAnswer(key, ct);

    public ValueTask<StoredEvent?> FindEvent(string id, CancellationToken ct) => store.FindEvent(id, ct);

    public ValueTask<EventPage> ReadEvents(EventQuery query, CancellationToken ct) => store.ReadEvents(query, ct);

    public ValueTask<IReadOnlyList<StoredEvent>> EventsOf(string recordId, string? before, int limit, CancellationToken ct) =>
        store.EventsOf(recordId, before, limit, ct);

    /// <param name="guard">To be checked now.</param>
    /// <param name="open">Where it goes if it also has to be checked when all is stored: what is staged does not settle it.</param>
    /// <param name="ct">Ends the wait.</param>
    private async ValueTask<CommitOutcome?> Check(Guard guard, List<Guard> open, CancellationToken ct)
    {
        switch (guard)
        {
            case Guard.RecordExists exists when records.TryGetValue((exists.Type, exists.Id), out var staged):
                return exists.Holds(staged) ? null : new CommitOutcome(CommitResult.Missing, exists.Id);
            case Guard.UniqueKeyHeld held when uniqueKeys.TryGetValue(held.Key, out var owner):
                return owner is null ? new CommitOutcome(CommitResult.Missing, held.Key) : null;
        }

        open.Add(guard);
        return guard switch
        {
            Guard.RecordExists exists => exists.Holds(await store.Find(exists.Type, exists.Id, ct)) ? null : new CommitOutcome(CommitResult.Missing, exists.Id),
            Guard.UniqueKeyHeld held => await store.FindOwner(held.Key, ct) is null ? new CommitOutcome(CommitResult.Missing, held.Key) : null,
            _ => await store.Check(new Commit { Guards = [guard] }, ct) is { Result: not CommitResult.Done } broken ? broken : null,
        };
    }

    private async ValueTask<CommitOutcome?> Apply(
        Write write, Dictionary<(string Type, string Id), StoredRecord?> changed, Dictionary<string, string?> claimed, CancellationToken ct)
    {
        async ValueTask<StoredRecord?> Current(string type, string id) => changed.TryGetValue((type, id), out var record) ? record : await Find(type, id, ct);
        async ValueTask<string?> Owner(string key) => claimed.TryGetValue(key, out var owner) ? owner : await FindOwner(key, ct);
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
                claimed[uniqueKey.Key] = uniqueKey.Owner;
                return null;
            case Write.Release release:
                if (await Owner(release.Key) == release.Owner) claimed[release.Key] = null;
                return null;
            default:
                throw new ArgumentException($"unknown write {write.GetType()}", nameof(write));
        }
    }
}
