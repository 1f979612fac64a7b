using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Microsoft.DurableTask;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NodeStash.LocalHost.Store;

namespace NodeStash.LocalHost.Durable;

/// <summary>Runs pending activity calls, each at least once. A call stays on disk until its result is stored.</summary>
internal sealed partial class ActivityRunner(
    Database database, DurableRegistry registry, DurableOptions options, DataConverter converter, TimeProvider time,
    ILoggerFactory loggers, IServiceProvider services, DurableMetrics metrics, Channel<long> calls, Action<CommitSignals> dispatch)
{
    private static readonly TimeSpan WaitAfterError = TimeSpan.FromSeconds(1);

    private readonly ILogger log = loggers.CreateLogger<DurableEngine>();

    /// <summary>Runs calls until <paramref name="stop"/>, and returns when the last of them has ended.</summary>
    /// <param name="stop">Stops the taking of new calls.</param>
    /// <param name="abort">Abandons calls in flight; they run again at the next start.</param>
    public Task Run(CancellationToken stop, CancellationToken abort) =>
        Task.WhenAll(Enumerable.Range(0, options.ConcurrentActivities).Select(_ => Task.Run(() => Loop(stop, abort), CancellationToken.None)));

    private async Task Loop(CancellationToken stop, CancellationToken abort)
    {
        try
        {
            while (true)
            {
                var id = await calls.Reader.ReadAsync(stop);
                await Run(id, abort);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "A call that could not be read, or whose result could not be stored, runs again.")]
    private async Task Run(long id, CancellationToken abort)
    {
        try
        {
            if (database.Read(session => Journal.FindActivity(session, id)) is not { } call) return;
            var (kind, payload) = await RunFunction(call, abort).WaitAsync(abort);
            metrics.ActivityRun(call.Name, kind == EventKind.TaskCompleted);
            dispatch(await SaveResult(call, kind, payload, abort));
        }
        catch (OperationCanceledException) when (abort.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            if (e is not DatabaseUnavailableException) CallLost(log, e, id);
            _ = RequeueAfterDelay(id, abort);
        }
    }

    private async Task RequeueAfterDelay(long id, CancellationToken abort)
    {
        await Task.Delay(WaitAfterError, time, abort).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        calls.Writer.TryWrite(id);
    }

    /// <summary>
    /// Stores the result of a call, and retries for as long as the disk refuses writes: running the activity again would be worse. The database logs the
    /// refusals.
    /// </summary>
    private async Task<CommitSignals> SaveResult(ActivityCall call, EventKind kind, string? payload, CancellationToken abort)
    {
        while (true)
        {
            try
            {
                return await database.Write(
                    session => Journal.CompleteActivity(session, call.Id, kind, payload, time.GetUtcNow().UtcTicks), CancellationToken.None);
            }
            catch (DatabaseUnavailableException)
            {
                await Task.Delay(WaitAfterError, time, abort);
            }
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "Any exception of the activity is its result.")]
    private async Task<(EventKind Kind, string? Payload)> RunFunction(ActivityCall call, CancellationToken abort)
    {
        using var trace = DurableMetrics.Traces.StartActivity(call.Name, ActivityKind.Internal, call.Trace);
        trace?.SetTag("durable.instance", call.InstanceId);
        try
        {
            if (!registry.TryGetActivity(call.Name, out var activity)) throw new UnknownFunctionException($"There is no activity named '{call.Name}'.");
            var input = converter.Deserialize(call.Input, activity.InputType);
            await using var scope = services.CreateAsyncScope();
            var output = await activity.Run(scope.ServiceProvider, new Context(call), input, abort);
            return (EventKind.TaskCompleted, converter.Serialize(output));
        }
        catch (OperationCanceledException) when (abort.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e)
        {
            trace?.SetStatus(ActivityStatusCode.Error);
            Failed(log, e.GetType(), call.Name, call.InstanceId);
            return (EventKind.TaskFailed, Failures.Write(Failures.FromException(e)));
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Activity {Name} of orchestration {InstanceId} failed: {ErrorType}")]
    private static partial void Failed(ILogger logger, Type errorType, string name, string instanceId);

    [LoggerMessage(Level = LogLevel.Error, Message = "Activity call {Id} could not be run or its result not stored; retrying in one second")]
    private static partial void CallLost(ILogger logger, Exception e, long id);

    private sealed class Context(ActivityCall call) : TaskActivityContext
    {
        public override TaskName Name => call.Name;

        public override string InstanceId => call.InstanceId;
    }
}
