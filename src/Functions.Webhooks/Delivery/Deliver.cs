using System.Buffers.Binary;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using NodeStash.Core.Webhooks;

namespace NodeStash.Functions.Webhooks.Delivery;

/// <summary>How deliveries are worked off: a batch of lanes at once, then each lane that failed on its own, for as long as its schedule lasts.</summary>
public static class Deliver
{
    /// <summary>Before an endpoint that is slow to answer, and is being served already, is asked for again.</summary>
    private static readonly TimeSpan BusyWait = TimeSpan.FromSeconds(5);

    /// <summary>Faults of ours (the store is down, say) are tried again for as long as they last; what receivers do is an answer, not a fault.</summary>
    private static readonly TaskOptions Persistent = TaskOptions.FromRetryPolicy(
        new RetryPolicy(maxNumberOfAttempts: int.MaxValue, firstRetryInterval: TimeSpan.FromSeconds(1), backoffCoefficient: 2, maxRetryInterval: TimeSpan.FromMinutes(5)));

    /// <summary>Sends what is due in the lanes of one endpoint. One activity serves the whole batch; only lanes that fail, or take long, cost more.</summary>
    [Function(nameof(DeliverBatch))]
    public static async Task DeliverBatch([OrchestrationTrigger] TaskOrchestrationContext context, LaneBatch batch)
    {
        var retries = new List<Task>();
        var held = batch with { Holder = context.InstanceId };
        while (held.RecordIds.Count > 0)
        {
            var sent = await Send(context, held);
            retries.AddRange(sent.Failures.Select(failure =>
                context.CallSubOrchestratorAsync(nameof(RetryLane), new LaneRetry(held with { RecordIds = [failure.RecordId] }, failure))));
            held = held with { RecordIds = sent.Left };
        }

        await Task.WhenAll(retries);
    }

    /// <summary>Waits, sends what is due in one lane, and begins anew with the next wait if that fails too. Each round has a history of its own.</summary>
    [Function(nameof(RetryLane))]
    public static async Task RetryLane([OrchestrationTrigger] TaskOrchestrationContext context, LaneRetry retry)
    {
        // Chance has to be the same on replay: the context's ids are.
        Span<byte> random = stackalloc byte[16];
        context.NewGuid().TryWriteBytes(random);
        var chance = BinaryPrimitives.ReadUInt32LittleEndian(random) / (double)uint.MaxValue;
        if (RetrySchedule.After(retry.Failure.Attempt, retry.Failure.RetryAfter, chance) is not { } wait) return;
        context.SetCustomStatus(new LaneWait(retry.Failure.Attempt + 1, context.CurrentUtcDateTime + wait));
        await context.CreateTimer(wait, CancellationToken.None);

        LanesSent sent;
        do sent = await Send(context, retry.Lane);
        while (sent.Left.Count > 0);
        if (sent.Failures is [var failure]) context.ContinueAsNew(retry with { Failure = failure });
    }

    private static async Task<LanesSent> Send(TaskOrchestrationContext context, LaneBatch lanes)
    {
        while (true)
        {
            var sent = await context.CallActivityAsync<LanesSent>(nameof(SendLanes.SendDueLanes), lanes, Persistent);
            if (!sent.IsBusy) return sent;
            await context.CreateTimer(BusyWait, CancellationToken.None);
        }
    }
}

/// <summary>Lanes of one endpoint that have something due. Input of <see cref="Deliver.DeliverBatch"/> and <see cref="SendLanes"/>, version 1.</summary>
/// <param name="Partition">The data set (<see cref="Core.Storage.Partition.Key"/>).</param>
/// <param name="WebhookId">The endpoint.</param>
/// <param name="RecordIds">The records.</param>
/// <param name="Holder">Who holds the lanes: the orchestration that was started for them. Null until it has started.</param>
public sealed record LaneBatch(string Partition, string WebhookId, IReadOnlyList<string> RecordIds, string? Holder);

/// <summary>What came of sending what was due in a batch. Output of <see cref="SendLanes"/>, version 1.</summary>
/// <param name="Failures">The lanes that wait for another attempt.</param>
/// <param name="Left">The lanes that were not worked off to their end, to be gone on with at once.</param>
/// <param name="IsBusy">Nothing was done: the endpoint is slow, and others are at it.</param>
public sealed record LanesSent(IReadOnlyList<LaneFailure> Failures, IReadOnlyList<string> Left, bool IsBusy);

/// <summary>A lane whose oldest delivery failed and is to be tried again.</summary>
/// <param name="RecordId">The lane's record.</param>
/// <param name="Attempt">The number of the attempt that failed.</param>
/// <param name="RetryAfter">What the receiver asked for; null for nothing.</param>
public sealed record LaneFailure(string RecordId, int Attempt, TimeSpan? RetryAfter);

/// <summary>Input of <see cref="Deliver.RetryLane"/>, version 1.</summary>
/// <param name="Lane">A batch of one lane.</param>
/// <param name="Failure">What happened last.</param>
public sealed record LaneRetry(LaneBatch Lane, LaneFailure Failure);

/// <summary>What <see cref="Deliver.RetryLane"/> waits for; its custom status, for whoever looks after the orchestrations.</summary>
/// <param name="Attempt">The number of the next attempt.</param>
/// <param name="DueAt">When it is made.</param>
public sealed record LaneWait(int Attempt, DateTimeOffset DueAt);
