using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using NodeStash.Core.Events;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;

namespace NodeStash.Functions.Webhooks.Delivery;

/// <summary>Sends <c>webhook.test</c> to an endpoint at once, and once. It is no event of a record: it is in no log, in no lane, and says nothing of the endpoint's health.</summary>
public sealed class SendTest(IWorkspaceStores stores, WebhookOperations endpoints, WebhookSender sender, TestSlots slots, Ids ids, TimeProvider clock)
{
    private const string EventName = "webhook.test";

    [Function(DeliveryWork.SendTest)]
    public static Task<TestSent> Run([OrchestrationTrigger] TaskOrchestrationContext context, TestRequest request) =>
        context.CallActivityAsync<TestSent>(nameof(SendTestEvent), request);

    [Function(nameof(SendTestEvent))]
    public async Task<TestSent> SendTestEvent([ActivityTrigger] TestRequest request, CancellationToken ct)
    {
        using var slot = slots.TryEnter();
        if (slot is null) return new TestSent(null, null);
        var store = stores.Open(Partition.Parse(request.Partition));
        if (await store.Find(Webhook.Schema.Type, request.WebhookId, ct) is not { } stored) return new TestSent(null, null);

        var webhook = Record.Load(Webhook.Schema, stored);
        var happened = EventWriter.Write(
            new ExtraEvent(EventName, Webhook.Schema.Type, webhook.Id, stored.Version, stored.Attributes), ids.New("evt_"), clock.GetUtcNow(), store.Partition,
            new Origin("api", request.Actor, request.RequestId));
        var (attempt, _) = await sender.Send(Webhook.Url.Of(webhook)!, endpoints.SecretsOf(webhook), happened, 1, ct);
        return new TestSent(happened.Id, attempt);
    }
}

/// <summary>Bounds the tests under way in this process, which hold an activity for as long as the receiver takes.</summary>
public sealed class TestSlots
{
    /// <summary>Tests at the same time.</summary>
    public const int Most = 16;

    private int taken;

    /// <returns>The right to make one, until it is disposed; null where there are too many.</returns>
    public IDisposable? TryEnter()
    {
        if (Interlocked.Increment(ref taken) <= Most) return new Slot(this);
        Interlocked.Decrement(ref taken);
        return null;
    }

    private sealed class Slot(TestSlots slots) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref slots.taken);
    }
}
