using NodeStash.Core.Storage;

namespace NodeStash.Core.Webhooks;

/// <summary>
/// Stores the deliveries of one partition: each names an event, an endpoint and what happened so far. The deliveries of one record to one endpoint form a
/// lane, which is sent oldest first. A lane is due when its oldest pending delivery is due. An endpoint has one worker at a time, which keeps the order
/// within a lane; lanes and endpoints do not wait for each other.
/// </summary>
public interface IDeliveryStore
{
    /// <summary>The partition whose deliveries the store holds.</summary>
    Partition Partition { get; }

    /// <summary>
    /// Adds deliveries. A lane that had nothing pending is due at once. Deliveries that are stored already stay as they are, so that a repeated feed batch
    /// changes nothing. Afterwards ask <see cref="GetWorker"/> whom to start or wake.
    /// </summary>
    /// <param name="deliveries">Pending deliveries, to any endpoints.</param>
    /// <param name="now">The current time.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask Add(IReadOnlyCollection<Delivery> deliveries, DateTimeOffset now, CancellationToken ct);

    /// <summary>
    /// Gets the worker of an endpoint; null where it has none. A worker that is awake asks for due deliveries once more before it sleeps or ends, so it
    /// finds everything that was added before this call.
    /// </summary>
    /// <param name="webhookId">The endpoint, <c>wh_…</c></param>
    /// <param name="now">The current time.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask<Worker?> GetWorker(string webhookId, DateTimeOffset now, CancellationToken ct);

    /// <summary>
    /// Releases an endpoint from a worker that is lost, so that another can have it. Changes nothing where the endpoint has another worker, or none.
    /// </summary>
    /// <param name="webhookId">The endpoint, <c>wh_…</c></param>
    /// <param name="holder">The orchestration that is lost.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask Release(string webhookId, string holder, CancellationToken ct);

    /// <summary>
    /// Acquires an endpoint for its worker and returns the due deliveries: the oldest pending one of each due lane, the lane due for longest first. Where no
    /// lane is due the worker is stored as asleep. Where nothing is pending the worker is released in the same transaction, so that deliveries added later
    /// find no worker.
    /// </summary>
    /// <param name="webhookId">The endpoint, <c>wh_…</c></param>
    /// <param name="holder">The orchestration that asks.</param>
    /// <param name="now">The current time.</param>
    /// <param name="until">When a worker that is not heard of again loses the endpoint; one that sleeps loses it as long after its next lane is due.</param>
    /// <param name="limit">The most lanes to return.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask<DueDeliveries> AcquireDue(string webhookId, string holder, DateTimeOffset now, DateTimeOffset until, int limit, CancellationToken ct);

    /// <summary>
    /// Records finished attempts: adds them to their deliveries, and sets the status of the deliveries and when their lanes are due. An attempt whose number
    /// is stored already changes nothing, nor does one of an unknown delivery. A delivery that was finalized meanwhile gets the attempt but keeps its
    /// status, unless the attempt delivered it. Only the last <see cref="DeliveryAttempt.MaxKept"/> attempts of a delivery are kept.
    /// </summary>
    /// <param name="webhookId">The endpoint of all of them, <c>wh_…</c></param>
    /// <param name="attempts">Attempts of different lanes, recorded in any order. If the call fails, some may be recorded.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>The state after each attempt, in the same order.</returns>
    ValueTask<IReadOnlyList<RecordedAttempt>> RecordAttempts(string webhookId, IReadOnlyList<FinishedAttempt> attempts, CancellationToken ct);

    /// <summary>
    /// Defers lanes that have a slow attempt in flight, until the attempt is recorded or must have been lost. Does not defer a lane whose attempt is recorded
    /// already.
    /// </summary>
    /// <param name="attempts">The deliveries, and the number of the attempt in flight.</param>
    /// <param name="until">When the lanes are due again if the attempts are not recorded.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask Defer(IReadOnlyCollection<(string DeliveryId, int Number)> attempts, DateTimeOffset until, CancellationToken ct);

    /// <summary>
    /// Makes deliveries pending again, and their retry schedule begins anew. Each returns to its place in its lane. The lane is due at once if one of them is
    /// its oldest, unless an attempt is in flight there. As after <see cref="Add"/>, start or wake the endpoint's worker afterwards.
    /// </summary>
    /// <param name="deliveryIds">The deliveries; unknown ones are skipped.</param>
    /// <param name="statuses">Reopens only deliveries in one of these states.</param>
    /// <param name="now">The current time.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>The number of deliveries that are pending because of the call, or were already.</returns>
    ValueTask<int> Reopen(IReadOnlyCollection<string> deliveryIds, IReadOnlyCollection<DeliveryStatus> statuses, DateTimeOffset now, CancellationToken ct);

    /// <summary>
    /// Finalizes the pending deliveries of an endpoint (deleted: canceled; disabled: failed), and forgets since when the endpoint fails, so that it starts
    /// afresh when it is enabled again.
    /// </summary>
    /// <param name="webhookId">The endpoint, <c>wh_…</c></param>
    /// <param name="status">The status they get.</param>
    /// <param name="asOf">When the endpoint was found deleted or disabled. Deliveries added later stay pending: the endpoint may be enabled again.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>The number of deliveries finalized.</returns>
    ValueTask<int> Finalize(string webhookId, DeliveryStatus status, DateTimeOffset asOf, CancellationToken ct);

    /// <summary>Finds a delivery by its id, <c>dlv_…</c>; null where there is none.</summary>
    ValueTask<Delivery?> Find(string deliveryId, CancellationToken ct);

    /// <summary>Lists deliveries to an endpoint, newest first.</summary>
    /// <param name="webhookId">The endpoint, <c>wh_…</c></param>
    /// <param name="status">Lists only deliveries of this status; null for all.</param>
    /// <param name="before">Lists only deliveries with an id below this one; null for the first page.</param>
    /// <param name="limit">The most deliveries to list.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask<IReadOnlyList<Delivery>> List(string webhookId, DeliveryStatus? status, string? before, int limit, CancellationToken ct);

    /// <summary>Lists failed deliveries to an endpoint, oldest first.</summary>
    /// <param name="webhookId">The endpoint, <c>wh_…</c></param>
    /// <param name="after">Lists only deliveries with an id above this one.</param>
    /// <param name="limit">The most deliveries to list.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask<IReadOnlyList<Delivery>> ListFailed(string webhookId, string after, int limit, CancellationToken ct);
}

/// <summary>Opens the delivery stores of partitions.</summary>
public interface IDeliveryStores
{
    /// <summary>Opens the delivery store of a partition. Calls no database.</summary>
    IDeliveryStore Open(Partition partition);
}

/// <summary>Identifies the worker of an endpoint.</summary>
/// <param name="Holder">The instance id of its orchestration.</param>
/// <param name="IsAsleep">Whether it waits for a lane to become due. Wake it where one becomes due earlier.</param>
public sealed record Worker(string Holder, bool IsAsleep);

/// <summary>Answers a worker that asked for due deliveries.</summary>
/// <param name="State">Whether there is something to send.</param>
/// <param name="Heads">The oldest delivery of each due lane; empty unless <see cref="WorkState.Due"/>.</param>
/// <param name="Next">The delivery that is due next, and when; null unless <see cref="WorkState.Waits"/>.</param>
public sealed record DueDeliveries(WorkState State, IReadOnlyList<Delivery> Heads, (Delivery Delivery, DateTimeOffset At)? Next = null);

/// <summary>Says whether an endpoint has something to send.</summary>
public enum WorkState
{
    /// <summary>Deliveries are due.</summary>
    Due,

    /// <summary>Deliveries are pending, and due later.</summary>
    Waits,

    /// <summary>Nothing is pending; the endpoint has no worker any more.</summary>
    Empty,

    /// <summary>Another worker has the endpoint.</summary>
    Held,
}

/// <summary>Describes an attempt that has finished, to be recorded.</summary>
/// <param name="DeliveryId">The delivery, <c>dlv_…</c></param>
/// <param name="Attempt">The attempt.</param>
/// <param name="Status">The status that the delivery gets.</param>
/// <param name="Due">When the lane is due again: for the next attempt if the delivery stays pending, otherwise for the delivery behind it.</param>
public sealed record FinishedAttempt(string DeliveryId, DeliveryAttempt Attempt, DeliveryStatus Status, DateTimeOffset Due);

/// <summary>Describes a lane and its endpoint after an attempt is recorded.</summary>
/// <param name="Next">The lane's oldest pending delivery; null where nothing is pending.</param>
/// <param name="FailingSince">Time of the endpoint's first failure since its last success; null where its last attempt succeeded.</param>
public readonly record struct RecordedAttempt(Delivery? Next, DateTimeOffset? FailingSince);
