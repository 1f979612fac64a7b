using Microsoft.Extensions.Logging;
using NodeStash.Core.Jobs;
using NodeStash.Core.Storage;

namespace NodeStash.Functions.Webhooks.Jobs;

/// <summary>
/// Runs jobs in steps. When its time is up, or the host stops, it sends the rest of the job as a new message. When the store does not answer, it sends
/// the rest with a delay, as often as needed. On any other exception the queue repeats the message.
/// </summary>
public sealed partial class JobRun(JobSender jobs, TimeProvider clock, ILogger<JobRun> log)
{
    /// <summary>Time for one message: much shorter than a function may run.</summary>
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan MaxWait = TimeSpan.FromMinutes(5);

    /// <summary>Runs a job step by step until it is done or its time is up.</summary>
    /// <param name="job">The job.</param>
    /// <param name="step">Does a part of the job in a few seconds and returns the rest; null when the job is done. It may be interrupted
    /// anywhere and repeated.</param>
    /// <param name="ct">Cancelled when the host stops.</param>
    public async Task RunSteps<T>(T job, Func<T, CancellationToken, ValueTask<T?>> step, CancellationToken ct)
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
