using Microsoft.DurableTask.Client;

namespace NodeStash.LocalHost.Durable;

/// <summary>An orchestration as it stands on disk. Times are UTC ticks.</summary>
/// <param name="Id">Unique among all instances.</param>
/// <param name="Execution">Changes whenever the history starts afresh: what was meant for an earlier execution no longer counts.</param>
/// <param name="Turns">How many turns the orchestrator has taken in this execution.</param>
/// <param name="Seen">The last event those turns have taken in.</param>
/// <param name="StartAt">Its first turn waits for this time; null: it waits no longer.</param>
/// <param name="Finished">When it reached its end; null: it has not.</param>
/// <param name="Failure">Why it failed, as JSON; null: it did not.</param>
/// <param name="Tags">A JSON object; null: none.</param>
/// <param name="Trace">The W3C trace parent of the caller that started it; null: not traced.</param>
internal sealed record Instance(
    string Id, string Execution, string Name, string Version, OrchestrationRuntimeStatus Status, int Turns, long Seen,
    long Created, long Updated, long? StartAt, long? Finished,
    string? Input, string? Output, string? Failure, string? CustomStatus, string? Tags, string? Trace, Parent? Parent);

/// <summary>The call that an orchestration answers when it finishes.</summary>
internal sealed record Parent(string Id, string Execution, string Name, int Task);

/// <summary>What decides whether an instance can take a turn, and on which cached execution.</summary>
internal sealed record Head(string Execution, OrchestrationRuntimeStatus Status, int Turns, long Seen, bool AwaitsStart, bool IsFinished);

internal enum EventKind
{
    Answered,
    Failed,
    Fired,
    Raised,
}

/// <summary>Something that happened to an instance, in the order of <paramref name="Seq"/>.</summary>
/// <param name="Task">The call or timer that it concerns; -1 for a raised event.</param>
/// <param name="Name">Of a raised event; else null.</param>
/// <param name="Payload">The answer or event as JSON, or the failure; null: none.</param>
internal sealed record Occurrence(long Seq, EventKind Kind, int Task, string? Name, string? Payload, long At);

/// <summary>A turn the orchestrator has taken: when, up to which event, and the labels of what it asked for, in order.</summary>
internal sealed record PastTurn(long At, long Seen, IReadOnlyList<string> Asked);

/// <summary>What an orchestrator asked for, numbered in order within its execution.</summary>
internal abstract record Ask(int Task, string Label);

internal sealed record CallActivity(int Task, string Name, string? Input) : Ask(Task, $"activity '{Name}'");

/// <param name="Tags">A JSON object; null: none.</param>
internal sealed record CallSubOrchestrator(
    int Task, string Name, string Version, string InstanceId, string? Input, string? Tags) : Ask(Task, $"sub-orchestration '{Name}'");

internal sealed record SetTimer(int Task, long FireAt) : Ask(Task, "timer");

internal sealed record SendEvent(int Task, string InstanceId, string Name, string? Payload) : Ask(Task, $"event '{Name}'");

/// <summary>How an execution ends. Null in a <see cref="Turn"/>: it goes on.</summary>
internal abstract record Ending;

internal sealed record Completion(string? Output) : Ending;

internal sealed record Failure(string Details) : Ending;

/// <param name="Kept">The events handed to the next execution, besides those that no turn has seen.</param>
internal sealed record FreshStart(string? Input, string? Version, IReadOnlyList<long> Kept) : Ending;

/// <summary>A turn to be committed.</summary>
/// <param name="Number">The turns taken before it in this execution; if the disk says otherwise, nothing is written.</param>
internal sealed record Turn(
    string InstanceId, string Execution, string Name, int Number, long At, long Seen,
    IReadOnlyList<Ask> Asks, IReadOnlyList<int> CancelledTimers, string? CustomStatus, string? Trace, Ending? Ending);

/// <summary>A call to be run by an activity function.</summary>
internal sealed record ActivityCall(long Id, string InstanceId, string Name, string? Input, string? Trace);

/// <summary>What has to be signalled in memory once a write is on disk.</summary>
internal sealed class Aftermath
{
    /// <summary>Instances that can take a turn.</summary>
    public List<string> Wake { get; } = [];

    public List<long> Activities { get; } = [];

    /// <summary>Instances whose state clients may be waiting for.</summary>
    public List<string> Changed { get; } = [];

    /// <summary>The first of the timers that were set, in UTC ticks; <see cref="long.MaxValue"/>: none was.</summary>
    public long FirstTimer { get; set; } = long.MaxValue;
}
