using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Events;
using NodeStash.Core.Jobs;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;
using NodeStash.Functions.Webhooks.Delivery;

namespace NodeStash.Functions.Webhooks.Jobs;

/// <summary>
/// Sends <c>webhook.test</c> to an endpoint and stores the attempt. The test is no event of a record: it stays out of the event log and of all lanes,
/// and does not count for the endpoint's health.
/// </summary>
public sealed class SendTest(JobRun run, IWorkspaceStores stores, WebhookOperations endpoints, WebhookSender sender, TimeProvider clock)
{
    private const string EventName = "webhook.test";

    [Function("send-test")]
    public Task Run([QueueTrigger(JobQueue.WebhookTests, Connection = JobQueue.Connection)] string message, CancellationToken ct) =>
        run.RunSteps(Job.Read<WebhookTest>(message), Send, ct);

    private async ValueTask<WebhookTest?> Send(WebhookTest test, CancellationToken ct)
    {
        var store = stores.Open(Partition.Parse(test.Partition));
        if (clock.GetUtcNow() >= test.Until || await TestOutcome.Find(store, test.EventId, ct) is not null) return null;
        if (await store.Find(Webhook.Schema.Type, test.WebhookId, ct) is not { } stored) return null;

        var webhook = Record.Load(Webhook.Schema, stored);
        var happened = EventWriter.Write(
            new ExtraEvent(EventName, Webhook.Schema.Type, webhook.Id, stored.Version, stored.Attributes), test.EventId, clock.GetUtcNow(), store.Partition,
            new Origin(ChangeSource.Api, test.Actor, test.RequestId));
        var (attempt, _) = await sender.Send(Webhook.Url.Of(webhook)!, endpoints.SecretsOf(webhook), happened, 1, ct);
        await TestOutcome.Keep(store, test.EventId, attempt, clock.GetUtcNow(), CancellationToken.None);
        return null;
    }
}
