using Microsoft.DurableTask.Client;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;

namespace NodeStash.Functions.Webhooks.Delivery;

/// <summary>Bundles the parts that one round of one endpoint works with.</summary>
/// <param name="WebhookId">The endpoint, <c>wh_…</c></param>
/// <param name="Holder">The instance id of the orchestration that works for the endpoint.</param>
/// <param name="Store">Records and events of the endpoint's partition.</param>
/// <param name="Deliveries">Deliveries of the same partition.</param>
/// <param name="Client">Starts and wakes workers.</param>
/// <param name="Round">The state of the round.</param>
/// <param name="Lanes">The lanes that the round works on.</param>
internal sealed record Dispatch(
    string WebhookId, string Holder, IWorkspaceStore Store, IDeliveryStore Deliveries, DurableTaskClient Client, Round Round, Lanes Lanes);
