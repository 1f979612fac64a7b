using System.Diagnostics.CodeAnalysis;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using NodeStash.LocalHost.Store;

namespace NodeStash.LocalHost.Durable;

/// <summary>
/// Lets orchestrators take their turns. The orchestrator's code runs here; the turn counts once it is on disk, and only then is
/// anything done that it asked for. While one turn is being written, others run.
/// </summary>
internal sealed partial class Turns(
    Database database, DurableRegistry registry, DurableOptions options, DataConverter converter, TimeProvider time,
    ILoggerFactory loggers, IServiceProvider services, DurableMetrics metrics, ReadyQueue ready, Action<Aftermath> follow) : IAsyncDisposable
{
    private const int MaxBeingWritten = 512;
    private static readonly TimeSpan WaitAfterError = TimeSpan.FromSeconds(1);

    private readonly ExecutionCache cache = new(options.CachedExecutions);
    private readonly SemaphoreSlim beingWritten = new(MaxBeingWritten);
    private readonly ILogger log = loggers.CreateLogger<DurableEngine>();

    /// <summary>Runs until <paramref name="stop"/>; ends when every turn taken is on disk.</summary>
    public async Task Run(CancellationToken stop)
    {
        await Task.WhenAll(Enumerable.Range(0, options.ConcurrentTurns).Select(_ => Task.Run(() => Loop(stop), CancellationToken.None)));
        for (var i = 0; i < MaxBeingWritten; i++) await beingWritten.WaitAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await cache.DisposeAsync();
        beingWritten.Dispose();
    }

    private async Task Loop(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await beingWritten.WaitAsync(stop);
                try
                {
                    var id = await ready.Next(stop);
                    _ = Finish(id, Begin(id), stop);
                }
                catch (OperationCanceledException)
                {
                    beingWritten.Release();
                    throw;
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    /// <summary>Runs the orchestrator and puts the outcome in line to be written. Throws nothing: the fault is in the task.</summary>
    private async Task Begin(string id)
    {
        var execution = cache.Take(id);
        try
        {
            var kept = execution;
            if (database.Read(session => Snapshot.Take(session, id, kept)) is not { } snapshot) return;
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
            var turn = execution?.Take(time.GetUtcNow().UtcTicks, snapshot.News) ?? Unknown(snapshot.History!.Instance);
            var aftermath = await database.Write(session => Journal.Commit(session, turn));
            if (aftermath is null) return;
            metrics.TurnTaken(turn);
            if (turn.Ending is Failure failure) Failed(log, turn.Name, id, Failures.Read(failure.Details).ErrorType);
            if (turn.Ending is null)
            {
                await Keep(id, execution);
                execution = null;
            }

            follow(aftermath);
        }
        finally
        {
            if (execution is not null) await execution.DisposeAsync();
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "A turn that could not be read or written is taken again.")]
    private async Task Finish(string id, Task turn, CancellationToken stop)
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
            beingWritten.Release();
        }
    }

    private async Task WakeLater(string id, CancellationToken stop)
    {
        await Task.Delay(WaitAfterError, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        ready.Wake(id);
        ready.Done(id);
    }

    private static bool IsDue(Snapshot snapshot, Execution? execution) =>
        snapshot.Head is { AwaitsStart: false, Status: not OrchestrationRuntimeStatus.Suspended }
        && (snapshot.Head.Turns == 0 || snapshot.News.Count > 0 || execution is { HasStrayed: true });

    private async Task Keep(string id, Execution? execution)
    {
        if (execution is not null && cache.Keep(id, execution) is { } dropped) await dropped.DisposeAsync();
    }

    /// <summary>Brings the orchestrator to where its history ends; null where nobody registered it.</summary>
    private Execution? Replay(string id, History history)
    {
        if (!registry.TryGetOrchestrator(history.Instance.Name, out var orchestrator)) return null;
        var execution = new Execution(history.Instance, orchestrator, services, converter, loggers, () => ready.Wake(id));
        execution.Replay(history.Turns, history.Events);
        return execution;
    }

    private Turn Unknown(Instance instance)
    {
        var problem = Failures.Of(new UnknownFunctionException($"There is no orchestrator named '{instance.Name}'."));
        return new Turn(
            instance.Id, instance.Execution, instance.Name, instance.Turns, time.GetUtcNow().UtcTicks, instance.Seen,
            [], [], instance.CustomStatus, instance.Trace, new Failure(Failures.Write(problem)));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Orchestration {Name} {InstanceId} failed: {ErrorType}")]
    private static partial void Failed(ILogger logger, string name, string instanceId, string errorType);

    [LoggerMessage(Level = LogLevel.Error, Message = "A turn of orchestration {InstanceId} could not be read or written; it will be taken again")]
    private static partial void TurnLost(ILogger logger, Exception e, string instanceId);

    /// <summary>What an instance has to go on, all of one moment.</summary>
    /// <param name="News">What no turn has taken in.</param>
    /// <param name="History">Null where the execution in memory is up to date.</param>
    private sealed record Snapshot(Head Head, List<Occurrence> News, History? History)
    {
        /// <param name="kept">The execution in memory; null: there is none.</param>
        /// <returns>Null where the instance has finished, or is gone.</returns>
        public static Snapshot? Take(Session session, string id, Execution? kept)
        {
            if (Journal.FindHead(session, id) is not { IsFinished: false } head) return null;
            var news = Journal.Events(session, id, head.Seen, long.MaxValue);
            if (kept is not null && kept.Id == head.Execution && kept.Turns == head.Turns) return new Snapshot(head, news, null);
            return new Snapshot(
                head, news, new History(Instances.Find(session, id)!, Journal.PastTurns(session, id), Journal.Events(session, id, 0, head.Seen)));
        }
    }

    /// <param name="Events">Those the turns have taken in.</param>
    private sealed record History(Instance Instance, List<PastTurn> Turns, List<Occurrence> Events);
}
