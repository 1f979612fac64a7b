using NodeStash.Core.Storage;

namespace NodeStash.Core.Records;

/// <summary>
/// An environment as it will be once every cascade under way has reached its last record: what requests read. So no reader sees such a change
/// half done, however long it takes. Commits, events and answers are the store's own.
/// </summary>
/// <remarks>A list that loses its last text is found by <c>exists</c> until its record is reached.</remarks>
/// <param name="store">The environment as it is.</param>
/// <param name="catalog">The resources there are.</param>
/// <param name="clock">Tells the time.</param>
public sealed class CascadeOverlay(IWorkspaceStore store, Catalog catalog, TimeProvider clock) : IWorkspaceStore
{
    /// <summary>Longer than any read takes: a change that ended longer ago than this ended before the read began.</summary>
    private static readonly TimeSpan MaxReadTime = TimeSpan.FromMinutes(1);

    private static readonly Condition Never = new Condition.Any([]);

    public Partition Partition => store.Partition;

    public string? Session => store.Session;

    /// <summary>The resources there are.</summary>
    public Catalog Catalog => catalog;

    /// <summary>The pending cascades that the latest read of this overlay took into account; null before a read.</summary>
    public PendingCascades? LastRead { get; private set; }

    /// <summary>Overlays the same store for one decision: <see cref="LastRead"/> is then about that decision's reads alone.</summary>
    public CascadeOverlay ForDecision() => new(store, catalog, clock);

    /// <summary>The same with commits on top that are not stored yet; what they announce is seen, too.</summary>
    public (CascadeOverlay Seen, StagedStore Staged) Stage()
    {
        var staged = new StagedStore(store);
        return (new CascadeOverlay(staged, catalog, clock), staged);
    }

    public ValueTask<StoredRecord?> Find(string type, string id, CancellationToken ct) => type == PendingCascades.Name
        ? store.Find(type, id, ct)
        : Read(async changes => await store.Find(type, id, ct) is { } found ? Overlay(found, changes) : null, ct);

    public ValueTask<string?> TypeOf(string id, CancellationToken ct) =>
        Read(async changes =>
            await store.TypeOf(id, ct) is { } type && (!changes.Any(c => c.DeletesRecords && c.Type == type) || await Find(type, id, ct) is not null)
                ? type
                : null, ct);

    public ValueTask<IReadOnlyList<StoredRecord>> FindMany(string type, IReadOnlyCollection<string> ids, CancellationToken ct) =>
        Read<IReadOnlyList<StoredRecord>>(
            async changes => await store.FindMany(type, ids, ct) is var found && changes.Count == 0
                ? found
                : [.. found.Select(r => Overlay(r, changes)).OfType<StoredRecord>()], ct);

    public ValueTask<RecordPage> Query(RecordQuery query, CancellationToken ct) => Read(
        async changes =>
        {
            if (changes.Count == 0) return await store.Query(query, ct);
            var page = await store.Query(query with { Where = await Rewrite(query.Type, query.Where, changes, ct) }, ct);
            return page with { Records = [.. page.Records.Select(r => Overlay(r, changes)).OfType<StoredRecord>()] };
        },
        ct);

    public ValueTask<long> Count(string type, Condition where, CancellationToken ct) =>
        Read(async changes => await store.Count(type, await Rewrite(type, where, changes, ct), ct), ct);

    public ValueTask<IReadOnlyDictionary<string, long>> CountEach(
        string type, KeyPath path, IReadOnlyCollection<string> texts, Condition where, CancellationToken ct) => Read(
        async changes =>
        {
            if (changes.Count == 0) return await store.CountEach(type, path, texts, where, ct);
            var counts = new Dictionary<string, long>(StringComparer.Ordinal);
            foreach (var text in texts)
            {
                var counted = await Rewrite(type, new Condition.Equal(path, text).And(where), changes, ct);
                if (await store.Count(type, counted, ct) is > 0 and var count) counts[text] = count;
            }

            return counts;
        },
        ct);

    public ValueTask<T?> Memoized<T>(string type, string name, Func<CancellationToken, ValueTask<T?>> make, CancellationToken ct)
        where T : class => store.Memoized(type, name, make, ct);

    public ValueTask<string?> FindOwner(string uniqueKey, CancellationToken ct) => store.FindOwner(uniqueKey, ct);

    public ValueTask<CommitOutcome> Commit(Commit commit, CancellationToken ct) => store.Commit(commit, ct);

    public ValueTask<CommitOutcome> Check(Commit commit, CancellationToken ct) => store.Check(commit, ct);

    public ValueTask<StoredAnswer?> FindAnswer(string key, CancellationToken ct) => store.FindAnswer(key, ct);

    public ValueTask<StoredEvent?> FindEvent(string id, CancellationToken ct) => store.FindEvent(id, ct);

    public ValueTask<EventPage> ReadEvents(EventQuery query, CancellationToken ct) => store.ReadEvents(query, ct);

    public ValueTask<IReadOnlyList<StoredEvent>> EventsOf(string recordId, string? before, int limit, CancellationToken ct) =>
        store.EventsOf(recordId, before, limit, ct);

    /// <summary>
    /// Reads with the cascades that were pending all the while. They are read after the data. Nearly always there are none, and that is all there
    /// is to do.
    /// </summary>
    private async ValueTask<T> Read<T>(Func<IReadOnlyList<Cascade>, ValueTask<T>> read, CancellationToken ct)
    {
        var assumed = (Version: 0L, Cascades: (IReadOnlyList<Cascade>)[]);
        while (true)
        {
            var result = await read(assumed.Cascades);
            var now = await PendingCascades.ReadStored(store, catalog, ct);
            if (now.Version == assumed.Version || (now.Pending.Count + assumed.Cascades.Count == 0 && now.At < clock.GetUtcNow() - MaxReadTime))
            {
                LastRead = now;
                return result;
            }

            assumed = (now.Version, [.. now.Pending.Select(c => c.Cascade)]);
        }
    }

    /// <summary>The record as it will be; null where it will be gone.</summary>
    private StoredRecord? Overlay(StoredRecord stored, IReadOnlyList<Cascade> changes)
    {
        if (!changes.Any(c => c.Type == stored.Type)) return stored;
        var record = Record.Load(catalog.Find(stored.Type), stored);
        if (changes.Any(c => c.Type == stored.Type && c.Deletes(record))) return null;
        foreach (var change in changes.Where(c => c.Type == stored.Type)) change.Apply(record);
        return record.Store();
    }

    /// <summary>The condition on records as they are that holds where the given one holds for them as they will be, if they will be there at all.</summary>
    private async ValueTask<Condition> Rewrite(string type, Condition condition, IReadOnlyList<Cascade> changes, CancellationToken ct)
    {
        var values = changes.Where(c => !c.DeletesRecords).ToList();
        var rewritten = await Rewritten(type, condition, values, ct);
        var removals = changes.Where(c => c.DeletesRecords && c.Type == type).Select(c => new Condition.Not(c.Matches)).ToList<Condition>();
        return removals.Count == 0 ? rewritten : new Condition.All([.. removals, rewritten]);
    }

    private async ValueTask<Condition> Rewritten(string type, Condition condition, IReadOnlyList<Cascade> changes, CancellationToken ct) => condition switch
    {
        Condition.All all => new Condition.All(await Each(all.Conditions, inner => Rewritten(type, inner, changes, ct))),
        Condition.Any any => new Condition.Any(await Each(any.Conditions, inner => Rewritten(type, inner, changes, ct))),
        Condition.Not not => new Condition.Not(await Rewritten(type, not.Inner, changes, ct)),
        Condition.Linked linked =>
            await Through(type, linked with { Where = await Rewritten(linked.Type, linked.Where, changes, ct) }, changes, changes.Count, ct),
        _ => await Through(type, condition, changes, changes.Count, ct),
    };

    /// <summary>
    /// Sees a condition through the first of the changes. The last of them comes first: what it asks of a record is itself seen through those before
    /// it.
    /// </summary>
    private async ValueTask<Condition> Through(string type, Condition condition, IReadOnlyList<Cascade> changes, int first, CancellationToken ct)
    {
        switch (condition)
        {
            case Condition.All all:
                return new Condition.All(await Each(all.Conditions, inner => Through(type, inner, changes, first, ct)));
            case Condition.Any any:
                return new Condition.Any(await Each(any.Conditions, inner => Through(type, inner, changes, first, ct)));
            case Condition.Not not:
                return new Condition.Not(await Through(type, not.Inner, changes, first, ct));
        }

        var path = PathOf(condition);
        for (var i = first - 1; i >= 0; i--)
        {
            if (changes[i].Type == type && changes[i].Path == path) return await Through(type, await Under(changes[i], condition, ct), changes, i, ct);
        }

        return condition;
    }

    private static async ValueTask<IReadOnlyList<Condition>> Each(IReadOnlyList<Condition> conditions, Func<Condition, ValueTask<Condition>> rewrite)
    {
        var rewritten = new List<Condition>(conditions.Count);
        foreach (var condition in conditions) rewritten.Add(await rewrite(condition));
        return rewritten;
    }

    /// <summary>A condition on the changed value, put on the value before the change.</summary>
    private async ValueTask<Condition> Under(Cascade change, Condition condition, CancellationToken ct)
    {
        if (change.Only is not null) return Either(Unless(change.Matches, condition), Holds(condition, change.ToKey), change.Matches);
        if (change.From is not { } from) return Holds(condition, null) ? Condition.Always : Never;
        var (to, had, was) = (change.ToKey, change.Matches, new Condition.In(change.Path, [.. from]));
        return condition switch
        {
            Condition.Equal equal => Either(change.Replaces(equal.Value as string) ? Never : equal, Equals(equal.Value, to), was),
            Condition.In among => Either(among with { Values = [.. among.Values.Where(v => !change.Replaces(v as string))] }, among.Values.Contains(to), was),
            Condition.Has has => Either(change.Replaces(has.Member) ? Never : has, has.Member == to, had),
            Condition.Linked linked => Either(
                Unless(had, linked),
                to is not null && await store.Count(linked.Type, new Condition.All([new Condition.Equal(KeyPath.Id, to), linked.Where]), ct) > 0, had),
            _ => Either(Unless(had, condition), Holds(condition, to), had),
        };
    }

    private static Condition Either(Condition otherwise, bool holdsForNew, Condition had) => holdsForNew ? new Condition.Any([otherwise, had]) : otherwise;

    private static Condition Unless(Condition had, Condition condition) => new Condition.All([new Condition.Not(had), condition]);

    /// <summary>Whether a condition on one value holds for this text, or for none.</summary>
    private static bool Holds(Condition condition, string? value) => condition is not Condition.Linked && ConditionEvaluator.Holds(condition, _ => value);

    private static KeyPath? PathOf(Condition condition) => condition switch
    {
        Condition.Equal equal => equal.Path,
        Condition.In among => among.Path,
        Condition.Compare compare => compare.Path,
        Condition.Contains contains => contains.Path,
        Condition.StartsWith starts => starts.Path,
        Condition.Has has => has.Path,
        Condition.Linked linked => linked.Path,
        _ => null,
    };
}
