using Microsoft.Extensions.Logging;
using NodeStash.Core.Jobs;
using NodeStash.Core.Storage;

namespace NodeStash.Functions.Webhooks.Jobs;

/// <summary>
/// Does jobs in steps. A job that is not done when its time is up, or when the host stops, sends what is left on in a message of its own; so it does
/// where the store does not answer, after a wait, for as long as that lasts. What else goes wrong is the queue's to try again.
/// </summary>
public sealed partial class JobRun(JobSender jobs, TimeProvider clock, ILogger<JobRun> log)
{
    /// <summary>Of one message: much shorter than a function may run.</summary>
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan MaxWait = TimeSpan.FromMinutes(5);

    /// <param name="job">What to do.</param>
    /// <param name="step">Does a part of it, of some seconds at most, which may be interrupted anywhere and repeated; answers what is left, null for
    /// nothing.</param>
    /// <param name="ct">The host stops.</param>
    public async Task Steps<T>(T job, Func<T, CancellationToken, ValueTask<T?>> step, CancellationToken ct)
        where T : Job
    {
        var start = clock.GetTimestamp();
        var left = job;
        while (true)
        {
            try
            {
                if (await step(left, ct) is not { } next) return;
                left = next with { Failures = 0 };
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
            }
            catch (StoreUnavailableException e)
            {
                var wait = WaitAfter(left.Failures + 1);
                Waits(log, left.Queue, wait, e.Message);
                await jobs.Send(left with { Failures = left.Failures + 1 }, wait, CancellationToken.None);
                return;
            }

            if (!ct.IsCancellationRequested && clock.GetElapsedTime(start) < Slice) continue;
            await jobs.Send(left, CancellationToken.None);
            return;
        }
    }

    private static TimeSpan WaitAfter(int failures) => failures > 8 ? MaxWait : TimeSpan.FromSeconds(1 << failures);

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "A job of {Queue} goes on in {Wait}, as the store did not answer: {Reason}")]
    private static partial void Waits(ILogger logger, string queue, TimeSpan wait, string reason);
}
