namespace NodeStash.Functions.Webhooks.Delivery;

/// <summary>
/// Names an endpoint to work for. Input of <see cref="Deliver.DeliverToEndpoint"/> and of <see cref="SendDeliveries.SendDueDeliveries"/>, version 1.
/// Histories on disk have this form, and <c>InFlightTests</c> holds it. If it must change, keep reading the old form until no history has it:
/// each history begins anew after at most 100 rounds.
/// </summary>
/// <param name="Partition">The key of the storage partition (<see cref="Core.Storage.Partition.Key"/>).</param>
/// <param name="WebhookId">The endpoint, <c>wh_…</c></param>
/// <param name="Holder">The instance id of the orchestration that works for the endpoint; null until it has started.</param>
public sealed record EndpointWork(string Partition, string WebhookId, string? Holder);

/// <summary>
/// Tells the worker how a round ended. Output of <see cref="SendDeliveries.SendDueDeliveries"/>, version 1; its form on disk is held as that of
/// <see cref="EndpointWork"/> is.
/// </summary>
/// <param name="End">How the round ended.</param>
/// <param name="Next">The attempt to wait for; null unless <see cref="RoundEnd.Waits"/>.</param>
public sealed record RoundSent(RoundEnd End, LaneWait? Next = null);

/// <summary>Ways in which a round ends. Stored on disk by number.</summary>
public enum RoundEnd
{
    /// <summary>Nothing is pending, or another worker has the endpoint.</summary>
    NoWork,

    /// <summary>More may be due; other endpoints get their turn first.</summary>
    More,

    /// <summary>The pending deliveries are due later.</summary>
    Waits,

    /// <summary>The endpoint has as many attempts in flight as it may.</summary>
    Busy,
}

/// <summary>Describes the attempt that a worker waits for. It is the custom status of the orchestration, for operators.</summary>
/// <param name="Attempt">The number of the next attempt, from 1.</param>
/// <param name="DueAt">When the attempt is due.</param>
public sealed record LaneWait(int Attempt, DateTimeOffset DueAt);
