using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Microsoft.DurableTask;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace NodeStash.LocalHost.Durable;

/// <summary>
/// An orchestrator between its first turn and its last: brought to where it stood by replaying its history, or kept in memory
/// since the turn before. Either way the same events lead to the same state. One thread at a time.
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

    /// <param name="strayed">Called, from any thread, when the orchestrator goes on after something that is not durable.</param>
    public Execution(
        Instance instance, Func<IServiceProvider, TaskOrchestrationContext, Task<object?>> orchestrator, IServiceProvider services,
        DataConverter converter, ILoggerFactory loggers, Action strayed)
    {
        this.instance = instance;
        this.orchestrator = orchestrator;
        this.converter = converter;
        thread = new OrchestratorThread(strayed);
        orchestration = new Orchestration(instance, converter, loggers, thread);
        scope = services.CreateAsyncScope();
    }

    public string Id => instance.Execution;

    public int Turns { get; private set; }

    public bool HasStrayed => thread.HasStrayed;

    /// <summary>The orchestrator has returned or thrown, and all its calls and timers have come to an end, also those it did not await.</summary>
    private bool IsOver => running is { IsCompleted: true } && !orchestration.HasOpenTasks;

    public static string NewId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    public static string Strayed(string instanceId) =>
        $"Orchestration '{instanceId}' is not deterministic: its orchestrator awaited a task that did not come from its context.";

    /// <summary>Takes the turns of the history again. If the orchestrator departs from it, the next turn says so.</summary>
    /// <param name="past">In order.</param>
    /// <param name="events">What those turns took in, in order.</param>
    public void Replay(IReadOnlyList<PastTurn> past, IReadOnlyList<Occurrence> events)
    {
        var next = 0;
        foreach (var turn in past)
        {
            var first = next;
            while (next < events.Count && events[next].Seq <= turn.Seen) next++;
            Run(turn.At, events.Skip(first).Take(next - first), turn.Asked);
            seen = turn.Seen;
            if (orchestration.Departure is not null) break;
        }

        Turns = past.Count;
    }

    /// <summary>Takes a new turn: hands the events to the orchestrator and answers what it asks for in return.</summary>
    /// <param name="now">UTC ticks. The turn's own time is never before that of an earlier turn or of an event.</param>
    public Turn Take(long now, IReadOnlyList<Occurrence> events)
    {
        using var trace = DurableMetrics.Traces.StartActivity(instance.Name, ActivityKind.Internal, instance.Trace);
        trace?.SetTag("durable.instance", instance.Id);
        var at = Math.Max(now, Math.Max(lastTurnAt, events.Count > 0 ? events.Max(e => e.At) : 0));
        if (orchestration.Departure is null && !HasStrayed && !IsOver) Run(at, events, null);
        else orchestration.BeginTurn(at, null);
        if (events.Count > 0) seen = events[^1].Seq;
        var ending = FindEnding();
        var asks = orchestration.Departure is not null || HasStrayed ? [] : orchestration.Asks.ToArray();
        return new Turn(
            instance.Id, instance.Execution, instance.Name, Turns++, at, seen,
            asks, [.. orchestration.CancelledTimers], orchestration.CustomStatus, instance.Trace, ending);
    }

    public ValueTask DisposeAsync() => scope.DisposeAsync();

    [SuppressMessage("Design", "CA1031", Justification = "Whatever the orchestrator throws is its outcome.")]
    private void Run(long at, IEnumerable<Occurrence> events, IReadOnlyList<string>? asked)
    {
        lastTurnAt = at;
        orchestration.BeginTurn(at, asked);
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

            foreach (var occurrence in events)
            {
                orchestration.Take(occurrence);
                thread.Drain();
            }
        }

        if (asked is not null) orchestration.EndReplay(running.IsCompleted);
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever the orchestrator throws, or fails to serialize, is its outcome.")]
    [SuppressMessage("Usage", "VSTHRD002", Justification = "The orchestrator has ended.")]
    private Ending? FindEnding()
    {
        try
        {
            if (orchestration.Departure is { } departure) throw departure;
            if (HasStrayed) throw new NonDeterminismException(Strayed(instance.Id));
            if (!IsOver) return orchestration.Waits ? null : throw new NonDeterminismException(Strayed(instance.Id));

            var output = running!.GetAwaiter().GetResult();
            if (orchestration.NextExecution is not { } next) return new Completion(converter.Serialize(output));
            return new FreshStart(
                converter.Serialize(next.NewInput), string.IsNullOrWhiteSpace(next.NewVersion) ? null : next.NewVersion,
                orchestration.KeptEvents);
        }
        catch (Exception e)
        {
            return new Failure(Failures.Write(Failures.Of(e)));
        }
    }
}
