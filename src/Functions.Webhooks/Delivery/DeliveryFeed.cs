using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using NodeStash.Core.Events;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Telemetry;
using NodeStash.Core.Values;
using NodeStash.Core.Webhooks;

namespace NodeStash.Functions.Webhooks.Delivery;

/// <summary>
/// Reads events off the change feed, records who is to get them, and has the endpoints worked for. Calls no receiver, so a slow one holds up
/// nobody. A batch that comes twice is recorded once.
/// </summary>
public sealed class DeliveryFeed(IWorkspaceStores stores, IDeliveryStores deliveries, WebhookOptions options, TimeProvider clock)
{
    [Function("delivery-feed")]
    [ExponentialBackoffRetry(-1, "00:00:01", "00:05:00")]
    public async Task Run(
        [CosmosDBTrigger("%COSMOS_DATABASE%", "crm", Connection = "COSMOS", LeaseContainerName = "leases", LeaseContainerPrefix = "delivery",
            MaxItemsPerInvocation = 500, FeedPollDelay = 1000, StartFromBeginning = true)]
        IReadOnlyList<EventDocument> documents,
        [DurableClient] DurableTaskClient client,
        CancellationToken ct)
    {
        foreach (var events in documents.Where(d => d.Kind == EventDocument.EventKind).GroupBy(d => d.PartitionKey, StringComparer.Ordinal))
        {
            var partition = Partition.Parse(events.Key);
            Instruments.EventsFed.Add(events.Count());
            var (store, now) = (deliveries.Open(partition), clock.GetUtcNow());
            var webhooks = await EnabledWebhooks(await stores.OpenAt(events, now, ct), ct);
            var due = webhooks.SelectMany(webhook => events.Where(e => IsFor(webhook, e)).Select(e => Delivery(webhook.Id, e.Id, e.Name, e.RecordId, e.Version, now))).ToList();
            if (due.Count == 0) continue;
            await store.Add(due, now, ct);
            await Task.WhenAll(due.Select(delivery => delivery.Lane.WebhookId).Distinct().Select(webhookId => Deliver.Begin(client, store, webhookId, now, ct)));
        }
    }

    private static async ValueTask<IReadOnlyList<Record>> EnabledWebhooks(IWorkspaceStore store, CancellationToken ct)
    {
        var query = new RecordQuery(
            Webhook.Schema.Type, new Condition.Equal(new KeyPath(Webhook.IsEnabled.Name), true), [new SortKey(new KeyPath(Webhook.Schema.CreatedAt.Name), false)], null, 100);
        var webhooks = new List<Record>();
        while (true)
        {
            var page = await store.Query(query, ct);
            webhooks.AddRange(page.Records.Select(stored => Record.Load(Webhook.Schema, stored)));
            if (page.Next is null) return webhooks;
            query = query with { After = page.Next };
        }
    }

    /// <summary>Whether the endpoint subscribes to the event, and was there when it happened.</summary>
    private bool IsFor(Record webhook, EventDocument happened) =>
        EventPattern.Matches(Webhook.Events.Of(webhook), happened.Name) && Ids.TimeOf(happened.Id) >= Ids.TimeOf(webhook.Id) - options.ClockTolerance;

    /// <summary>The delivery of an event to an endpoint.</summary>
    internal static Core.Webhooks.Delivery Delivery(string webhookId, string eventId, string eventName, string recordId, long version, DateTimeOffset now) =>
        new(Ids.Derive(DeliveryLog.Prefix, eventId, webhookId), new Lane(webhookId, recordId), eventId, eventName, version, DeliveryStatus.Pending, [], now);
}
