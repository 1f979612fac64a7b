using System.Diagnostics.CodeAnalysis;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using NodeStash.LocalHost.Store;

namespace NodeStash.LocalHost.Durable;

/// <summary>
/// Runs the turns of orchestrators. A turn takes effect once it is on disk; only then are its actions carried out. Other turns run while one is being
/// written.
/// </summary>
internal sealed partial class TurnRunner(
    Database database, DurableRegistry registry, DurableOptions options, DataConverter converter, TimeProvider time,
    ILoggerFactory loggers, IServiceProvider services, DurableMetrics metrics, ReadyQueue ready, Action<CommitSignals> dispatch) : IAsyncDisposable
{
    private const int MaxTurnsInFlight = 512;
    private static readonly TimeSpan WaitAfterError = TimeSpan.FromSeconds(1);

    private readonly ExecutionCache cache = new(options.CachedExecutions);
    private readonly SemaphoreSlim writeSlots = new(MaxTurnsInFlight);
    private readonly ILogger log = loggers.CreateLogger<DurableEngine>();

    /// <summary>Runs turns until <paramref name="stop"/>, and returns when every turn is on disk.</summary>
    public async Task Run(CancellationToken stop)
    {
        await Task.WhenAll(Enumerable.Range(0, options.ConcurrentTurns).Select(_ => Task.Run(() => Loop(stop), CancellationToken.None)));
        for (var i = 0; i < MaxTurnsInFlight; i++) await writeSlots.WaitAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await cache.DisposeAsync();
        writeSlots.Dispose();
    }

    private async Task Loop(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await writeSlots.WaitAsync(stop);
                try
                {
                    var id = await ready.Next(stop);
                    _ = CompleteTurn(id, RunTurn(id), stop);
                }
                catch (OperationCanceledException)
                {
                    writeSlots.Release();
                    throw;
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    /// <summary>Runs one turn and commits it. Throws nothing synchronously: a failure is in the task.</summary>
    private async Task RunTurn(string id)
    {
        var execution = cache.Remove(id);
        try
        {
            var kept = execution;
            if (database.Read(session => Snapshot.Read(session, id, kept)) is not { } snapshot) return;
            if (snapshot.History is not null && execution is not null)
            {
                await execution.DisposeAsync();
                execution = null;
            }

            if (!IsDue(snapshot, execution))
            {
                await Keep(id, execution);
                execution = null;
                return;
            }

            execution ??= Replay(id, snapshot.History!);
            var turn = execution?.RunTurn(time.GetUtcNow().UtcTicks, snapshot.NewEvents) ?? FailUnknown(snapshot.History!.Instance);
            var signals = await database.Write(session => Journal.Commit(session, turn));
            if (signals is null) return;
            metrics.TurnTaken(turn);
            if (turn.Ending is Failure failure) Failed(log, turn.Name, id, Failures.Read(failure.Details).ErrorType);
            if (turn.Ending is null)
            {
                await Keep(id, execution);
                execution = null;
            }

            dispatch(signals);
        }
        finally
        {
            if (execution is not null) await execution.DisposeAsync();
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "A turn that could not be read or written is retried.")]
    private async Task CompleteTurn(string id, Task turn, CancellationToken stop)
    {
        try
        {
            await turn;
            ready.Done(id);
        }
        catch (Exception e)
        {
            if (e is not DatabaseUnavailableException && !stop.IsCancellationRequested) TurnLost(log, e, id);
            _ = WakeLater(id, stop);
        }
        finally
        {
            writeSlots.Release();
        }
    }

    private async Task WakeLater(string id, CancellationToken stop)
    {
        await Task.Delay(WaitAfterError, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        ready.Wake(id);
        ready.Done(id);
    }

    private static bool IsDue(Snapshot snapshot, Execution? execution) =>
        snapshot.State is { AwaitsStart: false, Status: not OrchestrationRuntimeStatus.Suspended }
        && (snapshot.State.Turns == 0 || snapshot.NewEvents.Count > 0 || execution is { HasLeftThread: true });

    private async Task Keep(string id, Execution? execution)
    {
        if (execution is not null && cache.Add(id, execution) is { } dropped) await dropped.DisposeAsync();
    }

    /// <summary>Restores an execution from its history; null if its orchestrator is not registered.</summary>
    private Execution? Replay(string id, History history)
    {
        if (!registry.TryGetOrchestrator(history.Instance.Name, out var orchestrator)) return null;
        var execution = new Execution(history.Instance, orchestrator, services, converter, loggers, () => ready.Wake(id));
        execution.Replay(history.Turns, history.Events);
        return execution;
    }

    private Turn FailUnknown(Instance instance)
    {
        var problem = Failures.FromException(new UnknownFunctionException($"There is no orchestrator named '{instance.Name}'."));
        return new Turn(
            instance.Id, instance.Execution, instance.Name, instance.Turns, time.GetUtcNow().UtcTicks, instance.Seen,
            [], [], instance.CustomStatus, instance.Trace, new Failure(Failures.Write(problem)));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Orchestration {Name} {InstanceId} failed: {ErrorType}")]
    private static partial void Failed(ILogger logger, string name, string instanceId, string errorType);

    [LoggerMessage(Level = LogLevel.Error, Message = "A turn of orchestration {InstanceId} could not be read or written; retrying in one second")]
    private static partial void TurnLost(ILogger logger, Exception e, string instanceId);

    /// <summary>Reads the input of a turn in one snapshot.</summary>
    /// <param name="NewEvents">Events that no turn has processed.</param>
    /// <param name="History">The history; null if the execution in memory is current.</param>
    private sealed record Snapshot(InstanceState State, List<HistoryEvent> NewEvents, History? History)
    {
        /// <param name="kept">The execution in memory; null for none.</param>
        /// <returns>Null if the instance has finished or does not exist.</returns>
        public static Snapshot? Read(Session session, string id, Execution? kept)
        {
            if (Journal.FindState(session, id) is not { IsFinished: false } state) return null;
            var newEvents = Journal.ListEvents(session, id, state.Seen, long.MaxValue);
            if (kept is not null && kept.Id == state.Execution && kept.Turns == state.Turns) return new Snapshot(state, newEvents, null);
            return new Snapshot(
                state, newEvents, new History(Instances.Find(session, id)!, Journal.ListTurns(session, id), Journal.ListEvents(session, id, 0, state.Seen)));
        }
    }

    /// <param name="Events">Events that the turns have processed.</param>
    private sealed record History(Instance Instance, List<RecordedTurn> Turns, List<HistoryEvent> Events);
}
