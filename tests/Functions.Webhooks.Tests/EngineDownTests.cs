using Microsoft.DurableTask.Client;
using Moq;
using NodeStash.Core.Events;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;
using NodeStash.Functions.Webhooks.Delivery;
using NodeStash.Support.Http;

namespace NodeStash.Functions.Webhooks.Tests;

/// <summary>The durable engine does not answer. In Azure it is a service of its own, so it can be down while the store is not.</summary>
public sealed class EngineDownTests
{
    [Fact]
    public async Task A_batch_whose_worker_cannot_begin_fails_and_begins_it_when_it_comes_again()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        var webhook = await crm.Api.Subscribe(receiver.Address);
        await crm.Api.CreateContact("jane@example.com");
        var sent = await receiver.Event("contact.created");
        await crm.IsIdle();
        var partition = new Partition(sent.Event.GetProperty("metadata").GetProperty("workspace_id").GetString()!, WorkspaceEnvironment.Live);
        var happened = new EventDocument
        {
            Id = sent.Id,
            Kind = EventDocument.EventKind,
            PartitionKey = partition.Key,
            Name = "contact.created",
            RecordType = "contact",
            RecordId = sent.RecordId,
            Version = sent.Version,
        };
        var (work, engine) = (new EndpointWork(partition.Key, webhook.Id, null), new Mock<DurableTaskClient>("engine") { CallBase = true });
        engine.SetupSequence(
            client => client.ScheduleNewOrchestrationInstanceAsync(nameof(Deliver.DeliverToEndpoint), work, null, It.IsAny<CancellationToken>()))
            .ThrowsAsync(new IOException("the engine does not answer"))
            .ReturnsAsync("worker");
        var feed = new DeliveryFeed(crm.Service<IWorkspaceStores>(), crm.Service<IDeliveryStores>(), crm.Service<WebhookOptions>(), crm.Time);

        await Assert.ThrowsAsync<IOException>(() => feed.Run([happened], engine.Object, CancellationToken.None));
        await feed.Run([happened], engine.Object, CancellationToken.None);

        engine.Verify(client => client.ScheduleNewOrchestrationInstanceAsync(nameof(Deliver.DeliverToEndpoint), work, null, It.IsAny<CancellationToken>()),
            Times.Exactly(2));
        var recorded = await crm.Service<IDeliveryStores>().Open(partition).List(webhook.Id, null, null, 10, CancellationToken.None);
        Assert.Equal([happened.Id], recorded.Select(delivery => delivery.EventId));
    }
}
