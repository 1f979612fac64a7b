using System.Text.Json;
using Microsoft.DurableTask.Client;
using NodeStash.LocalHost.Store;

namespace NodeStash.LocalHost.Durable;

/// <summary>
/// Reads and writes instances and their history in SQL. A running instance has a history: its turns and their events. The history is deleted when the
/// instance finishes; its row stays until it is purged. Every method is one step of its caller's transaction.
/// </summary>
internal static class Journal
{
    /// <summary>The task number of the timer that delays an instance's first turn.</summary>
    private const int StartTimer = -1;

    public static readonly IReadOnlyList<string> Migrations =
    [
        """
        CREATE TABLE instances (
          id TEXT PRIMARY KEY, execution TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, status INTEGER NOT NULL,
          turns INTEGER NOT NULL, seen INTEGER NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL, start_at INTEGER, finished INTEGER,
          input TEXT, output TEXT, failure TEXT, custom_status TEXT, tags TEXT, trace TEXT,
          parent_id TEXT, parent_execution TEXT, parent_name TEXT, parent_task INTEGER);
        CREATE INDEX instances_unfinished ON instances (id) WHERE finished IS NULL;
        CREATE INDEX instances_finished ON instances (finished) WHERE finished IS NOT NULL;
        CREATE INDEX instances_parent ON instances (parent_id) WHERE parent_id IS NOT NULL;
        CREATE TABLE events (
          seq INTEGER PRIMARY KEY AUTOINCREMENT, instance TEXT NOT NULL, kind INTEGER NOT NULL, task INTEGER NOT NULL, name TEXT, payload TEXT, at INTEGER NOT NULL);
        CREATE INDEX events_instance ON events (instance, seq);
        CREATE TABLE turns (
          instance TEXT NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, seen INTEGER NOT NULL, asked TEXT NOT NULL,
          PRIMARY KEY (instance, number)) WITHOUT ROWID;
        CREATE TABLE activities (
          id INTEGER PRIMARY KEY AUTOINCREMENT, instance TEXT NOT NULL, execution TEXT NOT NULL, task INTEGER NOT NULL, name TEXT NOT NULL, input TEXT, trace TEXT);
        CREATE TABLE timers (
          instance TEXT NOT NULL, execution TEXT NOT NULL, task INTEGER NOT NULL, fire_at INTEGER NOT NULL,
          PRIMARY KEY (instance, execution, task)) WITHOUT ROWID;
        CREATE INDEX timers_due ON timers (fire_at);
        """,
    ];

    public static InstanceState? FindState(Session session, string id) => session.One(
        "SELECT execution, status, turns, seen, start_at IS NOT NULL, finished IS NOT NULL FROM instances WHERE id = ?1",
        row => new InstanceState(
            row.GetString(0), (OrchestrationRuntimeStatus)row.GetInt32(1), row.GetInt32(2), row.GetInt64(3), row.GetBoolean(4), row.GetBoolean(5)),
        id);

    public static List<HistoryEvent> ListEvents(Session session, string id, long after, long upTo) => session.All(
        "SELECT seq, kind, task, name, payload, at FROM events WHERE instance = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq",
        row => new HistoryEvent(row.GetInt64(0), (EventKind)row.GetInt32(1), row.GetInt32(2), row.GetText(3), row.GetText(4), row.GetInt64(5)),
        id, after, upTo);

    public static List<RecordedTurn> ListTurns(Session session, string id) => session.All(
        "SELECT at, seen, asked FROM turns WHERE instance = ?1 ORDER BY number",
        row => new RecordedTurn(row.GetInt64(0), row.GetInt64(1), JsonSerializer.Deserialize<string[]>(row.GetString(2))!),
        id);

    /// <summary>Lists the unfinished instances with events that no turn has processed. The start timer wakes instances that wait for their start.</summary>
    public static List<string> ListReady(Session session) => session.All(
        """
        SELECT id FROM instances i WHERE finished IS NULL AND start_at IS NULL
          AND (turns = 0 OR EXISTS (SELECT 1 FROM events e WHERE e.instance = i.id AND e.seq > i.seen))
        """,
        row => row.GetString(0));

    public static List<long> ListPendingActivities(Session session) => session.All("SELECT id FROM activities ORDER BY id", row => row.GetInt64(0));

    /// <summary>Finds an activity call; null if its result is stored.</summary>
    public static ActivityCall? FindActivity(Session session, long id) => session.One(
        "SELECT id, instance, name, input, trace FROM activities WHERE id = ?1",
        row => new ActivityCall(row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetText(3), row.GetText(4)),
        id);

    /// <summary>Removes a call and adds its result to the history of the orchestration, if that still runs.</summary>
    public static CommitSignals CompleteActivity(Session session, long id, EventKind kind, string? payload, long now)
    {
        var signals = new CommitSignals();
        var call = session.One("DELETE FROM activities WHERE id = ?1 RETURNING instance, execution, task",
            row => new Parent(row.GetString(0), row.GetString(1), "", row.GetInt32(2)), id);
        if (call is not null) AddResult(session, call, kind, payload, now, signals);
        return signals;
    }

    /// <summary>Fires up to <paramref name="limit"/> due timers, the oldest first. Returns how late each was.</summary>
    public static (CommitSignals Signals, List<TimeSpan> Lags) FireTimers(Session session, long now, int limit)
    {
        var signals = new CommitSignals();
        var lags = new List<TimeSpan>();
        var due = session.All(
            "SELECT instance, execution, task, fire_at FROM timers WHERE fire_at <= ?1 ORDER BY fire_at LIMIT ?2",
            row => (Call: new Parent(row.GetString(0), row.GetString(1), "", row.GetInt32(2)), FireAt: row.GetInt64(3)),
            now, (long)limit);
        foreach (var (call, fireAt) in due)
        {
            session.Execute("DELETE FROM timers WHERE instance = ?1 AND execution = ?2 AND task = ?3", call.Id, call.Execution, (long)call.Task);
            if (call.Task == StartTimer)
            {
                session.Execute("UPDATE instances SET start_at = NULL WHERE id = ?1 AND execution = ?2", call.Id, call.Execution);
                signals.ReadyInstances.Add(call.Id);
            }
            else
            {
                AddResult(session, call, EventKind.TimerFired, null, now, signals);
            }

            lags.Add(TimeSpan.FromTicks(now - fireAt));
        }

        return (signals, lags);
    }

    /// <summary>Reads when the next timer is due, in UTC ticks; <see cref="long.MaxValue"/> for none.</summary>
    public static long NextTimer(Session session) => session.One("SELECT min(fire_at) FROM timers", row => row.IsNull(0) ? long.MaxValue : row.GetInt64(0));

    /// <summary>Writes a turn and its actions. Returns null and writes nothing if the instance has changed since the turn began.</summary>
    public static CommitSignals? Commit(Session session, Turn turn)
    {
        var taken = session.Execute(
            """
            UPDATE instances SET turns = turns + 1, seen = ?4, updated = ?5, custom_status = ?6, status = CASE status WHEN ?7 THEN ?8 ELSE status END
            WHERE id = ?1 AND execution = ?2 AND turns = ?3 AND finished IS NULL
            """,
            turn.InstanceId, turn.Execution, (long)turn.Number, turn.Seen, turn.At, turn.CustomStatus,
            (long)OrchestrationRuntimeStatus.Pending, (long)OrchestrationRuntimeStatus.Running);
        if (taken == 0) return null;

        var signals = new CommitSignals();
        if (turn.Number == 0) signals.ChangedInstances.Add(turn.InstanceId);
        foreach (var action in turn.Actions) Apply(session, turn, action, signals);
        switch (turn.Ending)
        {
            case null:
                foreach (var task in turn.CancelledTimers)
                    session.Execute("DELETE FROM timers WHERE instance = ?1 AND execution = ?2 AND task = ?3", turn.InstanceId, turn.Execution, (long)task);
                session.Execute(
                    "INSERT INTO turns (instance, number, at, seen, asked) VALUES (?1, ?2, ?3, ?4, ?5)",
                    turn.InstanceId, (long)turn.Number, turn.At, turn.Seen, JsonSerializer.Serialize(turn.Actions.Select(action => action.Label)));
                break;
            case Completion { Output: var output }:
                Finish(session, turn.InstanceId, OrchestrationRuntimeStatus.Completed, output, null, turn.At, signals);
                break;
            case Failure { Details: var details }:
                Finish(session, turn.InstanceId, OrchestrationRuntimeStatus.Failed, null, details, turn.At, signals);
                break;
            case ContinuedAsNew next:
                ContinueAsNew(session, turn, next, signals);
                break;
        }

        return signals;
    }

    public static bool RaiseEvent(Session session, string id, string name, string? payload, long now) => session.Execute(
        "INSERT INTO events (instance, kind, task, name, payload, at) SELECT id, ?2, -1, ?3, ?4, ?5 FROM instances WHERE id = ?1 AND finished IS NULL",
        id, (long)EventKind.EventRaised, name, payload, now) > 0;

    /// <summary>Adds an instance. Replaces a finished one with the same id.</summary>
    public static void Start(Session session, Instance instance, CommitSignals signals)
    {
        var parent = instance.Parent;
        var startAt = instance.StartAt > instance.Created ? instance.StartAt : null;
        session.Execute(
            """
            INSERT OR REPLACE INTO instances (id, execution, name, version, status, turns, seen, created, updated, start_at, input, tags, trace,
              parent_id, parent_execution, parent_name, parent_task)
            VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, ?6, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
            """,
            instance.Id, instance.Execution, instance.Name, instance.Version, (long)OrchestrationRuntimeStatus.Pending, instance.Created, startAt,
            instance.Input, instance.Tags, instance.Trace, parent?.Id, parent?.Execution, parent?.Name, (long?)parent?.Task);
        signals.ChangedInstances.Add(instance.Id);
        if (startAt is { } later) AddTimer(session, instance.Id, instance.Execution, StartTimer, later, signals);
        else signals.ReadyInstances.Add(instance.Id);
    }

    /// <summary>Finishes an instance, deletes its history, and adds the result to the history of its parent.</summary>
    public static void Finish(Session session, string id, OrchestrationRuntimeStatus status, string? output, string? failure, long now, CommitSignals signals)
    {
        session.Execute(
            "UPDATE instances SET status = ?2, output = ?3, failure = ?4, finished = ?5, updated = ?5 WHERE id = ?1",
            id, (long)status, output, failure, now);
        session.Execute("DELETE FROM turns WHERE instance = ?1", id);
        session.Execute("DELETE FROM events WHERE instance = ?1", id);
        session.Execute("DELETE FROM timers WHERE instance = ?1", id);
        signals.ChangedInstances.Add(id);

        var parent = session.One(
            "SELECT parent_id, parent_execution, parent_name, parent_task FROM instances WHERE id = ?1 AND parent_id IS NOT NULL",
            row => new Parent(row.GetString(0), row.GetString(1), row.GetString(2), row.GetInt32(3)), id);
        if (parent is null) return;
        if (status == OrchestrationRuntimeStatus.Completed) AddResult(session, parent, EventKind.TaskCompleted, output, now, signals);
        else AddResult(session, parent, EventKind.TaskFailed,
            failure ?? Failures.Write(Failures.FromException(new OperationCanceledException($"Orchestration '{id}' was terminated."))), now, signals);
    }

    private static void ContinueAsNew(Session session, Turn turn, ContinuedAsNew next, CommitSignals signals)
    {
        session.Execute(
            """
            UPDATE instances SET execution = ?2, turns = 0, seen = 0, custom_status = NULL, input = ?3, version = coalesce(?4, version) WHERE id = ?1
            """,
            turn.InstanceId, Execution.NewId(), next.Input, next.Version);
        session.Execute("DELETE FROM turns WHERE instance = ?1", turn.InstanceId);
        session.Execute("DELETE FROM timers WHERE instance = ?1", turn.InstanceId);
        session.Execute(
            "DELETE FROM events WHERE instance = ?1 AND (kind <> ?2 OR (seq <= ?3 AND seq NOT IN (SELECT value FROM json_each(?4))))",
            turn.InstanceId, (long)EventKind.EventRaised, turn.Seen, JsonSerializer.Serialize(next.Kept));
        signals.ReadyInstances.Add(turn.InstanceId);
    }

    private static void Apply(Session session, Turn turn, OrchestratorAction action, CommitSignals signals)
    {
        switch (action)
        {
            case CallActivity call:
                signals.ActivityCalls.Add(session.One(
                    "INSERT INTO activities (instance, execution, task, name, input, trace) VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id",
                    row => row.GetInt64(0), turn.InstanceId, turn.Execution, (long)call.Task, call.Name, call.Input, turn.Trace));
                break;
            case SetTimer timer when turn.Ending is null:
                AddTimer(session, turn.InstanceId, turn.Execution, timer.Task, timer.FireAt, signals);
                break;
            case SendEvent sent:
                if (RaiseEvent(session, sent.InstanceId, sent.Name, sent.Payload, turn.At)) signals.ReadyInstances.Add(sent.InstanceId);
                break;
            case CallSubOrchestrator call:
                var parent = new Parent(turn.InstanceId, turn.Execution, turn.Name, call.Task);
                if (FindState(session, call.InstanceId) is { IsFinished: false })
                {
                    var problem = Failures.FromException(
                        new InvalidOperationException($"An orchestration with the instance id '{call.InstanceId}' is already running."));
                    AddResult(session, parent, EventKind.TaskFailed, Failures.Write(problem), turn.At, signals);
                    break;
                }

                Start(session, Instances.New(call.InstanceId, call.Name, call.Version, call.Input, call.Tags, null, turn.At, turn.Trace, parent), signals);
                break;
        }
    }

    private static void AddTimer(Session session, string id, string execution, int task, long fireAt, CommitSignals signals)
    {
        session.Execute("INSERT INTO timers (instance, execution, task, fire_at) VALUES (?1, ?2, ?3, ?4)", id, execution, (long)task, fireAt);
        signals.EarliestTimer = Math.Min(signals.EarliestTimer, fireAt);
    }

    /// <summary>Adds the result of a call or timer to the history of its execution, unless that has ended.</summary>
    private static void AddResult(Session session, Parent call, EventKind kind, string? payload, long now, CommitSignals signals)
    {
        var wanted = session.Execute(
            "INSERT INTO events (instance, kind, task, payload, at) SELECT id, ?3, ?4, ?5, ?6 FROM instances WHERE id = ?1 AND execution = ?2 AND "
                + "finished IS NULL",
            call.Id, call.Execution, (long)kind, (long)call.Task, payload, now);
        if (wanted > 0) signals.ReadyInstances.Add(call.Id);
    }
}
