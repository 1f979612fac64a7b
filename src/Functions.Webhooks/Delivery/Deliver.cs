using System.Diagnostics.CodeAnalysis;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace NodeStash.Functions.Webhooks.Delivery;

/// <summary>Works for an endpoint for as long as it has pending deliveries: one orchestration per endpoint, however many deliveries there are.</summary>
public static class Deliver
{
    /// <summary>Rounds after which the history begins anew.</summary>
    private const int MaxRounds = 100;

    /// <summary>Wait before the next round of an endpoint that has as many attempts in flight as it may.</summary>
    private static readonly TimeSpan BusyWait = TimeSpan.FromSeconds(2);

    /// <summary>Repeats a round until it succeeds. Only our own faults fail it, such as a store that is down: a receiver's failure is an answer.</summary>
    private static readonly TaskOptions RetryForever = TaskOptions.FromRetryPolicy(
        new RetryPolicy(
            maxNumberOfAttempts: int.MaxValue, firstRetryInterval: TimeSpan.FromSeconds(1), backoffCoefficient: 2, maxRetryInterval: TimeSpan.FromMinutes(5)));

    /// <summary>Sends due deliveries round by round. Sleeps until the next one is due or an event wakes it, and ends when nothing is pending.</summary>
    [Function(EndpointWorkers.Orchestrator)]
    [SuppressMessage("Usage", "VSTHRD103", Justification = "An orchestrator may await durable tasks alone, and CancelAsync is none.")]
    public static async Task DeliverToEndpoint([OrchestrationTrigger] TaskOrchestrationContext context, EndpointWork work)
    {
        var held = work with { Holder = context.InstanceId };
        for (var round = 0; round < MaxRounds; round++)
        {
            var sent = await context.CallActivityAsync<RoundSent>(nameof(SendDeliveries.SendDueDeliveries), held, RetryForever);
            if (sent.End is RoundEnd.NoWork) return;
            if (sent.End is RoundEnd.Busy) await context.CreateTimer(BusyWait, CancellationToken.None);
            if (sent.Next is not { } next) continue;

            context.SetCustomStatus(next);
            using var awake = new CancellationTokenSource();
            var due = context.CreateTimer(next.DueAt.UtcDateTime, awake.Token);
            await Task.WhenAny(due, context.WaitForExternalEvent<string>(EndpointWorkers.WakeEvent));
            awake.Cancel();
            context.SetCustomStatus(null);
            break;
        }

        context.ContinueAsNew(work);
    }
}
