using NodeStash.Core.Storage;

namespace NodeStash.Core.Records;

/// <summary>
/// Hides archived records from every read of a request: lists, counts, includes and searches. Code that needs archived records too reads
/// <see cref="WithArchived"/>. Commits go to the store unfiltered, so their guards see archived records.
/// </summary>
/// <param name="all">The environment, archived records included.</param>
public sealed class ArchiveFilter(CascadeOverlay all) : IWorkspaceStore
{
    /// <inheritdoc/>
    public Partition Partition => all.Partition;

    /// <inheritdoc/>
    public string? Session => all.Session;

    /// <inheritdoc/>
    public IWorkspaceStore WithArchived => all;

    /// <summary>Creates a filter over the same environment for one decision; see <see cref="CascadeOverlay.ForDecision"/>.</summary>
    public ArchiveFilter ForDecision() => new(all.ForDecision());

    /// <summary>Creates a filter over staged commits, which are not stored yet.</summary>
    /// <returns>The filter that shows the staged commits, and the store that takes them.</returns>
    public (ArchiveFilter Seen, StagedStore Staged) Stage()
    {
        var (seen, staged) = all.Stage();
        return (new ArchiveFilter(seen), staged);
    }

    /// <inheritdoc/>
    public async ValueTask<StoredRecord?> Find(string type, string id, CancellationToken ct) =>
        await all.Find(type, id, ct) is { } found && !ArchiveState.IsArchived(found) ? found : null;

    /// <inheritdoc/>
    public ValueTask<string?> TypeOf(string id, CancellationToken ct) => all.TypeOf(id, ct);

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<StoredRecord>> FindMany(string type, IReadOnlyCollection<string> ids, CancellationToken ct) =>
        WithoutArchived(await all.FindMany(type, ids, ct));

    /// <inheritdoc/>
    public async ValueTask<RecordPage> Query(RecordQuery query, CancellationToken ct)
    {
        if (query.WithArchived) return await all.Query(query, ct);
        var page = await all.Query(query with { Where = OnlyVisible(query.Type, query.Where) }, ct);

        // The query matched the stored version of a staged record; the page shows the staged version, which may be archived.
        return page with { Records = WithoutArchived(page.Records) };
    }

    /// <inheritdoc/>
    public ValueTask<long> Count(string type, Condition where, CancellationToken ct) => all.Count(type, OnlyVisible(type, where), ct);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyDictionary<string, long>> CountEach(
        string type, KeyPath path, IReadOnlyCollection<string> texts, Condition where, CancellationToken ct) =>
        all.CountEach(type, path, texts, OnlyVisible(type, where), ct);

    /// <inheritdoc/>
    public ValueTask<T?> Memoized<T>(string type, string name, Func<CancellationToken, ValueTask<T?>> make, CancellationToken ct)
        where T : class => all.Memoized(type, name, make, ct);

    /// <inheritdoc/>
    public ValueTask<string?> FindOwner(string uniqueKey, CancellationToken ct) => all.FindOwner(uniqueKey, ct);

    /// <inheritdoc/>
    public ValueTask<CommitOutcome> Commit(Commit commit, CancellationToken ct) => all.Commit(commit, ct);

    /// <inheritdoc/>
    public ValueTask<CommitOutcome> Check(Commit commit, CancellationToken ct) => all.Check(commit, ct);

    /// <inheritdoc/>
    public ValueTask<StoredAnswer?> FindAnswer(string key, CancellationToken ct) => all.FindAnswer(key, ct);

    /// <inheritdoc/>
    public ValueTask<StoredEvent?> FindEvent(string id, CancellationToken ct) => all.FindEvent(id, ct);

    /// <inheritdoc/>
    public ValueTask<EventPage> ReadEvents(EventQuery query, CancellationToken ct) => all.ReadEvents(query, ct);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<StoredEvent>> EventsOf(string recordId, string? before, int limit, CancellationToken ct) =>
        all.EventsOf(recordId, before, limit, ct);

    private static IReadOnlyList<StoredRecord> WithoutArchived(IReadOnlyList<StoredRecord> records) =>
        records.Any(ArchiveState.IsArchived) ? [.. records.Where(record => !ArchiveState.IsArchived(record))] : records;

    /// <summary>Narrows a condition to visible records, and does the same to every condition on linked records.</summary>
    private Condition OnlyVisible(string type, Condition where) =>
        all.Catalog.IsArchivable(type) ? OnlyVisibleLinked(where).And(ArchiveState.IsVisible) : OnlyVisibleLinked(where);

    private Condition OnlyVisibleLinked(Condition where) => where switch
    {
        Condition.All { Conditions.Count: > 0 } all => new Condition.All([.. all.Conditions.Select(OnlyVisibleLinked)]),
        Condition.Any { Conditions.Count: > 0 } any => new Condition.Any([.. any.Conditions.Select(OnlyVisibleLinked)]),
        Condition.Not not => new Condition.Not(OnlyVisibleLinked(not.Inner)),
        Condition.Linked linked => linked with { Where = OnlyVisible(linked.Type, linked.Where) },
        _ => where,
    };
}
