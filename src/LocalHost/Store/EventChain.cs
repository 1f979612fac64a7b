namespace NodeStash.LocalHost.Store;

/// <summary>
/// Links the events of a record as a chain: a record names its last event, and an event the one before it. An index would need a write at a random place
/// for each event; the row of the record is written anyway.
/// </summary>
internal static class EventChain
{
    /// <summary>Finds the position of a record's last event; null for none. The event may have expired or been removed.</summary>
    public static long? FindLast(Session session, long partition, string recordId) => session.One(
        "SELECT last_event FROM records WHERE partition = ?1 AND id = ?2 UNION ALL SELECT position FROM last_events WHERE partition = ?1 AND record_id = ?2",
        Position, partition, recordId);

    /// <summary>Lists the positions of a record's events, the last one first.</summary>
    /// <param name="session">A session in a snapshot.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="recordId">The record.</param>
    /// <param name="lastExpiredSecond">The last second whose events have expired: the list ends there.</param>
    public static IEnumerable<long> ListBackwards(Session session, long partition, string recordId, long lastExpiredSecond)
    {
        for (var next = FindLast(session, partition, recordId); next is { } position;)
        {
            var (exists, previous) = session.One(
                "SELECT previous FROM events WHERE position = ?1 AND partition = ?2 AND at > ?3", row => (true, Position(row)),
                position, partition, lastExpiredSecond);
            if (!exists) yield break;
            yield return position;
            next = previous;
        }
    }

    /// <summary>Sets the last event of a record that the commit does not write, or that does not exist.</summary>
    public static void SetLast(Session session, long partition, string recordId, long position)
    {
        if (session.Execute("UPDATE records SET last_event = ?3 WHERE partition = ?1 AND id = ?2", partition, recordId, position) == 1) return;
        // Skip an event that was removed already: nothing would delete its row later.
        session.Execute(
            """
            INSERT INTO last_events (partition, record_id, position) SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM events WHERE position = ?3)
            ON CONFLICT DO UPDATE SET position = ?3
            """,
            partition, recordId, position);
    }

    /// <summary>Deletes the row of a removed event that was the last one of a removed record.</summary>
    public static void Forget(Session session, long partition, string recordId, long position) => session.Execute(
        "DELETE FROM last_events WHERE partition = ?1 AND record_id = ?2 AND position = ?3", partition, recordId, position);

    private static long? Position(Row row) => row.IsNull(0) ? null : row.GetInt64(0);
}
