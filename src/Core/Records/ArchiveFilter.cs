using NodeStash.Core.Storage;

namespace NodeStash.Core.Records;

/// <summary>
/// Hides archived records: the environment as requests read it. Every read of records goes through here, so no list, count, include or search shows
/// one. What must reach archived records too asks <see cref="WithArchived"/>. Commits are the store's own: their guards see all records.
/// </summary>
/// <param name="all">The environment with its archived records.</param>
public sealed class ArchiveFilter(CascadeOverlay all) : IWorkspaceStore
{
    public Partition Partition => all.Partition;

    public string? Session => all.Session;

    public IWorkspaceStore WithArchived => all;

    /// <summary>Filters the same environment for one decision; see <see cref="CascadeOverlay.ForDecision"/>.</summary>
    public ArchiveFilter ForDecision() => new(all.ForDecision());

    /// <summary>The same with commits on top that are not stored yet.</summary>
    public (ArchiveFilter Seen, StagedStore Staged) Stage()
    {
        var (seen, staged) = all.Stage();
        return (new ArchiveFilter(seen), staged);
    }

    public async ValueTask<StoredRecord?> Find(string type, string id, CancellationToken ct) =>
        await all.Find(type, id, ct) is { } found && !ArchiveState.IsArchived(found) ? found : null;

    public ValueTask<string?> TypeOf(string id, CancellationToken ct) => all.TypeOf(id, ct);

    public async ValueTask<IReadOnlyList<StoredRecord>> FindMany(string type, IReadOnlyCollection<string> ids, CancellationToken ct) =>
        Visible(await all.FindMany(type, ids, ct));

    public async ValueTask<RecordPage> Query(RecordQuery query, CancellationToken ct)
    {
        if (query.WithArchived) return await all.Query(query, ct);
        var page = await all.Query(query with { Where = Visible(query.Type, query.Where) }, ct);

        // A staged record is shown as it will be, though it was found as it is.
        return page with { Records = Visible(page.Records) };
    }

    public ValueTask<long> Count(string type, Condition where, CancellationToken ct) => all.Count(type, Visible(type, where), ct);

    public ValueTask<IReadOnlyDictionary<string, long>> CountEach(
        string type, KeyPath path, IReadOnlyCollection<string> texts, Condition where, CancellationToken ct) =>
        all.CountEach(type, path, texts, Visible(type, where), ct);

    public ValueTask<T?> Memoized<T>(string type, string name, Func<CancellationToken, ValueTask<T?>> make, CancellationToken ct)
        where T : class => all.Memoized(type, name, make, ct);

    public ValueTask<string?> FindOwner(string uniqueKey, CancellationToken ct) => all.FindOwner(uniqueKey, ct);

    public ValueTask<CommitOutcome> Commit(Commit commit, CancellationToken ct) => all.Commit(commit, ct);

    public ValueTask<CommitOutcome> Check(Commit commit, CancellationToken ct) => all.Check(commit, ct);

    public ValueTask<StoredAnswer?> FindAnswer(string key, CancellationToken ct) => all.FindAnswer(key, ct);

    public ValueTask<StoredEvent?> FindEvent(string id, CancellationToken ct) => all.FindEvent(id, ct);

    public ValueTask<EventPage> ReadEvents(EventQuery query, CancellationToken ct) => all.ReadEvents(query, ct);

    public ValueTask<IReadOnlyList<StoredEvent>> EventsOf(string recordId, string? before, int limit, CancellationToken ct) =>
        all.EventsOf(recordId, before, limit, ct);

    private static IReadOnlyList<StoredRecord> Visible(IReadOnlyList<StoredRecord> records) =>
        records.Any(ArchiveState.IsArchived) ? [.. records.Where(record => !ArchiveState.IsArchived(record))] : records;

    /// <summary>Narrows a condition to visible records, and the conditions on what they link to as well.</summary>
    private Condition Visible(string type, Condition where) =>
        all.Catalog.IsArchivable(type) ? ThroughLinks(where).And(ArchiveState.IsVisible) : ThroughLinks(where);

    private Condition ThroughLinks(Condition where) => where switch
    {
        Condition.All { Conditions.Count: > 0 } all => new Condition.All([.. all.Conditions.Select(ThroughLinks)]),
        Condition.Any { Conditions.Count: > 0 } any => new Condition.Any([.. any.Conditions.Select(ThroughLinks)]),
        Condition.Not not => new Condition.Not(ThroughLinks(not.Inner)),
        Condition.Linked linked => linked with { Where = Visible(linked.Type, linked.Where) },
        _ => where,
    };
}
