using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Microsoft.DurableTask;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NodeStash.LocalHost.Store;

namespace NodeStash.LocalHost.Durable;

/// <summary>Runs activities, each at least once: a call stays on disk until its answer is.</summary>
internal sealed partial class Activities(
    Database database, DurableRegistry registry, DurableOptions options, DataConverter converter, TimeProvider time,
    ILoggerFactory loggers, IServiceProvider services, DurableMetrics metrics, Channel<long> calls, Action<Aftermath> follow)
{
    private static readonly TimeSpan WaitAfterError = TimeSpan.FromSeconds(1);

    private readonly ILogger log = loggers.CreateLogger<DurableEngine>();

    /// <summary>
    /// Takes up calls until <paramref name="stop"/>, and ends with the last of them; those that still run at <paramref name="abort"/> are given up
    /// and run again at the next start.
    /// </summary>
    public Task Run(CancellationToken stop, CancellationToken abort) =>
        Task.WhenAll(Enumerable.Range(0, options.ConcurrentActivities).Select(_ => Task.Run(() => Loop(stop, abort), CancellationToken.None)));

    private async Task Loop(CancellationToken stop, CancellationToken abort)
    {
        try
        {
            while (true)
            {
                var id = await calls.Reader.ReadAsync(stop);
                await Serve(id, abort);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "A call that could not be read or answered is served again.")]
    private async Task Serve(long id, CancellationToken abort)
    {
        try
        {
            if (database.Read(session => Journal.FindActivity(session, id)) is not { } call) return;
            var (kind, payload) = await Answer(call, abort).WaitAsync(abort);
            metrics.ActivityRun(call.Name, kind == EventKind.Answered);
            follow(await Record(call, kind, payload, abort));
        }
        catch (OperationCanceledException) when (abort.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            if (e is not DatabaseUnavailableException) CallLost(log, e, id);
            _ = ServeLater(id, abort);
        }
    }

    private async Task ServeLater(long id, CancellationToken abort)
    {
        await Task.Delay(WaitAfterError, time, abort).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        calls.Writer.TryWrite(id);
    }

    /// <summary>
    /// Writes the answer, however long the disk refuses it (of which the database tells): running the activity again would be the greater evil.
    /// </summary>
    private async Task<Aftermath> Record(ActivityCall call, EventKind kind, string? payload, CancellationToken abort)
    {
        while (true)
        {
            try
            {
                return await database.Write(
                    session => Journal.AnswerActivity(session, call.Id, kind, payload, time.GetUtcNow().UtcTicks), CancellationToken.None);
            }
            catch (DatabaseUnavailableException)
            {
                await Task.Delay(WaitAfterError, time, abort);
            }
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever the activity throws is its answer.")]
    private async Task<(EventKind Kind, string? Payload)> Answer(ActivityCall call, CancellationToken abort)
    {
        using var trace = DurableMetrics.Traces.StartActivity(call.Name, ActivityKind.Internal, call.Trace);
        trace?.SetTag("durable.instance", call.InstanceId);
        try
        {
            if (!registry.TryGetActivity(call.Name, out var activity)) throw new UnknownFunctionException($"There is no activity named '{call.Name}'.");
            var input = converter.Deserialize(call.Input, activity.InputType);
            await using var scope = services.CreateAsyncScope();
            var output = await activity.Run(scope.ServiceProvider, new Context(call), input, abort);
            return (EventKind.Answered, converter.Serialize(output));
        }
        catch (OperationCanceledException) when (abort.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e)
        {
            trace?.SetStatus(ActivityStatusCode.Error);
            Failed(log, e.GetType(), call.Name, call.InstanceId);
            return (EventKind.Failed, Failures.Write(Failures.Of(e)));
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Activity {Name} of orchestration {InstanceId} failed: {ErrorType}")]
    private static partial void Failed(ILogger logger, Type errorType, string name, string instanceId);

    [LoggerMessage(Level = LogLevel.Error, Message = "Activity call {Id} could not be served; it will be tried again")]
    private static partial void CallLost(ILogger logger, Exception e, long id);

    private sealed class Context(ActivityCall call) : TaskActivityContext
    {
        public override TaskName Name => call.Name;

        public override string InstanceId => call.InstanceId;
    }
}
