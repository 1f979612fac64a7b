using NodeStash.Core.Values;

namespace NodeStash.Core.Webhooks;

/// <summary>Identifies a lane: the deliveries of one record to one endpoint, which are sent in order.</summary>
/// <param name="WebhookId">The endpoint, <c>wh_…</c></param>
/// <param name="RecordId">The record, of any type.</param>
public sealed record Lane(string WebhookId, string RecordId);

/// <summary>States of a delivery. Stored by number in SQLite and by name in Cosmos DB.</summary>
public enum DeliveryStatus
{
    /// <summary>To be sent, for the first time or again.</summary>
    Pending,

    /// <summary>Answered with 2xx.</summary>
    Delivered,

    /// <summary>Given up: every attempt failed, or the endpoint is disabled. It can be recovered.</summary>
    Failed,

    /// <summary>Given up because the endpoint was deleted.</summary>
    Canceled,
}

/// <summary>Records that an event is to be sent to an endpoint, and the attempts to do so.</summary>
/// <param name="Id">Its id, <c>dlv_…</c>, derived from the event and the endpoint: ordered by the time of the event.</param>
/// <param name="Lane">The endpoint and the record.</param>
/// <param name="EventId">The event, <c>evt_…</c></param>
/// <param name="EventName">The name of the event, e.g. <c>contact.created</c>.</param>
/// <param name="Version">The version of the record. A lane is ordered by version, then event id.</param>
/// <param name="Status">The state it is in.</param>
/// <param name="Attempts">The attempts kept, oldest first.</param>
/// <param name="CreatedAt">When it was added to the store.</param>
/// <param name="AttemptsBefore">The number of the last attempt before it was reopened; 0 if it never was. The retry schedule counts from there.</param>
public sealed record Delivery(
    string Id, Lane Lane, string EventId, string EventName, long Version, DeliveryStatus Status, IReadOnlyList<DeliveryAttempt> Attempts,
    DateTimeOffset CreatedAt, int AttemptsBefore = 0)
{
    /// <summary>The number of the next attempt, from 1.</summary>
    public int NextAttempt => Attempts is [.., var last] ? last.Number + 1 : 1;

    /// <summary>Creates the pending delivery of an event to an endpoint. Its id is derived from both, so that adding it twice changes nothing.</summary>
    public static Delivery Create(string webhookId, string eventId, string eventName, string recordId, long version, DateTimeOffset now) =>
        new(Ids.Derive(DeliveryLog.Prefix, eventId, webhookId), new Lane(webhookId, recordId), eventId, eventName, version, DeliveryStatus.Pending, [], now);
}

/// <summary>Describes one attempt to send a delivery. Stored as JSON by the names of its members.</summary>
/// <param name="Number">Its number, from 1.</param>
/// <param name="At">When it began.</param>
/// <param name="Duration">How long it took.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="StatusCode">The HTTP status answered; null where there was no answer.</param>
/// <param name="Answer">The first 4 KiB of the answer's body as text; null where there was none.</param>
public sealed record DeliveryAttempt(int Number, DateTimeOffset At, TimeSpan Duration, AttemptOutcome Outcome, int? StatusCode, string? Answer)
{
    /// <summary>Most attempts kept of one delivery. A delivery can be retried any number of times.</summary>
    public const int MaxKept = 50;
}
