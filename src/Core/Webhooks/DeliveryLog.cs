using System.Text.Json;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Webhooks;

/// <summary>Lists deliveries and renders them for the API. Source: docs/api/webhooks.md, Endpoints.</summary>
public sealed class DeliveryLog(IDeliveryStores stores)
{
    /// <summary>Type of a delivery in the API.</summary>
    public const string Type = "delivery";

    /// <summary>Prefix of the ids of deliveries.</summary>
    public const string Prefix = "dlv_";

    /// <summary>Lists one page of an endpoint's deliveries, newest first.</summary>
    /// <param name="partition">The partition of the caller.</param>
    /// <param name="webhookId">The endpoint.</param>
    /// <param name="status">Lists only deliveries of this status; null for all.</param>
    /// <param name="afterId">The last delivery of the page before; null for the first page.</param>
    /// <param name="limit">The most deliveries to list.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>The deliveries, and whether there are more.</returns>
    public async ValueTask<(IReadOnlyList<Delivery> Deliveries, bool HasMore)> List(
        Partition partition, string webhookId, DeliveryStatus? status, string? afterId, int limit, CancellationToken ct)
    {
        var page = await stores.Open(partition).List(webhookId, status, afterId, limit + 1, ct);
        return page.Count > limit ? ([.. page.Take(limit)], true) : (page, false);
    }

    /// <summary>Finds a delivery to an endpoint; null where the endpoint has none of that id.</summary>
    public async ValueTask<Delivery?> Find(Partition partition, string webhookId, string deliveryId, CancellationToken ct) =>
        await stores.Open(partition).Find(deliveryId, ct) is { } delivery && delivery.Lane.WebhookId == webhookId ? delivery : null;

    /// <summary>Renders the attributes of a delivery as UTF-8 JSON.</summary>
    /// <param name="delivery">The delivery.</param>
    /// <param name="withAnswers">Whether each attempt includes the receiver's answer; otherwise only its outcome.</param>
    public static ReadOnlyMemory<byte> Attributes(Delivery delivery, bool withAnswers) => JsonForm.Object(writer =>
    {
        writer.WriteString("id"u8, delivery.Id);
        writer.WriteString("webhook_id"u8, delivery.Lane.WebhookId);
        writer.WriteString("event_id"u8, delivery.EventId);
        writer.WriteString("event"u8, delivery.EventName);
        writer.WriteString("record_id"u8, delivery.Lane.RecordId);
        writer.WriteString("status"u8, Text.ToSnakeCase(delivery.Status.ToString()));
        writer.WriteStartArray("attempts"u8);
        foreach (var attempt in delivery.Attempts) WriteAttempt(writer, attempt, withAnswers);
        writer.WriteEndArray();
        writer.WriteString("created_at"u8, Text.Format(delivery.CreatedAt));
    });

    /// <summary>Renders the attributes of a test that was sent as UTF-8 JSON.</summary>
    public static ReadOnlyMemory<byte> TestAttributes(string webhookId, string eventId, DeliveryAttempt attempt) => JsonForm.Object(writer =>
    {
        writer.WriteString("id"u8, eventId);
        writer.WriteString("webhook_id"u8, webhookId);
        WriteOutcome(writer, attempt, withAnswer: true);
    });

    private static void WriteAttempt(Utf8JsonWriter writer, DeliveryAttempt attempt, bool withAnswer)
    {
        writer.WriteStartObject();
        writer.WriteNumber("number"u8, attempt.Number);
        WriteOutcome(writer, attempt, withAnswer);
        writer.WriteEndObject();
    }

    private static void WriteOutcome(Utf8JsonWriter writer, DeliveryAttempt attempt, bool withAnswer)
    {
        writer.WriteString("at"u8, Text.Format(attempt.At));
        writer.WriteNumber("duration_ms"u8, (long)attempt.Duration.TotalMilliseconds);
        writer.WriteString("outcome"u8, attempt.Outcome.Name());
        writer.WritePropertyName("status_code"u8);
        if (attempt.StatusCode is { } status) writer.WriteNumberValue(status);
        else writer.WriteNullValue();
        writer.WriteString("error"u8, attempt.Outcome.Error());
        if (withAnswer) writer.WriteString("response"u8, attempt.Answer);
    }
}
