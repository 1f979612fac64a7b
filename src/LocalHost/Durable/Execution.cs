using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Microsoft.DurableTask;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace NodeStash.LocalHost.Durable;

/// <summary>
/// Runs the turns of one execution of an orchestrator. The execution is restored by replaying its history, or kept in memory since the previous turn;
/// both ways lead to the same state. Used by one thread at a time.
/// </summary>
internal sealed class Execution : IAsyncDisposable
{
    private readonly Instance instance;
    private readonly DataConverter converter;
    private readonly OrchestratorThread thread;
    private readonly Orchestration orchestration;
    private readonly AsyncServiceScope scope;
    private readonly Func<IServiceProvider, TaskOrchestrationContext, Task<object?>> orchestrator;
    private Task<object?>? running;
    private long lastTurnAt;
    private long seen;

    /// <param name="reportLeft">Called, from any thread, when the orchestrator continues after awaiting a task that is not durable.</param>
    public Execution(
        Instance instance, Func<IServiceProvider, TaskOrchestrationContext, Task<object?>> orchestrator, IServiceProvider services,
        DataConverter converter, ILoggerFactory loggers, Action reportLeft)
    {
        this.instance = instance;
        this.orchestrator = orchestrator;
        this.converter = converter;
        thread = new OrchestratorThread(reportLeft);
        orchestration = new Orchestration(instance, converter, loggers, thread);
        scope = services.CreateAsyncScope();
    }

    public string Id => instance.Execution;

    public int Turns { get; private set; }

    /// <summary>Whether the orchestrator awaited a task that is not durable.</summary>
    public bool HasLeftThread => thread.HasLeftThread;

    /// <summary>Whether the orchestrator has returned or thrown, and all its calls and timers have ended, including those it did not await.</summary>
    private bool HasEnded => running is { IsCompleted: true } && !orchestration.HasOpenTasks;

    public static string NewId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    public static string LeftThreadMessage(string instanceId) =>
        $"Orchestration '{instanceId}' is not deterministic: its orchestrator awaited a task that did not come from its context.";

    /// <summary>Replays the recorded turns. If the orchestrator does not match its history, the next turn fails.</summary>
    /// <param name="past">The recorded turns, in order.</param>
    /// <param name="events">The history events of those turns, in order.</param>
    public void Replay(IReadOnlyList<RecordedTurn> past, IReadOnlyList<HistoryEvent> events)
    {
        var next = 0;
        foreach (var turn in past)
        {
            var first = next;
            while (next < events.Count && events[next].Seq <= turn.Seen) next++;
            Run(turn.At, events.Skip(first).Take(next - first), turn.ActionLabels);
            seen = turn.Seen;
            if (orchestration.HistoryMismatch is not null) break;
        }

        Turns = past.Count;
    }

    /// <summary>Runs a new turn: passes new events to the orchestrator and collects its actions.</summary>
    /// <param name="now">The time in UTC ticks. The time of a turn is never before that of an earlier turn or event.</param>
    public Turn RunTurn(long now, IReadOnlyList<HistoryEvent> events)
    {
        using var trace = DurableMetrics.Traces.StartActivity(instance.Name, ActivityKind.Internal, instance.Trace);
        trace?.SetTag("durable.instance", instance.Id);
        var at = Math.Max(now, Math.Max(lastTurnAt, events.Count > 0 ? events.Max(e => e.At) : 0));
        if (orchestration.HistoryMismatch is null && !HasLeftThread && !HasEnded) Run(at, events, null);
        else orchestration.BeginTurn(at, null);
        if (events.Count > 0) seen = events[^1].Seq;
        var ending = FindEnding();
        var actions = orchestration.HistoryMismatch is not null || HasLeftThread ? [] : orchestration.Actions.ToArray();
        return new Turn(
            instance.Id, instance.Execution, instance.Name, Turns++, at, seen,
            actions, [.. orchestration.CancelledTimers], orchestration.CustomStatus, instance.Trace, ending);
    }

    public ValueTask DisposeAsync() => scope.DisposeAsync();

    [SuppressMessage("Design", "CA1031", Justification = "Any exception of the orchestrator is its result.")]
    private void Run(long at, IEnumerable<HistoryEvent> events, IReadOnlyList<string>? replayedLabels)
    {
        lastTurnAt = at;
        orchestration.BeginTurn(at, replayedLabels);
        using (thread.Enter())
        {
            if (running is null)
            {
                try
                {
                    running = orchestrator(scope.ServiceProvider, orchestration);
                }
                catch (Exception e)
                {
                    running = Task.FromException<object?>(e);
                }

                thread.Drain();
            }

            foreach (var received in events)
            {
                orchestration.Process(received);
                thread.Drain();
            }
        }

        if (replayedLabels is not null) orchestration.EndReplay(running.IsCompleted);
    }

    [SuppressMessage("Design", "CA1031", Justification = "Any exception of the orchestrator, or of serializing its output, is its result.")]
    [SuppressMessage("Usage", "VSTHRD002", Justification = "The orchestrator has ended.")]
    private Ending? FindEnding()
    {
        try
        {
            if (orchestration.HistoryMismatch is { } mismatch) throw mismatch;
            if (HasLeftThread) throw new NonDeterminismException(LeftThreadMessage(instance.Id));
            if (!HasEnded) return orchestration.IsWaiting ? null : throw new NonDeterminismException(LeftThreadMessage(instance.Id));

            var output = running!.GetAwaiter().GetResult();
            if (orchestration.NextExecution is not { } next) return new Completion(converter.Serialize(output));
            return new ContinuedAsNew(
                converter.Serialize(next.NewInput), string.IsNullOrWhiteSpace(next.NewVersion) ? null : next.NewVersion,
                orchestration.KeptEvents);
        }
        catch (Exception e)
        {
            return new Failure(Failures.Write(Failures.FromException(e)));
        }
    }
}
