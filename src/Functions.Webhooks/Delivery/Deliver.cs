using System.Diagnostics.CodeAnalysis;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using NodeStash.Core.Telemetry;
using NodeStash.Core.Webhooks;

namespace NodeStash.Functions.Webhooks.Delivery;

/// <summary>How the deliveries of an endpoint are worked off: by one orchestration, for as long as there are any. However many there are, it is one at a time that costs.</summary>
public static class Deliver
{
    /// <summary>Tells a worker that sleeps that there is something due.</summary>
    public const string Wake = "Wake";

    /// <summary>Rounds after which the history begins anew.</summary>
    private const int MostRounds = 100;

    /// <summary>Before an endpoint that has as much under way as it may is asked for again.</summary>
    private static readonly TimeSpan BusyWait = TimeSpan.FromSeconds(2);

    /// <summary>Faults of ours (the store is down, say) are tried again for as long as they last; what receivers do is an answer, not a fault.</summary>
    internal static readonly TaskOptions Persistent = TaskOptions.FromRetryPolicy(
        new RetryPolicy(maxNumberOfAttempts: int.MaxValue, firstRetryInterval: TimeSpan.FromSeconds(1), backoffCoefficient: 2, maxRetryInterval: TimeSpan.FromMinutes(5)));

    /// <summary>Sends what is due, round by round; sleeps until more is due, or until it is woken; ends when nothing is pending.</summary>
    [Function(nameof(DeliverToEndpoint))]
    [SuppressMessage("Usage", "VSTHRD103", Justification = "An orchestrator may await durable tasks alone, and CancelAsync is none.")]
    public static async Task DeliverToEndpoint([OrchestrationTrigger] TaskOrchestrationContext context, EndpointWork work)
    {
        var held = work with { Holder = context.InstanceId };
        for (var round = 0; round < MostRounds; round++)
        {
            var sent = await context.CallActivityAsync<RoundSent>(nameof(SendDeliveries.SendDueDeliveries), held, Persistent);
            if (sent.End is RoundEnd.Done) return;
            if (sent.End is RoundEnd.Busy) await context.CreateTimer(BusyWait, CancellationToken.None);
            if (sent.Next is not { } next) continue;

            context.SetCustomStatus(next);
            using var awake = new CancellationTokenSource();
            var due = context.CreateTimer(next.DueAt.UtcDateTime, awake.Token);
            await Task.WhenAny(due, context.WaitForExternalEvent<string>(Wake));
            awake.Cancel();
            context.SetCustomStatus(null);
            break;
        }

        context.ContinueAsNew(work);
    }

    /// <summary>Sees to it that somebody works for an endpoint for which something was recorded.</summary>
    internal static async Task Begin(DurableTaskClient client, IDeliveryStore deliveries, string webhookId, DateTimeOffset now, CancellationToken ct)
    {
        var worker = await deliveries.GetWorker(webhookId, now, ct);
        if (worker is { IsAsleep: true } && await client.GetInstanceAsync(worker.Holder, ct) is null or { IsCompleted: true })
        {
            // It was ended from outside, or lost with the durable engine's storage: it would sleep for ever.
            await deliveries.Release(webhookId, worker.Holder, ct);
            Instruments.WorkersReplaced.Add(1);
            worker = null;
        }

        if (worker is null) await client.ScheduleNewOrchestrationInstanceAsync(nameof(DeliverToEndpoint), new EndpointWork(deliveries.Partition.Key, webhookId, Holder: null), ct);
        else if (worker.IsAsleep) await client.RaiseEventAsync(worker.Holder, Wake, "", ct);
    }
}

/// <summary>
/// An endpoint to work for. Input of <see cref="Deliver.DeliverToEndpoint"/> and <see cref="SendDeliveries"/>, version 1. Histories on disk have it in this
/// form, which <c>InFlightTests</c> holds. Where it must change, the old form is to be read, too, until no history of it is left: each begins anew
/// after at most 100 rounds.
/// </summary>
/// <param name="Partition">The data set (<see cref="Core.Storage.Partition.Key"/>).</param>
/// <param name="WebhookId">The endpoint.</param>
/// <param name="Holder">Who works for it: the orchestration that was started. Null until it has started.</param>
public sealed record EndpointWork(string Partition, string WebhookId, string? Holder);

/// <summary>What came of sending what was due. Output of <see cref="SendDeliveries"/>, version 1; its form on disk is held as that of <see cref="EndpointWork"/> is.</summary>
/// <param name="End">How the round ended.</param>
/// <param name="Next">What is waited for; null unless <see cref="RoundEnd.Waits"/>.</param>
public sealed record RoundSent(RoundEnd End, LaneWait? Next = null);

/// <summary>On disk by its number.</summary>
public enum RoundEnd
{
    /// <summary>Nothing is pending, or another worker has the endpoint.</summary>
    Done,

    /// <summary>There may be more; it was time for others.</summary>
    More,

    /// <summary>What is pending is due later.</summary>
    Waits,

    /// <summary>The endpoint has as many attempts under way as it may.</summary>
    Busy,
}

/// <summary>What <see cref="Deliver.DeliverToEndpoint"/> waits for; its custom status, for whoever looks after the orchestrations.</summary>
/// <param name="Attempt">The number of the next attempt.</param>
/// <param name="DueAt">When it is made.</param>
public sealed record LaneWait(int Attempt, DateTimeOffset DueAt);
