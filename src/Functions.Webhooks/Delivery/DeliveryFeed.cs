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
/// Reads events from the change feed, records a delivery for each endpoint that subscribes, and wakes the endpoints' workers. It calls no receiver, so a
/// slow one delays nobody. Reading a batch again records nothing new.
/// </summary>
public sealed class DeliveryFeed(IWorkspaceStores stores, IDeliveryStores deliveries, WebhookOptions options, TimeProvider clock)
{
    /// <summary>Handles one batch of the change feed. A batch that fails comes again.</summary>
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
            var webhooks = await ReadEnabledWebhooks(await stores.OpenAt(events, now, ct), ct);
            var due = (
                from webhook in webhooks
                from happened in events
                where IsFor(webhook, happened)
                select Core.Webhooks.Delivery.Create(webhook.Id, happened.Id, happened.Name, happened.RecordId, happened.Version, now)).ToList();
            if (due.Count == 0) continue;
            await store.Add(due, now, ct);
            var endpoints = due.Select(delivery => delivery.Lane.WebhookId).Distinct();
            await Task.WhenAll(endpoints.Select(webhookId => EndpointWorkers.Wake(client, store, webhookId, now, ct)));
        }
    }

    private static async ValueTask<IReadOnlyList<Record>> ReadEnabledWebhooks(IWorkspaceStore store, CancellationToken ct)
    {
        var isEnabled = new Condition.Equal(new KeyPath(Webhook.IsEnabled.Name), true);
        var query = new RecordQuery(Webhook.Schema.Type, isEnabled, [new SortKey(new KeyPath(Webhook.Schema.CreatedAt.Name), false)], null, 100);
        var webhooks = new List<Record>();
        while (true)
        {
            var page = await store.Query(query, ct);
            webhooks.AddRange(page.Records.Select(stored => Record.Load(Webhook.Schema, stored)));
            if (page.Next is null) return webhooks;
            query = query with { After = page.Next };
        }
    }

    /// <summary>Whether the endpoint subscribes to the event, and existed when it happened.</summary>
    private bool IsFor(Record webhook, EventDocument happened) =>
        EventPattern.Matches(Webhook.Events.Of(webhook), happened.Name) && Ids.TimeOf(happened.Id) >= Ids.TimeOf(webhook.Id) - options.ClockTolerance;
}
