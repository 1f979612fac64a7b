using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Jobs;
using NodeStash.Core.Telemetry;

namespace NodeStash.Functions.Webhooks.Jobs;

/// <summary>
/// Keeps jobs that failed five times until an operator decides, and logs each. The Functions host puts them into a poison queue, whose messages expire
/// after 7 days. These functions move them to a queue whose messages do not expire. A message that fails here five times, too, stays in the poison queue
/// until it expires; the alert on that queue reports it.
/// </summary>
public sealed partial class KeepFailedJobs(IJobQueues queues, ILogger<KeepFailedJobs> log)
{
    [Function("keep-given-up-wide-changes")]
    public Task Cascades(
        [QueueTrigger(JobQueue.Cascades + JobQueue.PoisonSuffix, Connection = JobQueue.Connection)] string message, CancellationToken ct) =>
            Keep(JobQueue.Cascades, message, ct);

    [Function("keep-given-up-redeliveries")]
    public Task Redeliveries(
        [QueueTrigger(JobQueue.Redeliveries + JobQueue.PoisonSuffix, Connection = JobQueue.Connection)] string message, CancellationToken ct) =>
            Keep(JobQueue.Redeliveries, message, ct);

    [Function("keep-given-up-webhook-tests")]
    public Task WebhookTests(
        [QueueTrigger(JobQueue.WebhookTests + JobQueue.PoisonSuffix, Connection = JobQueue.Connection)] string message, CancellationToken ct) =>
            Keep(JobQueue.WebhookTests, message, ct);

    [Function("keep-given-up-reindexes")]
    public Task Reindexes(
        [QueueTrigger(JobQueue.Reindexes + JobQueue.PoisonSuffix, Connection = JobQueue.Connection)] string message, CancellationToken ct) =>
            Keep(JobQueue.Reindexes, message, ct);

    [Function("keep-given-up-purges")]
    public Task Purges(
        [QueueTrigger(JobQueue.Purges + JobQueue.PoisonSuffix, Connection = JobQueue.Connection)] string message, CancellationToken ct) =>
        Keep(JobQueue.Purges, message, ct);

    /// <summary>Moves the message unchanged, so that an operator can put it back into its queue.</summary>
    private async Task Keep(string queue, string message, CancellationToken ct)
    {
        var kept = queue + JobQueue.GivenUpSuffix;
        await queues.Send(kept, message, TimeSpan.Zero, ct);
        Instruments.JobsGivenUp.Add(1, new KeyValuePair<string, object?>("queue", queue));
        GivenUp(log, queue, kept);
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Error,
        Message = "A job of {Queue} was given up. It is kept in {Kept}: mend the cause, then put it back into {Queue}")]
    private static partial void GivenUp(ILogger logger, string queue, string kept);
}
