using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Jobs;
using NodeStash.Core.Telemetry;

namespace NodeStash.Functions.Webhooks.Jobs;

/// <summary>
/// Keeps jobs that failed every time until somebody decides, and reports each. The Functions host puts them into a poison queue, whose messages live for
/// 7 days; here they go on to a queue whose messages do not expire. A poison queue has none of its own:
/// a message that fails here five times stays there until it expires, and the alert tells of it.
/// </summary>
public sealed partial class KeepGivenUp(IJobQueues queues, ILogger<KeepGivenUp> log)
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

    /// <summary>Sends the job on as it is, so that the same text can be put back into its queue.</summary>
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
