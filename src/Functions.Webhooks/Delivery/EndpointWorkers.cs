using Microsoft.DurableTask.Client;
using NodeStash.Core.Telemetry;
using NodeStash.Core.Webhooks;

namespace NodeStash.Functions.Webhooks.Delivery;

/// <summary>Starts and wakes the workers of endpoints. Feed, jobs and sender call it; it knows the orchestrator by name only.</summary>
internal static class EndpointWorkers
{
    /// <summary>Name of the orchestrator <see cref="Deliver.DeliverToEndpoint"/>. Histories on disk have it.</summary>
    public const string Orchestrator = "DeliverToEndpoint";

    /// <summary>Name of the event that wakes a sleeping worker. Histories on disk have it.</summary>
    public const string WakeEvent = "Wake";

    /// <summary>Starts a worker for an endpoint that has none, and wakes one that is asleep. Call it after deliveries were added or reopened.</summary>
    public static async Task Wake(DurableTaskClient client, IDeliveryStore deliveries, string webhookId, DateTimeOffset now, CancellationToken ct)
    {
        var worker = await deliveries.GetWorker(webhookId, now, ct);
        if (worker is { IsAsleep: true } && await client.GetInstanceAsync(worker.Holder, ct) is null or { IsCompleted: true })
        {
            // An operator ended the orchestration, or the durable engine lost its storage: nothing would ever wake this worker.
            await deliveries.Release(webhookId, worker.Holder, ct);
            Instruments.WorkersReplaced.Add(1);
            worker = null;
        }

        var work = new EndpointWork(deliveries.Partition.Key, webhookId, Holder: null);
        if (worker is null) await client.ScheduleNewOrchestrationInstanceAsync(Orchestrator, work, ct);
        else if (worker.IsAsleep) await client.RaiseEventAsync(worker.Holder, WakeEvent, "", ct);
    }
}
