namespace NodeStash.Core.Storage;

/// <summary>
/// Everything one partition of one workspace holds. An instance is bound to its partition when it is made and has no member that
/// names another: whoever holds one cannot write a query that leaves it.
/// </summary>
/// <remarks>
/// Adapters pass the contract suite in tests/Support/Contracts/Storage. All members throw <see cref="StoreUnavailableException"/> when the backing
/// service cannot answer.
/// </remarks>
public interface IWorkspaceStore
{
    Partition Partition { get; }

    /// <summary>
    /// How far it has read and written: a store that is opened with it, in whatever process, sees all of that. Null where every store sees it anyway.
    /// </summary>
    string? Session { get; }

    /// <summary>The same store with its archived records: this one, unless it hides them.</summary>
    IWorkspaceStore WithArchived => this;

    /// <summary>The record, or null. One point read.</summary>
    ValueTask<StoredRecord?> Find(string type, string id, CancellationToken ct);

    /// <summary>The type of the record with this id, archived or not; null where there is none. One point read.</summary>
    ValueTask<string?> TypeOf(string id, CancellationToken ct);

    /// <summary>Those of the records that exist, in no particular order.</summary>
    ValueTask<IReadOnlyList<StoredRecord>> FindMany(string type, IReadOnlyCollection<string> ids, CancellationToken ct);

    /// <summary>The records that match, in order, from one snapshot.</summary>
    ValueTask<RecordPage> Query(RecordQuery query, CancellationToken ct);

    /// <summary>How many records match, order and limit aside.</summary>
    ValueTask<long> Count(string type, Condition where, CancellationToken ct);

    /// <summary>Counts, for each of some texts, the records that have it in a place of their keys; a text that none has is left out.</summary>
    /// <param name="type">The record type.</param>
    /// <param name="path">The place.</param>
    /// <param name="texts">The texts.</param>
    /// <param name="where">What must hold for a record to count; without <see cref="Condition.Linked"/>.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask<IReadOnlyDictionary<string, long>> CountEach(string type, KeyPath path, IReadOnlyCollection<string> texts, Condition where, CancellationToken ct);

    /// <summary>
    /// What <paramref name="make"/> makes of the records of one type. An adapter that sees every change of the partition may keep it until a
    /// record of the type changes; others make it each time. What it answers is never older than what a read begun now would see.
    /// </summary>
    /// <param name="type">The one type of records that is read to make it.</param>
    /// <param name="name">Tells apart what is made of the same type.</param>
    /// <param name="make">Reads this store and nothing else; what it answers is not changed any more. Null is not kept.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask<T?> Memoized<T>(string type, string name, Func<CancellationToken, ValueTask<T?>> make, CancellationToken ct)
        where T : class;

    /// <summary>Who holds a unique key, or null.</summary>
    /// <param name="uniqueKey">The unique key, e.g. <c>contact:email:jane@example.com</c>.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask<string?> FindOwner(string uniqueKey, CancellationToken ct);

    /// <summary>
    /// Stores all of a commit, or nothing. Once it answers <see cref="CommitResult.Done"/> the commit survives any crash; until then no
    /// reader, and no change feed, sees any part of it.
    /// </summary>
    ValueTask<CommitOutcome> Commit(Commit commit, CancellationToken ct);

    /// <summary>What <see cref="Commit"/> would answer now. Stores nothing.</summary>
    ValueTask<CommitOutcome> Check(Commit commit, CancellationToken ct);

    /// <summary>The answer given to a request, or null if there is none or it has passed its 24 hours.</summary>
    ValueTask<StoredAnswer?> FindAnswer(string key, CancellationToken ct);

    /// <summary>The event, or null if there is none or it has passed its 30 days.</summary>
    ValueTask<StoredEvent?> FindEvent(string id, CancellationToken ct);

    /// <summary>
    /// Events, oldest first, those of one record in the order of its versions: a reader that goes on from the last page's position never misses a
    /// late commit. Which of the events of one second and of the same version comes first may be decided by their ids, which rise.
    /// </summary>
    ValueTask<EventPage> ReadEvents(EventQuery query, CancellationToken ct);

    /// <summary>The events of one record, the last committed first.</summary>
    /// <param name="recordId">The record.</param>
    /// <param name="before">Only events committed before this one, by its id; null for all.</param>
    /// <param name="limit">The most events to answer.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask<IReadOnlyList<StoredEvent>> EventsOf(string recordId, string? before, int limit, CancellationToken ct);
}

/// <summary>Opens the store of a partition. Held by what decides whose data is at stake (authentication, feed consumers), by nothing else.</summary>
public interface IWorkspaceStores
{
    /// <param name="partition">The partition.</param>
    /// <param name="session">What to see at least, as <see cref="IWorkspaceStore.Session"/> had it; null for what this process has seen.</param>
    /// <exception cref="FormatException">The session has not the form that this kind of store gives it.</exception>
    IWorkspaceStore Open(Partition partition, string? session = null);
}

/// <summary>The backing service cannot answer now. Nothing was stored; the caller may try again.</summary>
public class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>When to try again, if the service said so.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
