using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using NodeStash.Core.Jobs;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;
using NodeStash.Core.Webhooks;
using NodeStash.Functions.Webhooks.Delivery;

namespace NodeStash.Functions.Webhooks.Jobs;

/// <summary>
/// Has events sent again, from the oldest on and a page at a time; may be interrupted anywhere and repeated. The endpoint's worker sends them, beside
/// what is new.
/// </summary>
public sealed class Redeliver(JobRun run, IWorkspaceStores stores, IDeliveryStores deliveryStores, TimeProvider clock)
{
    private const int Page = 100;

    [Function("redeliver")]
    public Task Run([QueueTrigger(JobQueue.Redeliveries, Connection = JobQueue.Connection)] string message, [DurableClient] DurableTaskClient client,
        CancellationToken ct) =>
        run.Steps<Redelivery>(Job.Read<Redelivery>(message),
            async (left, stopping) => await ReopenPage(left, client, stopping) is { } place ? left with { Place = place } : null, ct);

    /// <returns>Where the next page begins; null where this was the last.</returns>
    private async Task<string?> ReopenPage(Redelivery redelivery, DurableTaskClient client, CancellationToken ct)
    {
        var partition = Partition.Parse(redelivery.Partition);
        var (store, deliveries) = (stores.Open(partition), deliveryStores.Open(partition));
        if (await store.Find(Webhook.Schema.Type, redelivery.WebhookId, ct) is not { } stored
            || Record.Load(Webhook.Schema, stored) is var webhook && !Webhook.IsEnabled.Of(webhook)) return null;
        var next = redelivery.What switch
        {
            RedeliveryKind.One => await One(redelivery, deliveries, ct),
            RedeliveryKind.Failed => await Failed(redelivery, deliveries, ct),
            _ => await Events(redelivery, webhook, store, deliveries, ct),
        };
        await EndpointWorkers.Wake(client, deliveries, redelivery.WebhookId, clock.GetUtcNow(), ct);
        return next;
    }

    private async Task<string?> One(Redelivery redelivery, IDeliveryStore deliveries, CancellationToken ct)
    {
        await deliveries.Reopen([redelivery.Place!], [DeliveryStatus.Pending, DeliveryStatus.Failed, DeliveryStatus.Delivered], clock.GetUtcNow(), ct);
        return null;
    }

    private async Task<string?> Failed(Redelivery redelivery, IDeliveryStore deliveries, CancellationToken ct)
    {
        var failed = await deliveries.ListFailed(redelivery.WebhookId, redelivery.Place ?? Ids.FirstAt(DeliveryLog.Prefix, redelivery.Since), Page, ct);
        // What was recorded later and failed already is not meant.
        await deliveries.Reopen([.. failed.Where(delivery => delivery.CreatedAt <= redelivery.Until).Select(delivery => delivery.Id)], [DeliveryStatus.Failed],
            clock.GetUtcNow(), ct);
        return failed.Count == Page ? failed[^1].Id : null;
    }

    private async Task<string?> Events(Redelivery redelivery, Record webhook, IWorkspaceStore store, IDeliveryStore deliveries, CancellationToken ct)
    {
        var page = await store.ReadEvents(new EventQuery(redelivery.Place, Page, From: redelivery.Since), ct);
        var now = clock.GetUtcNow();
        var due = page.Events
            .Where(e => e.At <= redelivery.Until && EventPattern.Matches(Webhook.Events.Of(webhook), e.Name))
            .Select(e => Core.Webhooks.Delivery.Create(webhook.Id, e.Id, e.Name, e.RecordId, e.Version, now)).ToList();
        await deliveries.Add(due, now, ct);
        await deliveries.Reopen(
            [.. due.Select(delivery => delivery.Id)],
            redelivery.What is RedeliveryKind.Missing ? [DeliveryStatus.Failed] : [DeliveryStatus.Failed, DeliveryStatus.Delivered], now, ct);
        return page.HasMore && page.Events[^1].At <= redelivery.Until ? page.Position : null;
    }
}
