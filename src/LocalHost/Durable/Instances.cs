using System.Text.Json;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using NodeStash.LocalHost.Store;

namespace NodeStash.LocalHost.Durable;

/// <summary>Reads and changes instances for clients.</summary>
internal static class Instances
{
    private const string Columns =
        """
        id, execution, name, version, status, turns, seen, created, updated, start_at, finished, input, output, failure, custom_status, tags, trace,
        parent_id, parent_execution, parent_name, parent_task
        """;

    private const string MatchesFilter =
        """
        (?1 IS NULL OR created >= ?1) AND (?2 IS NULL OR created <= ?2) AND (?3 IS NULL OR status IN (SELECT value FROM json_each(?3)))
        """;

    /// <summary>Creates a pending instance with a new execution.</summary>
    /// <param name="startAt">When it starts, in UTC ticks; null for at once.</param>
    public static Instance New(string id, string name, string version, string? input, string? tags, long? startAt, long now, string? trace, Parent? parent) =>
        new(
        id, Execution.NewId(), name, version, OrchestrationRuntimeStatus.Pending, 0, 0, now, now, startAt, null, input, null, null, null, tags, trace, parent);

    /// <summary>Finds an instance; null if there is none with that id.</summary>
    public static Instance? Find(Session session, string id) => session.One($"SELECT {Columns} FROM instances WHERE id = ?1", Read, id);

    /// <summary>Lists up to <paramref name="limit"/> matching instances with ids after <paramref name="after"/>, in order of id.</summary>
    public static List<Instance> List(Session session, OrchestrationQuery query, string after, int limit) => session.All(
        $"SELECT {Columns} FROM instances WHERE {MatchesFilter} AND id > ?4 AND id >= ?5 AND (?5 = '' OR id < ?6) ORDER BY id LIMIT ?7",
        Read,
        query.CreatedFrom?.UtcTicks, query.CreatedTo?.UtcTicks, Numbers(query.Statuses), after,
        query.InstanceIdPrefix ?? "", query.InstanceIdPrefix + "\U0010FFFF", (long)limit);

    /// <summary>Starts an instance. Replaces one with the same id, unless its status is protected.</summary>
    /// <exception cref="InvalidOperationException">An instance with the id has one of the protected statuses.</exception>
    public static CommitSignals Start(Session session, Instance instance, IReadOnlySet<OrchestrationRuntimeStatus> protectedStatuses, long now)
    {
        var signals = new CommitSignals();
        if (Journal.FindState(session, instance.Id) is { } existing)
        {
            if (protectedStatuses.Contains(existing.Status))
                throw new InvalidOperationException($"An orchestration with the instance id '{instance.Id}' already exists; it is {existing.Status}.");
            if (!existing.IsFinished) Journal.Finish(session, instance.Id, OrchestrationRuntimeStatus.Terminated, null, null, now, signals);
        }

        Journal.Start(session, instance, signals);
        return signals;
    }

    /// <summary>Terminates an instance. Ignores one that has finished or is unknown.</summary>
    public static CommitSignals Terminate(Session session, string id, string? output, bool recursive, long now)
    {
        var signals = new CommitSignals();
        if (Journal.FindState(session, id) is not { IsFinished: false }) return signals;
        var children = recursive ? Descendants(session, id) : [];
        Journal.Finish(session, id, OrchestrationRuntimeStatus.Terminated, output, null, now, signals);
        foreach (var child in children) Journal.Finish(session, child, OrchestrationRuntimeStatus.Terminated, output, null, now, signals);
        return signals;
    }

    public static void Suspend(Session session, string id, long now) => session.Execute(
        "UPDATE instances SET status = ?2, updated = ?3 WHERE id = ?1 AND finished IS NULL", id, (long)OrchestrationRuntimeStatus.Suspended, now);

    /// <summary>Resumes an instance; false if it was not suspended.</summary>
    public static bool Resume(Session session, string id, long now) => session.Execute(
        "UPDATE instances SET status = CASE turns WHEN 0 THEN ?2 ELSE ?3 END, updated = ?4 WHERE id = ?1 AND status = ?5",
        id, (long)OrchestrationRuntimeStatus.Pending, (long)OrchestrationRuntimeStatus.Running, now, (long)OrchestrationRuntimeStatus.Suspended) > 0;

    /// <summary>Purges a finished instance and, if recursive, its finished sub-orchestrations. Returns the number purged.</summary>
    public static int Purge(Session session, string id, bool recursive) => session.Execute(
        """
        WITH RECURSIVE tree (id) AS (
          SELECT id FROM instances WHERE id = ?1 AND finished IS NOT NULL
          UNION SELECT i.id FROM instances i JOIN tree ON i.parent_id = tree.id WHERE ?2 AND i.finished IS NOT NULL)
        DELETE FROM instances WHERE id IN (SELECT id FROM tree)
        """,
        id, recursive ? 1L : 0L);

    /// <summary>Lists up to <paramref name="limit"/> finished instances that match.</summary>
    public static List<string> Purgeable(Session session, PurgeInstancesFilter filter, int limit) => session.All(
        $"SELECT id FROM instances WHERE {MatchesFilter} AND finished IS NOT NULL LIMIT ?4",
        row => row.GetString(0), filter.CreatedFrom?.UtcTicks, filter.CreatedTo?.UtcTicks, Numbers(filter.Statuses), (long)limit);

    /// <summary>
    /// Purges up to <paramref name="limit"/> instances that finished before <paramref name="before"/> (UTC ticks). Returns the number purged.
    /// </summary>
    public static int PurgeOld(Session session, long before, int limit) => session.Execute(
        "DELETE FROM instances WHERE rowid IN (SELECT rowid FROM instances WHERE finished < ?1 ORDER BY finished LIMIT ?2)", before, (long)limit);

    public static OrchestrationMetadata Describe(Instance instance, DataConverter converter, bool withPayloads) => new(instance.Name, instance.Id)
    {
        DataConverter = withPayloads ? converter : null,
        RuntimeStatus = instance.Status,
        CreatedAt = new DateTimeOffset(instance.Created, TimeSpan.Zero),
        LastUpdatedAt = new DateTimeOffset(instance.Updated, TimeSpan.Zero),
        SerializedInput = withPayloads ? instance.Input : null,
        SerializedOutput = withPayloads ? instance.Output : null,
        SerializedCustomStatus = withPayloads ? instance.CustomStatus : null,
        Tags = Tags.Read(instance.Tags),
        FailureDetails = instance.Failure is null ? null : Failures.Read(instance.Failure),
    };

    private static List<string> Descendants(Session session, string id) => session.All(
        """
        WITH RECURSIVE tree (id) AS (
          SELECT id FROM instances WHERE parent_id = ?1 AND finished IS NULL
          UNION SELECT i.id FROM instances i JOIN tree ON i.parent_id = tree.id WHERE i.finished IS NULL)
        SELECT id FROM tree
        """,
        row => row.GetString(0), id);

    private static Instance Read(Row row) => new(
        row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3), (OrchestrationRuntimeStatus)row.GetInt32(4), row.GetInt32(5), row.GetInt64(6),
        row.GetInt64(7), row.GetInt64(8), row.IsNull(9) ? null : row.GetInt64(9), row.IsNull(10) ? null : row.GetInt64(10),
        row.GetText(11), row.GetText(12), row.GetText(13), row.GetText(14), row.GetText(15), row.GetText(16),
        row.IsNull(17) ? null : new Parent(row.GetString(17), row.GetString(18), row.GetString(19), row.GetInt32(20)));

    private static string? Numbers(IEnumerable<OrchestrationRuntimeStatus>? statuses) =>
        statuses is null ? null : JsonSerializer.Serialize(statuses.Select(status => (int)status));
}
