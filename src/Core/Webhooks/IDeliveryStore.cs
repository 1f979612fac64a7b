using NodeStash.Core.Storage;

namespace NodeStash.Core.Webhooks;

/// <summary>
/// The deliveries of one data set: which event goes to which endpoint, and what came of it. Deliveries of one record to one endpoint
/// form a lane; a lane is worked off by one holder at a time, oldest first, so that order is kept while lanes do not wait for each other.
/// </summary>
public interface IDeliveryStore
{
    Partition Partition { get; }

    /// <summary>Records what is to be delivered. Those recorded before are left as they are, so that a repeated feed batch changes nothing.</summary>
    ValueTask Add(IReadOnlyCollection<Delivery> deliveries, CancellationToken ct);

    /// <summary>
    /// The oldest pending delivery of a lane, with the lane held for <paramref name="holder"/>. Where nothing is pending the lane is let go, in the
    /// same transaction: whatever is added afterwards finds it free.
    /// </summary>
    /// <param name="lane">The endpoint and the record.</param>
    /// <param name="holder">The orchestration that asks.</param>
    /// <param name="now">The time.</param>
    /// <param name="until">When a holder that was never heard of again loses the lane.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask<LaneHead> Next(Lane lane, string holder, DateTimeOffset now, DateTimeOffset until, CancellationToken ct);

    /// <summary>
    /// Adds an attempt to a delivery and sets its status. An attempt of a number already stored changes nothing, nor does one of an unknown
    /// delivery. A delivery that was settled meanwhile gets the attempt but keeps its status, unless the attempt delivered it.
    /// </summary>
    ValueTask Attempted(string deliveryId, DeliveryAttempt attempt, DeliveryStatus status, CancellationToken ct);

    /// <summary>
    /// Sets the status of the pending deliveries of an endpoint (deleted: canceled, disabled: failed), and lets its lanes go where nothing is pending
    /// any more, so that what comes once it is enabled again need not wait for the retry of what was given up.
    /// </summary>
    /// <param name="webhookId"><c>wh_…</c></param>
    /// <param name="status">What they become.</param>
    /// <param name="asOf">When the endpoint was seen to be deleted or disabled: deliveries recorded later stay pending, for it may be enabled again.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>How many deliveries.</returns>
    ValueTask<int> Settle(string webhookId, DeliveryStatus status, DateTimeOffset asOf, CancellationToken ct);

    ValueTask<Delivery?> Find(string deliveryId, CancellationToken ct);

    /// <summary>An endpoint's deliveries, newest first.</summary>
    /// <param name="webhookId"><c>wh_…</c></param>
    /// <param name="status">Only these; null for all.</param>
    /// <param name="before">Only deliveries with an id below this one; null for the first page.</param>
    /// <param name="limit">The most to answer.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask<IReadOnlyList<Delivery>> List(string webhookId, DeliveryStatus? status, string? before, int limit, CancellationToken ct);
}

/// <summary>Opens the deliveries of a data set.</summary>
public interface IDeliveryStores
{
    IDeliveryStore Open(Partition partition);
}

/// <summary>The deliveries of one record to one endpoint.</summary>
public sealed record Lane(string WebhookId, string RecordId);

public enum DeliveryStatus
{
    /// <summary>To be sent, for the first time or again.</summary>
    Pending,

    /// <summary>Answered with 2xx.</summary>
    Delivered,

    /// <summary>Given up: every attempt failed, or the endpoint is disabled. Can be recovered.</summary>
    Failed,

    /// <summary>The endpoint was deleted.</summary>
    Canceled,
}

/// <param name="Id"><c>dlv_…</c>, derived from the event and the endpoint.</param>
/// <param name="Lane">The endpoint and the record.</param>
/// <param name="EventId"><c>evt_…</c></param>
/// <param name="EventName">E.g. <c>contact.created</c>.</param>
/// <param name="Version">The record's version: a lane is ordered by version, then event id.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="Attempts">Oldest first.</param>
/// <param name="CreatedAt">When it was recorded.</param>
public sealed record Delivery(
    string Id, Lane Lane, string EventId, string EventName, long Version, DeliveryStatus Status, IReadOnlyList<DeliveryAttempt> Attempts, DateTimeOffset CreatedAt);

/// <param name="Number">From 1.</param>
/// <param name="At">When it began.</param>
/// <param name="Duration">How long it took.</param>
/// <param name="Outcome">What happened.</param>
/// <param name="StatusCode">The HTTP status answered; null where there was no answer.</param>
/// <param name="Answer">The first 4 KiB of the answer's body as text; null where there was none.</param>
public sealed record DeliveryAttempt(int Number, DateTimeOffset At, TimeSpan Duration, AttemptOutcome Outcome, int? StatusCode, string? Answer);

/// <summary>What came of asking for a lane's next delivery.</summary>
/// <param name="State">Whether there is one to send.</param>
/// <param name="Delivery">The delivery; null unless <see cref="LaneState.Ready"/>.</param>
public readonly record struct LaneHead(LaneState State, Delivery? Delivery = null);

public enum LaneState
{
    /// <summary>There is a delivery to send; the lane is held.</summary>
    Ready,

    /// <summary>Nothing is pending; the lane is free.</summary>
    Empty,

    /// <summary>Another holder works it off.</summary>
    Held,
}
