namespace NodeStash.Core.Webhooks;

/// <summary>What the API hands over to delivery: the orchestrations that take it on, by name.</summary>
public static class DeliveryWork
{
    /// <summary>Sends <c>webhook.test</c>. Takes a <see cref="TestRequest"/>, answers a <see cref="TestSent"/>.</summary>
    public const string SendTest = "SendTest";

    /// <summary>Has events sent again. Takes a <see cref="Redelivery"/>.</summary>
    public const string Redeliver = "Redeliver";
}

/// <summary>Input of <see cref="DeliveryWork.SendTest"/>, version 1.</summary>
/// <param name="Partition">The data set (<see cref="Storage.Partition.Key"/>).</param>
/// <param name="WebhookId">The endpoint, enabled or not.</param>
/// <param name="Actor">Who asks for it.</param>
/// <param name="RequestId"><c>req_…</c></param>
public sealed record TestRequest(string Partition, string WebhookId, string Actor, string? RequestId);

/// <summary>Output of <see cref="DeliveryWork.SendTest"/>, version 1.</summary>
/// <param name="EventId">Of the event that was sent; null where none was, for too many tests were under way or the endpoint is gone.</param>
/// <param name="Attempt">What came of it; null where none was made.</param>
public sealed record TestSent(string? EventId, DeliveryAttempt? Attempt);

/// <summary>Events to be sent to an endpoint again. Input of <see cref="DeliveryWork.Redeliver"/>, version 1.</summary>
/// <param name="Partition">The data set (<see cref="Storage.Partition.Key"/>).</param>
/// <param name="WebhookId">The endpoint.</param>
/// <param name="What">Which of them.</param>
/// <param name="Since">The time of the first event.</param>
/// <param name="Until">The time of the last event: when it was asked for.</param>
/// <param name="Place">How far it has come, and for <see cref="RedeliveryKind.One"/> the delivery; null for the beginning.</param>
public sealed record Redelivery(string Partition, string WebhookId, RedeliveryKind What, DateTimeOffset Since, DateTimeOffset Until, string? Place = null);

public enum RedeliveryKind
{
    /// <summary>One delivery, whatever became of it.</summary>
    One,

    /// <summary>Deliveries that failed.</summary>
    Failed,

    /// <summary>Events the endpoint subscribes to and did not take.</summary>
    Missing,

    /// <summary>Events the endpoint subscribes to.</summary>
    All,
}
