using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using NodeStash.LocalHost.Store;

namespace NodeStash.LocalHost.Durable;

/// <summary>Fires timers when they are due, those that came due while the process was down at once.</summary>
internal sealed partial class Timers(Database database, TimeProvider time, ILogger log, DurableMetrics metrics, Action<Aftermath> follow)
{
    private const int MaxAtOnce = 500;
    private static readonly TimeSpan WaitAfterError = TimeSpan.FromSeconds(1);

    /// <summary>A longer wait is begun again, so that a changed clock is noticed.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromHours(1);

    private readonly Channel<bool> sooner = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private long next = long.MaxValue;

    /// <summary>Says that a timer was set.</summary>
    /// <param name="fireAt">UTC ticks; <see cref="long.MaxValue"/>: none was.</param>
    public void Added(long fireAt)
    {
        if (fireAt < Volatile.Read(ref next)) sooner.Writer.TryWrite(true);
    }

    [SuppressMessage("Design", "CA1031", Justification = "Timers that could not be fired are fired later.")]
    public async Task Run(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                // Reset before reading, so that a timer set in between wakes us rather than being missed.
                Volatile.Write(ref next, long.MaxValue);
                var due = database.Read(Journal.NextTimer);
                Volatile.Write(ref next, due);
                var now = time.GetUtcNow().UtcTicks;
                if (due <= now) await Fire(now);
                else await Wait(due == long.MaxValue ? MaxWait : TimeSpan.FromTicks(due - now), stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
            }
            catch (Exception e)
            {
                if (e is not DatabaseUnavailableException) NotFired(log, e);
                await Task.Delay(WaitAfterError, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task Fire(long now)
    {
        var (aftermath, lags) = await database.Write(session => Journal.FireTimers(session, now, MaxAtOnce), CancellationToken.None);
        foreach (var lag in lags) metrics.TimerFired(lag);
        follow(aftermath);
    }

    private async Task Wait(TimeSpan wait, CancellationToken stop)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var elapsed = Task.Delay(wait < MaxWait ? wait : MaxWait, time, enough.Token);
        var woken = sooner.Reader.ReadAsync(enough.Token).AsTask();
        await Task.WhenAny(elapsed, woken);
        await enough.CancelAsync();
        await Task.WhenAll(elapsed, woken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Timers could not be fired; they will be tried again")]
    private static partial void NotFired(ILogger logger, Exception e);
}
