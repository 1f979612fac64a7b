using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Jobs;
using NodeStash.Core.Telemetry;

namespace NodeStash.LocalHost.Triggers;

/// <summary>
/// Runs the queue functions, each for several messages at a time. A message is removed after its function has returned. After a failure it is retried,
/// and after <see cref="MaxAttempts"/> it moves to the poison queue. host.json in the root has the same limits for the Functions host.
/// </summary>
public sealed partial class QueueTriggers(
    FunctionCatalog catalog, IMessages messages, IServiceScopeFactory scopes, TimeProvider clock, ILogger<QueueTriggers> log) : BackgroundService
{
    /// <summary>Maximum number of messages of one queue processed at a time.</summary>
    public const int MaxConcurrent = 16;

    /// <summary>Number of attempts after which a message moves to the poison queue.</summary>
    public const int MaxAttempts = 5;

    /// <summary>Delay before the next attempt at a failed message.</summary>
    public static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(30);

    /// <summary>Time for which a taken message is hidden: the maximum run time of a function. If a host dies, its messages wait for that long.</summary>
    private static readonly TimeSpan HiddenTime = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(30);

    private static readonly Meter Meter = new(Instruments.Name + ".Queues");
    private static readonly Counter<long> Runs =
        Meter.CreateCounter<long>("nodestash.queue.messages", description: "Messages worked on; tags: queue, outcome (done, failed, poison)");

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(
            catalog.TriggeredBy<QueueTriggerAttribute>()
                .Select(f => Task.Run(() => ReadQueue(f.Function, f.Trigger.QueueName, stoppingToken), CancellationToken.None)));

    [SuppressMessage("Design", "CA1031", Justification = "Errors of the queue are logged, and the read is retried.")]
    private async Task ReadQueue(Function function, string queue, CancellationToken ct)
    {
        var running = new List<Task>(MaxConcurrent);
        var pause = TimeSpan.Zero;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                running.RemoveAll(run => run.IsCompleted);
                if (running.Count == MaxConcurrent) await Task.WhenAny(running);
                else if (await messages.Take(queue, MaxConcurrent - running.Count, HiddenTime, ct) is { Count: > 0 } taken)
                    running.AddRange(taken.Select(message => Run(function, queue, message, ct)));
                else await messages.Changed(queue, ct);
                pause = TimeSpan.Zero;
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
            }
            catch (Exception e)
            {
                pause = pause == TimeSpan.Zero ? TimeSpan.FromSeconds(1) : pause * 2 < MaxPause ? pause * 2 : MaxPause;
                Unreachable(log, e, queue, pause);
                await Task.Delay(pause, clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        await Task.WhenAll(running);
    }

    /// <summary>Processes one message. If its outcome can't be stored, the message becomes visible again later.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "A function may throw anything; the exception is logged and the message retried.")]
    private async Task Run(Function function, string queue, Message message, CancellationToken ct)
    {
        await Task.Yield();
        try
        {
            try
            {
                // Every attempt so far ended without an outcome: the function may crash the process, and would again.
                if (message.Attempts > MaxAttempts && HasPoisonQueue(queue))
                    throw new InvalidOperationException("No attempt at the message ended; its function may have crashed the process");
                await using var scope = scopes.CreateAsyncScope();
                await function.Run(scope.ServiceProvider, message.Text, ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                await messages.Return(queue, message, TimeSpan.Zero, CancellationToken.None);
                return;
            }
            catch (Exception e) when (message.Attempts >= MaxAttempts && HasPoisonQueue(queue))
            {
                Poisoned(log, e, function.Name, message.Id, message.Attempts, queue + JobQueue.PoisonSuffix);
                await messages.Poison(queue, message, CancellationToken.None);
                Count(queue, "poison");
                return;
            }
            catch (Exception e)
            {
                Failed(log, e, function.Name, message.Id, message.Attempts, RetryAfter);
                await messages.Return(queue, message, RetryAfter, CancellationToken.None);
                Count(queue, "failed");
                return;
            }

            await messages.Remove(queue, message, CancellationToken.None);
            Count(queue, "done");
        }
        catch (Exception e)
        {
            OutcomeNotStored(log, e, message.Id, queue);
        }
    }

    /// <summary>Whether a queue has a poison queue. As in the Functions host, a poison queue has none.</summary>
    private static bool HasPoisonQueue(string queue) => !queue.EndsWith(JobQueue.PoisonSuffix, StringComparison.Ordinal);

    private static void Count(string queue, string outcome) => Runs.Add(1, new("queue", queue), new("outcome", outcome));

    [LoggerMessage(EventId = 1, Level = LogLevel.Error, Message = "{Function} failed on message {Message}, attempt {Tries}; retrying in {Wait}")]
    private static partial void Failed(ILogger logger, Exception e, string function, string message, long tries, TimeSpan wait);

    [LoggerMessage(EventId = 2, Level = LogLevel.Error,
        Message = "{Function} failed on message {Message}, attempt {Tries}; moved to {Poison} and not retried")]
    private static partial void Poisoned(ILogger logger, Exception e, string function, string message, long tries, string poison);

    [LoggerMessage(EventId = 3, Level = LogLevel.Error, Message = "The queue {Queue} can't be read; retrying in {Wait}")]
    private static partial void Unreachable(ILogger logger, Exception e, string queue, TimeSpan wait);

    [LoggerMessage(EventId = 4, Level = LogLevel.Error,
        Message = "The outcome of message {Message} of {Queue} could not be stored; the message will be processed again")]
    private static partial void OutcomeNotStored(ILogger logger, Exception e, string message, string queue);
}
