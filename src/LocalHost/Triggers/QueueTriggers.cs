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
/// Runs the queue functions, each for several messages at a time. A message is removed after its function has returned; one whose function throws
/// comes again after a while, and after <see cref="MaxAttempts"/> goes to the queue's poison queue. As root's host.json has it for the Functions host.
/// </summary>
public sealed partial class QueueTriggers(
    FunctionCatalog catalog, IMessages messages, IServiceScopeFactory scopes, TimeProvider clock, ILogger<QueueTriggers> log) : BackgroundService
{
    /// <summary>Messages of one queue at a time.</summary>
    public const int AtOnce = 16;

    /// <summary>After so many tries a message goes to the poison queue.</summary>
    public const int MaxAttempts = 5;

    /// <summary>How long a message waits that failed.</summary>
    public static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(30);

    /// <summary>How long a message is hidden from others: as long as a function may run. Also what the message of a host that died waits for.</summary>
    private static readonly TimeSpan Hidden = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(30);

    private static readonly Meter Meter = new(Instruments.Name + ".Queues");
    private static readonly Counter<long> Runs =
        Meter.CreateCounter<long>("nodestash.queue.messages", description: "Messages worked on; tags: queue, outcome (done, failed, poison)");

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(
            catalog.TriggeredBy<QueueTriggerAttribute>()
                .Select(f => Task.Run(() => Follow(f.Function, f.Trigger.QueueName, stoppingToken), CancellationToken.None)));

    [SuppressMessage("Design", "CA1031", Justification = "Whatever is wrong with the queue is logged, and asked for again.")]
    private async Task Follow(Function function, string queue, CancellationToken ct)
    {
        var running = new List<Task>(AtOnce);
        var pause = TimeSpan.Zero;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                running.RemoveAll(run => run.IsCompleted);
                if (running.Count == AtOnce) await Task.WhenAny(running);
                else if (await messages.Take(queue, AtOnce - running.Count, Hidden, ct) is { Count: > 0 } taken)
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

    /// <summary>One message. What can't be noted of it is logged: it comes again when it is no longer hidden.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "A function may throw anything; it is logged and tried again.")]
    private async Task Run(Function function, string queue, Message message, CancellationToken ct)
    {
        await Task.Yield();
        try
        {
            try
            {
                // The function may have ended the process, so often that it will again.
                if (message.Tries > MaxAttempts && HasPoison(queue)) throw new InvalidOperationException("It never ended");
                await using var scope = scopes.CreateAsyncScope();
                await function.Run(scope.ServiceProvider, message.Text, ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                await messages.Return(queue, message, TimeSpan.Zero, CancellationToken.None);
                return;
            }
            catch (Exception e) when (message.Tries >= MaxAttempts && HasPoison(queue))
            {
                Poisoned(log, e, function.Name, message.Id, message.Tries, queue + JobQueue.PoisonSuffix);
                await messages.Poison(queue, message, CancellationToken.None);
                Count(queue, "poison");
                return;
            }
            catch (Exception e)
            {
                Failed(log, e, function.Name, message.Id, message.Tries, RetryAfter);
                await messages.Return(queue, message, RetryAfter, CancellationToken.None);
                Count(queue, "failed");
                return;
            }

            await messages.Remove(queue, message, CancellationToken.None);
            Count(queue, "done");
        }
        catch (Exception e)
        {
            NotNoted(log, e, message.Id, queue);
        }
    }

    /// <summary>As in the Functions host, a poison queue has none of its own.</summary>
    private static bool HasPoison(string queue) => !queue.EndsWith(JobQueue.PoisonSuffix, StringComparison.Ordinal);

    private static void Count(string queue, string outcome) => Runs.Add(1, new("queue", queue), new("outcome", outcome));

    [LoggerMessage(EventId = 1, Level = LogLevel.Error, Message = "{Function} failed on message {Message} for the {Tries}. time; again in {Wait}")]
    private static partial void Failed(ILogger logger, Exception e, string function, string message, long tries, TimeSpan wait);

    [LoggerMessage(EventId = 2, Level = LogLevel.Error,
        Message = "{Function} failed on message {Message} for the {Tries}. time; it is in {Poison} now, and not tried any more")]
    private static partial void Poisoned(ILogger logger, Exception e, string function, string message, long tries, string poison);

    [LoggerMessage(EventId = 3, Level = LogLevel.Error, Message = "The queue {Queue} can't be read; again in {Wait}")]
    private static partial void Unreachable(ILogger logger, Exception e, string queue, TimeSpan wait);

    [LoggerMessage(EventId = 4, Level = LogLevel.Error, Message = "What came of message {Message} of {Queue} could not be noted; it comes again")]
    private static partial void NotNoted(ILogger logger, Exception e, string message, string queue);
}
