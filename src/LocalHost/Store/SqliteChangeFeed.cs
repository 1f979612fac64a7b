using NodeStash.Core.Events;
using NodeStash.LocalHost.Triggers;

namespace NodeStash.LocalHost.Store;

/// <summary>
/// Reads the events of all partitions in commit order, and stores how far each lease has read. There is one writer, so later events have higher positions
/// and a reader that continues from a position misses none.
/// </summary>
public sealed class SqliteChangeFeed : IChangeFeed
{
    /// <summary>Finds the events after a position that every lease has passed.</summary>
    public const string Passed =
        """
        SELECT position, partition, record_id, at FROM events
        WHERE position > ?1 AND position <= ifnull((SELECT min(position) FROM leases), 0x7fffffffffffffff) ORDER BY position LIMIT ?2
        """;

    private readonly Database database;
    private readonly Lock gate = new();
    private long newest;
    private TaskCompletionSource next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="database">Opened with <see cref="Schema.Open"/>.</param>
    public SqliteChangeFeed(Database database)
    {
        this.database = database;
        newest = database.Read(session => session.One("SELECT max(position) FROM events", row => row.IsNull(0) ? 0 : row.GetInt64(0)));
    }

    /// <summary>Reads events after a position, oldest first.</summary>
    /// <param name="after">The position; 0 for the beginning.</param>
    /// <param name="limit">Maximum number of events.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>Documents of type <see cref="EventDocument"/>, and the position of the last one, or <paramref name="after"/> for none.</returns>
    public ValueTask<FeedPage> Read(long after, int limit, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var rows = database.Read(session => session.All(
            """
            SELECT e.position, e.id, p.key, e.name, e.record_type, e.record_id, e.version
            FROM events e JOIN partitions p ON p.number = e.partition WHERE e.position > ?1 ORDER BY e.position LIMIT ?2
            """,
            row => (Position: row.GetInt64(0), Document: new EventDocument
            {
                Id = row.GetString(1),
                PartitionKey = row.GetString(2),
                Kind = EventDocument.EventKind,
                Name = row.GetString(3),
                RecordType = row.GetString(4),
                RecordId = row.GetString(5),
                Version = row.GetInt64(6),
            }),
            after, (long)limit));
        return new(new FeedPage([.. rows.Select(row => row.Document)], rows.Count > 0 ? rows[^1].Position : after));
    }

    /// <summary>Reads the position of a lease; 0 for a new one. From then on <see cref="Purge"/> keeps events that the lease has not read.</summary>
    public async ValueTask<long> Checkpoint(string lease, CancellationToken ct)
    {
        const string Select = "SELECT position FROM leases WHERE name = ?1";
        return database.Read(session => session.One(Select, row => (long?)row.GetInt64(0), lease))
            ?? await database.Write(
                session =>
                {
                    session.Execute("INSERT INTO leases (name, position) VALUES (?1, 0) ON CONFLICT DO NOTHING", lease);
                    return session.One(Select, row => row.GetInt64(0), lease);
                },
                ct);
    }

    /// <summary>Stores the position of a lease. An earlier position than the stored one changes nothing.</summary>
    public async ValueTask Advance(string lease, long position, CancellationToken ct) => await database.Write(
        session => session.Execute(
            "INSERT INTO leases (name, position) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET position = max(position, excluded.position)", lease,
            position),
        ct);

    /// <summary>Completes once an event after a position exists.</summary>
    public async Task Changed(long after, CancellationToken ct)
    {
        while (true)
        {
            Task changed;
            lock (gate)
            {
                if (newest > after) return;
                changed = next.Task;
            }

            await changed.WaitAsync(ct);
        }
    }

    /// <summary>Removes expired events that every lease has passed, the oldest first.</summary>
    /// <param name="olderThan">Events from this time on stay.</param>
    /// <param name="max">Maximum number removed, so that commits do not wait long.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>The number removed; fewer than <paramref name="max"/> means that none is left.</returns>
    public async ValueTask<int> Purge(DateTimeOffset olderThan, int max, CancellationToken ct)
    {
        var (removed, after) = (0, 0L);
        while (removed < max)
        {
            var (some, last) = await database.Write(session => Remove(session, olderThan.ToUnixTimeSeconds(), after, max, max - removed), ct);
            if (some == 0) break;
            (removed, after) = (removed + some, last);
        }

        return removed;
    }

    /// <summary>Signals waiting readers that events up to this position exist.</summary>
    internal void Signal(long position)
    {
        lock (gate)
        {
            if (position <= newest) return;
            newest = position;
            next.SetResult();
            next = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>
    /// Removes expired events from the next portion of the feed. Events are ordered by time, except after clock errors: if none of a portion has expired, none
    /// of the later ones has.
    /// </summary>
    private static (int Removed, long Last) Remove(Session session, long before, long after, int looked, int max)
    {
        var events = session.All(
            Passed, row => (Position: row.GetInt64(0), Partition: row.GetInt64(1), RecordId: row.GetString(2), At: row.GetInt64(3)), after, (long)looked);
        var past = events.Where(each => each.At < before).Take(max).ToList();
        foreach (var (position, partition, recordId, _) in past)
        {
            session.Execute("DELETE FROM events WHERE position = ?1", position);
            EventChain.Forget(session, partition, recordId, position);
        }

        return (past.Count, events.Count > 0 ? events[^1].Position : after);
    }
}
