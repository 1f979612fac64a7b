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
/// Reopens deliveries to an endpoint page by page, oldest first. The endpoint's worker sends them along with new ones. The job may be interrupted
/// anywhere and repeated.
/// </summary>
public sealed class Redeliver(JobRun run, IWorkspaceStores stores, IDeliveryStores deliveryStores, TimeProvider clock)
{
    private const int PageSize = 100;

    [Function("redeliver")]
    public Task Run([QueueTrigger(JobQueue.Redeliveries, Connection = JobQueue.Connection)] string message, [DurableClient] DurableTaskClient client,
        CancellationToken ct) =>
        run.RunSteps<Redelivery>(Job.Read<Redelivery>(message),
            async (left, stopping) => await ReopenPage(left, client, stopping) is { } place ? left with { Place = place } : null, ct);

    /// <summary>Reopens or adds the deliveries of one page, and wakes the worker.</summary>
    /// <returns>The place where the next page begins; null after the last page.</returns>
    private async Task<string?> ReopenPage(Redelivery redelivery, DurableTaskClient client, CancellationToken ct)
    {
        var partition = Partition.Parse(redelivery.Partition);
        var (store, deliveries) = (stores.Open(partition), deliveryStores.Open(partition));
        if (await store.Find(Webhook.Schema.Type, redelivery.WebhookId, ct) is not { } stored
            || Record.Load(Webhook.Schema, stored) is var webhook && !Webhook.IsEnabled.Of(webhook)) return null;
        var next = redelivery.What switch
        {
            RedeliveryKind.One => await ReopenOne(redelivery, deliveries, ct),
            RedeliveryKind.Failed => await ReopenFailed(redelivery, deliveries, ct),
            _ => await ReopenEvents(redelivery, webhook, store, deliveries, ct),
        };
        await EndpointWorkers.Wake(client, deliveries, redelivery.WebhookId, clock.GetUtcNow(), ct);
        return next;
    }

    private async Task<string?> ReopenOne(Redelivery redelivery, IDeliveryStore deliveries, CancellationToken ct)
    {
        await deliveries.Reopen([redelivery.Place!], [DeliveryStatus.Pending, DeliveryStatus.Failed, DeliveryStatus.Delivered], clock.GetUtcNow(), ct);
        return null;
    }

    private async Task<string?> ReopenFailed(Redelivery redelivery, IDeliveryStore deliveries, CancellationToken ct)
    {
        var failed = await deliveries.ListFailed(redelivery.WebhookId, redelivery.Place ?? Ids.FirstAt(DeliveryLog.Prefix, redelivery.Since), PageSize, ct);

        // Skip deliveries that were created after the request and have failed already.
        await deliveries.Reopen([.. failed.Where(delivery => delivery.CreatedAt <= redelivery.Until).Select(delivery => delivery.Id)], [DeliveryStatus.Failed],
            clock.GetUtcNow(), ct);
        return failed.Count == PageSize ? failed[^1].Id : null;
    }

    private async Task<string?> ReopenEvents(Redelivery redelivery, Record webhook, IWorkspaceStore store, IDeliveryStore deliveries, CancellationToken ct)
    {
        var page = await store.ReadEvents(new EventQuery(redelivery.Place, PageSize, From: redelivery.Since), ct);
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
