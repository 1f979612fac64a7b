using NodeStash.Core.Storage;

namespace NodeStash.Core.Webhooks;

/// <summary>
/// The deliveries of one data set: which event goes to which endpoint, and what came of it. Deliveries of one record to one endpoint form a
/// lane, which is worked off oldest first; a lane is due when its oldest pending delivery is. An endpoint has one worker at a time, so that order
/// is kept and no endpoint is sent to from several places, while lanes and endpoints do not wait for each other.
/// </summary>
public interface IDeliveryStore
{
    Partition Partition { get; }

    /// <summary>
    /// Records what is to be delivered; a lane that had nothing pending is due at once. Deliveries recorded before are left as they are, so that a repeated
    /// feed batch changes nothing. Afterwards <see cref="GetWorker"/> tells who is to be started or woken.
    /// </summary>
    /// <param name="deliveries">Pending ones, of any endpoints.</param>
    /// <param name="now">The time.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask Add(IReadOnlyCollection<Delivery> deliveries, DateTimeOffset now, CancellationToken ct);

    /// <summary>
    /// Who works for an endpoint; null for nobody. One that is awake takes again before it sleeps or ends, so what was recorded before
    /// this was asked does not escape it.
    /// </summary>
    ValueTask<Worker?> GetWorker(string webhookId, DateTimeOffset now, CancellationToken ct);

    /// <summary>Takes an endpoint from a worker that is no more, so that another can have it. Nothing changes where it is another's by now, or nobody's.</summary>
    ValueTask Release(string webhookId, string holder, CancellationToken ct);

    /// <summary>
    /// Asks, as the endpoint's worker, for what is due: the oldest pending delivery of each due lane, the lane due for longest first. Where none is due
    /// the worker is noted as asleep; where nothing is pending at all it is let go, in the same transaction: what is recorded afterwards finds no worker.
    /// </summary>
    /// <param name="webhookId"><c>wh_…</c></param>
    /// <param name="holder">The orchestration that asks.</param>
    /// <param name="now">The time.</param>
    /// <param name="until">When a worker that is not heard of again loses the endpoint; if it sleeps, that long after the next lane is due.</param>
    /// <param name="limit">The most lanes.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask<DueDeliveries> AcquireDue(string webhookId, string holder, DateTimeOffset now, DateTimeOffset until, int limit, CancellationToken ct);

    /// <summary>
    /// Adds attempts to deliveries, sets their status and when their lanes are due. An attempt of a number already stored changes nothing, nor does one of an
    /// unknown delivery. A delivery that was settled meanwhile gets the attempt but keeps its status, unless the attempt delivered it. Of many attempts the
    /// last <see cref="DeliveryAttempt.MaxKept"/> are kept.
    /// </summary>
    /// <param name="webhookId">The endpoint of all of them, <c>wh_…</c></param>
    /// <param name="attempts">Of different lanes. They are noted in any order; if this fails, some may have been.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>What is known after each, in the same order.</returns>
    ValueTask<IReadOnlyList<RecordedAttempt>> RecordAttempts(string webhookId, IReadOnlyList<FinishedAttempt> attempts, CancellationToken ct);

    /// <summary>
    /// Keeps lanes from being taken while attempts that take long are under way, until their outcome is noted, or a time at which they have been lost. An
    /// attempt noted meanwhile is not put off.
    /// </summary>
    /// <param name="attempts">The deliveries, and the number of the attempt under way.</param>
    /// <param name="until">When they are due again if nothing is heard of them.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask Defer(IReadOnlyCollection<(string DeliveryId, int Number)> attempts, DateTimeOffset until, CancellationToken ct);

    /// <summary>
    /// Makes deliveries pending again, with the whole schedule before them. Each goes back to its place in its lane; the lane is due at once if one of
    /// them is its oldest, unless an attempt is under way there. As with <see cref="Add"/>, the endpoint's worker is to be started or woken afterwards.
    /// </summary>
    /// <param name="deliveryIds">The deliveries; unknown ones are passed over.</param>
    /// <param name="those">Only those in one of these states.</param>
    /// <param name="now">The time.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>How many.</returns>
    ValueTask<int> Reopen(IReadOnlyCollection<string> deliveryIds, IReadOnlyCollection<DeliveryStatus> those, DateTimeOffset now, CancellationToken ct);

    /// <summary>
    /// Sets the status of the pending deliveries of an endpoint (deleted: canceled, disabled: failed) and forgets for how long it has been failing, so that
    /// one that is enabled again starts anew.
    /// </summary>
    /// <param name="webhookId"><c>wh_…</c></param>
    /// <param name="status">What they become.</param>
    /// <param name="asOf">When the endpoint was seen to be deleted or disabled: deliveries recorded later stay pending, for it may be enabled again.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>How many deliveries.</returns>
    ValueTask<int> Finalize(string webhookId, DeliveryStatus status, DateTimeOffset asOf, CancellationToken ct);

    ValueTask<Delivery?> Find(string deliveryId, CancellationToken ct);

    /// <summary>An endpoint's deliveries, newest first.</summary>
    /// <param name="webhookId"><c>wh_…</c></param>
    /// <param name="status">Only these; null for all.</param>
    /// <param name="before">Only deliveries with an id below this one; null for the first page.</param>
    /// <param name="limit">The most to answer.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask<IReadOnlyList<Delivery>> List(string webhookId, DeliveryStatus? status, string? before, int limit, CancellationToken ct);

    /// <summary>An endpoint's failed deliveries, oldest first.</summary>
    /// <param name="webhookId"><c>wh_…</c></param>
    /// <param name="after">Only deliveries with an id above this one.</param>
    /// <param name="limit">The most to answer.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask<IReadOnlyList<Delivery>> ListFailed(string webhookId, string after, int limit, CancellationToken ct);
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

/// <param name="Id"><c>dlv_…</c>, derived from the event and the endpoint: ordered by the time of the event.</param>
/// <param name="Lane">The endpoint and the record.</param>
/// <param name="EventId"><c>evt_…</c></param>
/// <param name="EventName">E.g. <c>contact.created</c>.</param>
/// <param name="Version">The record's version: a lane is ordered by version, then event id.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="Attempts">Oldest first.</param>
/// <param name="CreatedAt">When it was recorded.</param>
/// <param name="AttemptsBefore">The number of the last attempt before it was made pending again; 0 if it never was. The schedule counts from there.</param>
public sealed record Delivery(
    string Id, Lane Lane, string EventId, string EventName, long Version, DeliveryStatus Status, IReadOnlyList<DeliveryAttempt> Attempts, DateTimeOffset CreatedAt, int AttemptsBefore = 0)
{
    /// <summary>The number of the attempt that comes next.</summary>
    public int NextAttempt => Attempts is [.., var last] ? last.Number + 1 : 1;
}

/// <param name="Number">From 1.</param>
/// <param name="At">When it began.</param>
/// <param name="Duration">How long it took.</param>
/// <param name="Outcome">What happened.</param>
/// <param name="StatusCode">The HTTP status answered; null where there was no answer.</param>
/// <param name="Answer">The first 4 KiB of the answer's body as text; null where there was none.</param>
public sealed record DeliveryAttempt(int Number, DateTimeOffset At, TimeSpan Duration, AttemptOutcome Outcome, int? StatusCode, string? Answer)
{
    /// <summary>The most attempts kept of one delivery, which can be retried any number of times.</summary>
    public const int MaxKept = 50;
}

/// <summary>Who works for an endpoint.</summary>
/// <param name="Holder">The orchestration.</param>
/// <param name="IsAsleep">Whether it waits for a lane to become due, and has to be woken if one is before that.</param>
public sealed record Worker(string Holder, bool IsAsleep);

/// <summary>What came of asking for what is due.</summary>
/// <param name="State">Whether there is something to send.</param>
/// <param name="Heads">The oldest delivery of each due lane; none unless <see cref="WorkState.Due"/>.</param>
/// <param name="Next">The delivery that is due next, and when; null unless <see cref="WorkState.Waits"/>.</param>
public sealed record DueDeliveries(WorkState State, IReadOnlyList<Delivery> Heads, (Delivery Delivery, DateTimeOffset At)? Next = null);

public enum WorkState
{
    /// <summary>There are deliveries to send.</summary>
    Due,

    /// <summary>There are deliveries, to be sent later.</summary>
    Waits,

    /// <summary>Nothing is pending; the endpoint has no worker any more.</summary>
    Empty,

    /// <summary>Another worker has the endpoint.</summary>
    Held,
}

/// <summary>An attempt to be noted.</summary>
/// <param name="DeliveryId"><c>dlv_…</c></param>
/// <param name="Attempt">What happened.</param>
/// <param name="Status">What the delivery becomes.</param>
/// <param name="Due">When what comes next in the lane is due: the next attempt if the delivery stays pending, else the delivery behind it.</param>
public sealed record FinishedAttempt(string DeliveryId, DeliveryAttempt Attempt, DeliveryStatus Status, DateTimeOffset Due);

/// <summary>What is known once an attempt is noted.</summary>
/// <param name="Next">The lane's oldest pending delivery; null where nothing is pending.</param>
/// <param name="FailingSince">The first of the failures since the endpoint last took something; null where it has taken the last thing sent.</param>
public readonly record struct RecordedAttempt(Delivery? Next, DateTimeOffset? FailingSince);
