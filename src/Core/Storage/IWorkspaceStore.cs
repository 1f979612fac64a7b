namespace NodeStash.Core.Storage;

/// <summary>
/// Reads and writes the records, unique keys, events and answers of one partition. An instance is bound to its partition when it is created. No
/// member names another partition, so no query can leave it.
/// </summary>
/// <remarks>
/// Adapters pass the contract suite in tests/Support/Contracts/Storage. All members throw <see cref="StoreUnavailableException"/> when the backing
/// service cannot answer.
/// </remarks>
public interface IWorkspaceStore
{
    /// <summary>The partition that the store reads and writes.</summary>
    Partition Partition { get; }

    /// <summary>
    /// Token of everything this store has read and written. A store that is opened with the token, in any process, sees at least that. Null if every
    /// store sees all writes anyway.
    /// </summary>
    string? Session { get; }

    /// <summary>This store with its archived records. A store that hides no records returns itself.</summary>
    IWorkspaceStore WithArchived => this;

    /// <summary>Finds a record, or null. One point read.</summary>
    ValueTask<StoredRecord?> Find(string type, string id, CancellationToken ct);

    /// <summary>Finds the type of the record with this id, archived or not; null if there is none. One point read.</summary>
    ValueTask<string?> TypeOf(string id, CancellationToken ct);

    /// <summary>Finds the records of these ids that exist, in no particular order.</summary>
    ValueTask<IReadOnlyList<StoredRecord>> FindMany(string type, IReadOnlyCollection<string> ids, CancellationToken ct);

    /// <summary>Returns a page of the records that match, in order, from one snapshot.</summary>
    ValueTask<RecordPage> Query(RecordQuery query, CancellationToken ct);

    /// <summary>Counts the records that match.</summary>
    ValueTask<long> Count(string type, Condition where, CancellationToken ct);

    /// <summary>Counts, for each text, the records that have it as a key. Texts that no record has are left out.</summary>
    /// <param name="type">The record type.</param>
    /// <param name="path">The key to compare.</param>
    /// <param name="texts">The values to count.</param>
    /// <param name="where">Counts only records that match; without <see cref="Condition.Linked"/>.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask<IReadOnlyDictionary<string, long>> CountEach(string type, KeyPath path, IReadOnlyCollection<string> texts, Condition where, CancellationToken ct);

    /// <summary>
    /// Returns a value computed from the records of one type. An adapter that sees every change of the partition may keep the value until a record of
    /// the type changes; others compute it each time. The value is never older than a read that begins now.
    /// </summary>
    /// <param name="type">The only record type that <paramref name="make"/> reads.</param>
    /// <param name="name">Tells values of the same type apart.</param>
    /// <param name="make">Computes the value from this store alone. The value must not be changed afterwards. Null is not kept.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask<T?> Memoized<T>(string type, string name, Func<CancellationToken, ValueTask<T?>> make, CancellationToken ct)
        where T : class;

    /// <summary>Finds the id of the record that holds a unique key, or null.</summary>
    /// <param name="uniqueKey">The unique key, e.g. <c>contact:email:jane@example.com</c>.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask<string?> FindOwner(string uniqueKey, CancellationToken ct);

    /// <summary>
    /// Stores all of a commit, or nothing. Once it returns <see cref="CommitResult.Done"/> the commit survives any crash. Before that, no reader and
    /// no change feed sees any part of it.
    /// </summary>
    ValueTask<CommitOutcome> Commit(Commit commit, CancellationToken ct);

    /// <summary>Returns what <see cref="Commit"/> would return now. Stores nothing.</summary>
    ValueTask<CommitOutcome> Check(Commit commit, CancellationToken ct);

    /// <summary>Finds the answer given to a request; null if there is none or it is older than <see cref="StoredAnswer.Retention"/>.</summary>
    ValueTask<StoredAnswer?> FindAnswer(string key, CancellationToken ct);

    /// <summary>Finds an event; null if there is none or it is older than <see cref="StoredEvent.Retention"/>.</summary>
    ValueTask<StoredEvent?> FindEvent(string id, CancellationToken ct);

    /// <summary>
    /// Reads events, oldest first; events of one record come in the order of its versions. A reader that continues from the position of the last page
    /// never misses a late commit. Ids, which rise, may order the events of one second or of one version.
    /// </summary>
    ValueTask<EventPage> ReadEvents(EventQuery query, CancellationToken ct);

    /// <summary>Lists the events of one record, last committed first.</summary>
    /// <param name="recordId">The record.</param>
    /// <param name="before">Lists only events committed before the event of this id; null for all.</param>
    /// <param name="limit">The most events to answer.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask<IReadOnlyList<StoredEvent>> EventsOf(string recordId, string? before, int limit, CancellationToken ct);
}

/// <summary>Opens the store of a partition. Only code that decides whose data is accessed holds it: authentication and feed consumers.</summary>
public interface IWorkspaceStores
{
    /// <summary>Opens the store of a partition.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="session">The <see cref="IWorkspaceStore.Session"/> to see at least; null to see what this process has seen.</param>
    /// <exception cref="FormatException">The session is not one that this kind of store creates.</exception>
    IWorkspaceStore Open(Partition partition, string? session = null);
}

/// <summary>Thrown when the backing service cannot answer now. Nothing was stored; the caller may try again.</summary>
public class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>How long to wait before trying again; null if the service did not say.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
