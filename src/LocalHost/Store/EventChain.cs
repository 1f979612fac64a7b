namespace NodeStash.LocalHost.Store;

/// <summary>
/// The events of one record, as a chain: a record knows its last event, an event the one before it. An index would say the same, but be written to
/// at a random place with each event, where the record's own row is written anyway.
/// </summary>
internal static class EventChain
{
    /// <summary>The position of a record's last event; null where it has none. What is left of it may be past its time, or gone.</summary>
    public static long? Last(Session session, long partition, string recordId) => session.One(
        "SELECT last_event FROM records WHERE partition = ?1 AND id = ?2 UNION ALL SELECT position FROM last_events WHERE partition = ?1 AND record_id = ?2",
        Position, partition, recordId);

    /// <summary>The positions of a record's events, the last one first.</summary>
    /// <param name="session">In a snapshot.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="recordId">The record.</param>
    /// <param name="horizon">The last second whose events are past their time: from there on back there is nothing.</param>
    public static IEnumerable<long> Back(Session session, long partition, string recordId, long horizon)
    {
        for (var next = Last(session, partition, recordId); next is { } position;)
        {
            var (exists, previous) = session.One(
                "SELECT previous FROM events WHERE position = ?1 AND partition = ?2 AND at > ?3", row => (true, Position(row)), position, partition, horizon);
            if (!exists) yield break;
            yield return position;
            next = previous;
        }
    }

    /// <summary>Makes an event the last one of a record that is not being written: one that is gone, or that never was.</summary>
    public static void SetLast(Session session, long partition, string recordId, long position)
    {
        if (session.Execute("UPDATE records SET last_event = ?3 WHERE partition = ?1 AND id = ?2", partition, recordId, position) == 1) return;
        // An event that was removed already would never be forgotten.
        session.Execute(
            """
            INSERT INTO last_events (partition, record_id, position) SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM events WHERE position = ?3)
            ON CONFLICT DO UPDATE SET position = ?3
            """,
            partition, recordId, position);
    }

    /// <summary>Forgets an event that was removed, where it was the last one of a record that is gone.</summary>
    public static void Forget(Session session, long partition, string recordId, long position) => session.Execute(
        "DELETE FROM last_events WHERE partition = ?1 AND record_id = ?2 AND position = ?3", partition, recordId, position);

    private static long? Position(Row row) => row.IsNull(0) ? null : row.GetInt64(0);
}
