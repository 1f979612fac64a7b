using NodeStash.Core.Storage;

namespace NodeStash.Core.Records;

/// <summary>
/// Shows an environment as if every pending cascade had already changed all its records. Requests read through it, so no reader sees a cascade
/// half applied, however long it takes. Commits, events and stored answers pass through unchanged.
/// </summary>
/// <remarks>One gap remains: an <c>exists</c> condition still matches a list that loses its last text, until the cascade reaches its record.</remarks>
/// <param name="store">The environment as it is stored.</param>
/// <param name="catalog">The known resources.</param>
/// <param name="clock">Tells which cascades finished too long ago to affect a read.</param>
public sealed class CascadeOverlay(IWorkspaceStore store, Catalog catalog, TimeProvider clock) : IWorkspaceStore
{
    /// <summary>Exceeds the duration of any read: a cascade that finished longer ago than this finished before the read began.</summary>
    private static readonly TimeSpan MaxReadTime = TimeSpan.FromMinutes(1);

    private static readonly Condition Never = new Condition.Any([]);

    /// <inheritdoc/>
    public Partition Partition => store.Partition;

    /// <inheritdoc/>
    public string? Session => store.Session;

    /// <summary>The known resources.</summary>
    public Catalog Catalog => catalog;

    /// <summary>The pending cascades that the latest read through this overlay applied; null before the first read.</summary>
    public PendingCascades? LastRead { get; private set; }

    /// <summary>Creates an overlay over the same store for one decision. Its <see cref="LastRead"/> reflects only the reads of that decision.</summary>
    public CascadeOverlay ForDecision() => new(store, catalog, clock);

    /// <summary>Creates an overlay over staged commits, which are not stored yet. It applies the cascades that those commits announce, too.</summary>
    /// <returns>The overlay that shows the staged commits, and the store that takes them.</returns>
    public (CascadeOverlay Seen, StagedStore Staged) Stage()
    {
        var staged = new StagedStore(store);
        return (new CascadeOverlay(staged, catalog, clock), staged);
    }

    /// <inheritdoc/>
    public ValueTask<StoredRecord?> Find(string type, string id, CancellationToken ct) => type == PendingCascades.Name
        ? store.Find(type, id, ct)
        : Read(async cascades => await store.Find(type, id, ct) is { } found ? Overlay(found, cascades) : null, ct);

    /// <inheritdoc/>
    public ValueTask<string?> TypeOf(string id, CancellationToken ct) =>
        Read(async cascades =>
            await store.TypeOf(id, ct) is { } type && (!cascades.Any(c => c.DeletesRecords && c.Type == type) || await Find(type, id, ct) is not null)
                ? type
                : null, ct);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<StoredRecord>> FindMany(string type, IReadOnlyCollection<string> ids, CancellationToken ct) =>
        Read<IReadOnlyList<StoredRecord>>(
            async cascades => await store.FindMany(type, ids, ct) is var found && cascades.Count == 0
                ? found
                : [.. found.Select(r => Overlay(r, cascades)).OfType<StoredRecord>()], ct);

    /// <inheritdoc/>
    public ValueTask<RecordPage> Query(RecordQuery query, CancellationToken ct) => Read(
        async cascades =>
        {
            if (cascades.Count == 0) return await store.Query(query, ct);
            var page = await store.Query(query with { Where = await Rewrite(query.Type, query.Where, cascades, ct) }, ct);
            return page with { Records = [.. page.Records.Select(r => Overlay(r, cascades)).OfType<StoredRecord>()] };
        },
        ct);

    /// <inheritdoc/>
    public ValueTask<long> Count(string type, Condition where, CancellationToken ct) =>
        Read(async cascades => await store.Count(type, await Rewrite(type, where, cascades, ct), ct), ct);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyDictionary<string, long>> CountEach(
        string type, KeyPath path, IReadOnlyCollection<string> texts, Condition where, CancellationToken ct) => Read(
        async cascades =>
        {
            if (cascades.Count == 0) return await store.CountEach(type, path, texts, where, ct);
            var counts = new Dictionary<string, long>(StringComparer.Ordinal);
            foreach (var text in texts)
            {
                var counted = await Rewrite(type, new Condition.Equal(path, text).And(where), cascades, ct);
                if (await store.Count(type, counted, ct) is > 0 and var count) counts[text] = count;
            }

            return counts;
        },
        ct);

    /// <inheritdoc/>
    public ValueTask<T?> Memoized<T>(string type, string name, Func<CancellationToken, ValueTask<T?>> make, CancellationToken ct)
        where T : class => store.Memoized(type, name, make, ct);

    /// <inheritdoc/>
    public ValueTask<string?> FindOwner(string uniqueKey, CancellationToken ct) => store.FindOwner(uniqueKey, ct);

    /// <inheritdoc/>
    public ValueTask<CommitOutcome> Commit(Commit commit, CancellationToken ct) => store.Commit(commit, ct);

    /// <inheritdoc/>
    public ValueTask<CommitOutcome> Check(Commit commit, CancellationToken ct) => store.Check(commit, ct);

    /// <inheritdoc/>
    public ValueTask<StoredAnswer?> FindAnswer(string key, CancellationToken ct) => store.FindAnswer(key, ct);

    /// <inheritdoc/>
    public ValueTask<StoredEvent?> FindEvent(string id, CancellationToken ct) => store.FindEvent(id, ct);

    /// <inheritdoc/>
    public ValueTask<EventPage> ReadEvents(EventQuery query, CancellationToken ct) => store.ReadEvents(query, ct);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<StoredEvent>> EventsOf(string recordId, string? before, int limit, CancellationToken ct) =>
        store.EventsOf(recordId, before, limit, ct);

    /// <summary>
    /// Repeats a read until it has applied exactly the cascades that were pending while it ran. The pending cascades are read after the data.
    /// Nearly always there are none, and the first read stands.
    /// </summary>
    private async ValueTask<T> Read<T>(Func<IReadOnlyList<Cascade>, ValueTask<T>> read, CancellationToken ct)
    {
        var applied = (Version: 0L, Cascades: (IReadOnlyList<Cascade>)[]);
        while (true)
        {
            var result = await read(applied.Cascades);
            var current = await PendingCascades.ReadStored(store, catalog, ct);
            var noneDuringRead = current.Pending.Count + applied.Cascades.Count == 0 && current.At < clock.GetUtcNow() - MaxReadTime;
            if (current.Version == applied.Version || noneDuringRead)
            {
                LastRead = current;
                return result;
            }

            applied = (current.Version, [.. current.Pending.Select(c => c.Cascade)]);
        }
    }

    /// <summary>Applies cascades to a stored record; null if one of them deletes it.</summary>
    private StoredRecord? Overlay(StoredRecord stored, IReadOnlyList<Cascade> cascades)
    {
        if (!cascades.Any(c => c.Type == stored.Type)) return stored;
        var record = Record.Load(catalog.Find(stored.Type), stored);
        if (cascades.Any(c => c.Type == stored.Type && c.Deletes(record))) return null;
        foreach (var cascade in cascades.Where(c => c.Type == stored.Type)) cascade.Apply(record);
        return record.Store();
    }

    /// <summary>Rewrites a condition so that it matches stored records as if every cascade were applied. Records that a cascade deletes don't match.</summary>
    private async ValueTask<Condition> Rewrite(string type, Condition condition, IReadOnlyList<Cascade> cascades, CancellationToken ct)
    {
        var replacements = cascades.Where(c => !c.DeletesRecords).ToList();
        var rewritten = await RewriteValues(type, condition, replacements, ct);
        var notDeleted = cascades.Where(c => c.DeletesRecords && c.Type == type).Select(c => new Condition.Not(c.Matches)).ToList<Condition>();
        return notDeleted.Count == 0 ? rewritten : new Condition.All([.. notDeleted, rewritten]);
    }

    /// <summary>Rewrites a condition, and every condition on linked records in it, for cascades that replace values.</summary>
    private async ValueTask<Condition> RewriteValues(string type, Condition condition, IReadOnlyList<Cascade> cascades, CancellationToken ct) =>
        condition switch
        {
            Condition.All all => new Condition.All(await RewriteEach(all.Conditions, inner => RewriteValues(type, inner, cascades, ct))),
            Condition.Any any => new Condition.Any(await RewriteEach(any.Conditions, inner => RewriteValues(type, inner, cascades, ct))),
            Condition.Not not => new Condition.Not(await RewriteValues(type, not.Inner, cascades, ct)),
            Condition.Linked linked => await RewriteForFirst(
                type, linked with { Where = await RewriteValues(linked.Type, linked.Where, cascades, ct) }, cascades, cascades.Count, ct),
            _ => await RewriteForFirst(type, condition, cascades, cascades.Count, ct),
        };

    /// <summary>
    /// Rewrites a condition for the first <paramref name="count"/> cascades. The last cascade comes first: the condition it leaves asks for values
    /// before that cascade, so it is rewritten for the cascades before it.
    /// </summary>
    private async ValueTask<Condition> RewriteForFirst(string type, Condition condition, IReadOnlyList<Cascade> cascades, int count, CancellationToken ct)
    {
        switch (condition)
        {
            case Condition.All all:
                return new Condition.All(await RewriteEach(all.Conditions, inner => RewriteForFirst(type, inner, cascades, count, ct)));
            case Condition.Any any:
                return new Condition.Any(await RewriteEach(any.Conditions, inner => RewriteForFirst(type, inner, cascades, count, ct)));
            case Condition.Not not:
                return new Condition.Not(await RewriteForFirst(type, not.Inner, cascades, count, ct));
        }

        var path = PathOf(condition);
        for (var i = count - 1; i >= 0; i--)
        {
            if (cascades[i].Type == type && cascades[i].Path == path)
                return await RewriteForFirst(type, await RewriteForOne(cascades[i], condition, ct), cascades, i, ct);
        }

        return condition;
    }

    private static async ValueTask<IReadOnlyList<Condition>> RewriteEach(IReadOnlyList<Condition> conditions, Func<Condition, ValueTask<Condition>> rewrite)
    {
        var rewritten = new List<Condition>(conditions.Count);
        foreach (var condition in conditions) rewritten.Add(await rewrite(condition));
        return rewritten;
    }

    /// <summary>Turns a condition on the value after one cascade into a condition on the value before it.</summary>
    private async ValueTask<Condition> RewriteForOne(Cascade cascade, Condition condition, CancellationToken ct)
    {
        var (affected, newValue) = (cascade.Matches, cascade.ReplacementKey);
        if (cascade.Only is not null) return OrAffected(Unaffected(affected, condition), Holds(condition, newValue), affected);
        if (cascade.From is not { } from) return Holds(condition, null) ? Condition.Always : Never;
        var oldValue = new Condition.In(cascade.Path, [.. from]);
        return condition switch
        {
            Condition.Equal equal => OrAffected(cascade.Replaces(equal.Value as string) ? Never : equal, Equals(equal.Value, newValue), oldValue),
            Condition.In among => OrAffected(
                among with { Values = [.. among.Values.Where(v => !cascade.Replaces(v as string))] }, among.Values.Contains(newValue), oldValue),
            Condition.Has has => OrAffected(cascade.Replaces(has.Member) ? Never : has, has.Member == newValue, affected),
            Condition.Linked linked => OrAffected(Unaffected(affected, linked), await IsLinkedMatch(linked, newValue, ct), affected),
            _ => OrAffected(Unaffected(affected, condition), Holds(condition, newValue), affected),
        };
    }

    /// <summary>Tells whether the record with this id satisfies a condition on linked records; false for null.</summary>
    private async ValueTask<bool> IsLinkedMatch(Condition.Linked linked, string? id, CancellationToken ct) =>
        id is not null && await store.Count(linked.Type, new Condition.All([new Condition.Equal(KeyPath.Id, id), linked.Where]), ct) > 0;

    /// <summary>Adds the records that a cascade affects to a condition, if their new value satisfies it.</summary>
    private static Condition OrAffected(Condition condition, bool holdsForNewValue, Condition affected) =>
        holdsForNewValue ? new Condition.Any([condition, affected]) : condition;

    /// <summary>Narrows a condition to records that a cascade does not affect.</summary>
    private static Condition Unaffected(Condition affected, Condition condition) => new Condition.All([new Condition.Not(affected), condition]);

    /// <summary>Tells whether a condition on one value holds for this text; null stands for no value.</summary>
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
