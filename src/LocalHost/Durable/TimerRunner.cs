using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using NodeStash.LocalHost.Store;

namespace NodeStash.LocalHost.Durable;

/// <summary>Fires durable timers when they are due. Timers that came due while the process was down fire at once.</summary>
internal sealed partial class TimerRunner(Database database, TimeProvider time, ILogger log, DurableMetrics metrics, Action<CommitSignals> dispatch)
{
    private const int MaxAtOnce = 500;
    private static readonly TimeSpan WaitAfterError = TimeSpan.FromSeconds(1);

    /// <summary>Maximum length of one wait, so that a changed clock is noticed.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromHours(1);

    private readonly Channel<bool> earlierTimer = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private long next = long.MaxValue;

    /// <summary>Notifies the runner of a new timer.</summary>
    /// <param name="fireAt">Due time in UTC ticks; <see cref="long.MaxValue"/> for no timer.</param>
    public void OnTimerAdded(long fireAt)
    {
        if (fireAt < Volatile.Read(ref next)) earlierTimer.Writer.TryWrite(true);
    }

    [SuppressMessage("Design", "CA1031", Justification = "Timers that could not be fired are retried.")]
    public async Task Run(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                // Reset before reading, so that a timer added in between ends the wait.
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
        var (signals, lags) = await database.Write(session => Journal.FireTimers(session, now, MaxAtOnce), CancellationToken.None);
        foreach (var lag in lags) metrics.TimerFired(lag);
        dispatch(signals);
    }

    private async Task Wait(TimeSpan wait, CancellationToken stop)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var elapsed = Task.Delay(wait < MaxWait ? wait : MaxWait, time, enough.Token);
        var woken = earlierTimer.Reader.ReadAsync(enough.Token).AsTask();
        await Task.WhenAny(elapsed, woken);
        await enough.CancelAsync();
        await Task.WhenAll(elapsed, woken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Due timers could not be fired; retrying in one second")]
    private static partial void NotFired(ILogger logger, Exception e);
}
