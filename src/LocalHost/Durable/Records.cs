using Microsoft.DurableTask.Client;

namespace NodeStash.LocalHost.Durable;

/// <summary>Row of an orchestration instance. Times are UTC ticks.</summary>
/// <param name="Id">Unique among all instances.</param>
/// <param name="Execution">Id of the execution. ContinueAsNew changes it; results for an earlier execution are ignored.</param>
/// <param name="Turns">Number of turns of this execution.</param>
/// <param name="Seen">Number of the last event that those turns have processed.</param>
/// <param name="StartAt">Earliest time of the first turn; null if it need not wait.</param>
/// <param name="Finished">When it finished; null if it has not.</param>
/// <param name="Failure">Failure details as JSON; null if it did not fail.</param>
/// <param name="Tags">Tags as a JSON object; null for none.</param>
/// <param name="Trace">W3C trace parent of the caller that started it; null if not traced.</param>
internal sealed record Instance(
    string Id, string Execution, string Name, string Version, OrchestrationRuntimeStatus Status, int Turns, long Seen,
    long Created, long Updated, long? StartAt, long? Finished,
    string? Input, string? Output, string? Failure, string? CustomStatus, string? Tags, string? Trace, Parent? Parent);

/// <summary>Identifies a pending task of an execution: the call that receives a result, or a timer.</summary>
internal sealed record Parent(string Id, string Execution, string Name, int Task);

/// <summary>State that decides whether an instance can take a turn, and whether a cached execution is current.</summary>
internal sealed record InstanceState(string Execution, OrchestrationRuntimeStatus Status, int Turns, long Seen, bool AwaitsStart, bool IsFinished);

/// <summary>Kind of a history event. Stored as a number.</summary>
internal enum EventKind
{
    TaskCompleted,
    TaskFailed,
    TimerFired,
    EventRaised,
}

/// <summary>History event of an instance, ordered by <paramref name="Seq"/>.</summary>
/// <param name="Task">Number of the call or timer; -1 for a raised event.</param>
/// <param name="Name">Name of a raised event; else null.</param>
/// <param name="Payload">The result or event as JSON, or the failure; null for none.</param>
internal sealed record HistoryEvent(long Seq, EventKind Kind, int Task, string? Name, string? Payload, long At);

/// <summary>Turn in the history: its time, the last event it processed, and the labels of its actions, in order.</summary>
internal sealed record RecordedTurn(long At, long Seen, IReadOnlyList<string> ActionLabels);

/// <summary>Action of an orchestrator, numbered in order within its execution. The label is stored in the history.</summary>
internal abstract record OrchestratorAction(int Task, string Label);

internal sealed record CallActivity(int Task, string Name, string? Input) : OrchestratorAction(Task, $"activity '{Name}'");

/// <param name="Tags">Tags as a JSON object; null for none.</param>
internal sealed record CallSubOrchestrator(
    int Task, string Name, string Version, string InstanceId, string? Input, string? Tags) : OrchestratorAction(Task, $"sub-orchestration '{Name}'");

internal sealed record SetTimer(int Task, long FireAt) : OrchestratorAction(Task, "timer");

internal sealed record SendEvent(int Task, string InstanceId, string Name, string? Payload) : OrchestratorAction(Task, $"event '{Name}'");

/// <summary>End of an execution. Null in a <see cref="Turn"/> if the execution continues.</summary>
internal abstract record Ending;

internal sealed record Completion(string? Output) : Ending;

internal sealed record Failure(string Details) : Ending;

/// <param name="Kept">Numbers of the events passed to the next execution, besides those that no turn has processed.</param>
internal sealed record ContinuedAsNew(string? Input, string? Version, IReadOnlyList<long> Kept) : Ending;

/// <summary>Turn to be committed.</summary>
/// <param name="Number">Number of earlier turns in this execution. If the number on disk differs, nothing is written.</param>
internal sealed record Turn(
    string InstanceId, string Execution, string Name, int Number, long At, long Seen,
    IReadOnlyList<OrchestratorAction> Actions, IReadOnlyList<int> CancelledTimers, string? CustomStatus, string? Trace, Ending? Ending);

/// <summary>Pending call of an activity function.</summary>
internal sealed record ActivityCall(long Id, string InstanceId, string Name, string? Input, string? Trace);

/// <summary>Collects the in-memory signals to send once a transaction is on disk.</summary>
internal sealed class CommitSignals
{
    /// <summary>Instances that can take a turn.</summary>
    public List<string> ReadyInstances { get; } = [];

    /// <summary>Activity calls that were added.</summary>
    public List<long> ActivityCalls { get; } = [];

    /// <summary>Instances whose status changed, for clients that wait.</summary>
    public List<string> ChangedInstances { get; } = [];

    /// <summary>Due time of the earliest timer that was added, in UTC ticks; <see cref="long.MaxValue"/> for none.</summary>
    public long EarliestTimer { get; set; } = long.MaxValue;
}
