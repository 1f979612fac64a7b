using NodeStash.Core.Records;

namespace NodeStash.Functions.Webhooks.Delivery;

/// <summary>
/// Tracks one round of an endpoint's worker: how far it has come, and which attempts are in flight. It does no I/O. One lock guards its state, because
/// senders, timer and a stopping host change it at the same time.
/// </summary>
internal sealed class Round : IDisposable
{
    /// <summary>Longest time in which a round begins attempts: only while its receiver keeps up, and few other rounds are that long.</summary>
    public static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(10);

    /// <summary>Usual length of a round, after which other endpoints get their turn.</summary>
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(1);

    private readonly Lock access = new();
    private readonly Dictionary<string, (int Number, SendSlots.Slot Slot, long Begun)> inFlight = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource closing = new();
    private readonly SendSlots slots;
    private readonly TimeProvider clock;
    private readonly long begun;
    private readonly ITimer timer;
    private readonly CancellationTokenRegistration hostStop;
    private RoundState state = RoundState.Open;
    private EndpointState endpointState = EndpointState.Enabled;
    private volatile EndpointSnapshot? endpoint;

    /// <param name="slots">Grants that a round may be extended, and counts slow attempts.</param>
    /// <param name="clock">Measures the round and its attempts.</param>
    /// <param name="ct">Closes the round when the host stops.</param>
    public Round(SendSlots slots, TimeProvider clock, CancellationToken ct)
    {
        (this.slots, this.clock, Closing, begun) = (slots, clock, closing.Token, clock.GetTimestamp());
        timer = clock.CreateTimer(_ => CheckTime(), null, Turn, Turn);
        hostStop = ct.UnsafeRegister(static round => ((Round)round!).Close(), this);
    }

    /// <summary>The endpoint as it was last read. Read it before sending anything.</summary>
    public EndpointSnapshot Endpoint
    {
        get => endpoint ?? throw new InvalidOperationException("The endpoint is read before anything is sent.");
        set => endpoint = value;
    }

    /// <summary>Cancelled when the round closes: no further attempt begins.</summary>
    public CancellationToken Closing { get; }

    /// <summary>Whether the round has closed.</summary>
    public bool IsClosed => Closing.IsCancellationRequested;

    /// <summary>Completes when the round closes.</summary>
    public Task Closed => closed.Task;

    /// <summary>Adds an attempt in flight.</summary>
    /// <returns>False where the round is closed: do not make the attempt.</returns>
    public bool TryBeginAttempt(Core.Webhooks.Delivery delivery, SendSlots.Slot slot)
    {
        lock (access)
        {
            var mayBegin = state is RoundState.Open or RoundState.Extended;
            return mayBegin && inFlight.TryAdd(delivery.Id, (delivery.NextAttempt, slot, clock.GetTimestamp()));
        }
    }

    /// <summary>Removes an attempt that is recorded.</summary>
    /// <returns>Whether the round still continues its lane; false where it ended without the attempt.</returns>
    public bool EndAttempt(string deliveryId)
    {
        lock (access)
        {
            inFlight.Remove(deliveryId);
            return state is not RoundState.Ended;
        }
    }

    /// <summary>Ends the round without the attempts in flight, and marks them as slow.</summary>
    /// <returns>Those attempts.</returns>
    public IReadOnlyCollection<(string DeliveryId, int Number)> Detach()
    {
        lock (access)
        {
            MoveTo(RoundState.Ended);
            foreach (var (_, slot, _) in inFlight.Values) slot.MarkSlow();
            return [.. inFlight.Select(attempt => (attempt.Key, attempt.Value.Number))];
        }
    }

    /// <summary>Closes the round because its endpoint must get nothing more.</summary>
    /// <param name="reason">Disabled or deleted.</param>
    /// <returns>False where an earlier call has done so.</returns>
    public bool StopSending(EndpointState reason)
    {
        lock (access)
        {
            if (endpointState is not EndpointState.Enabled) return false;
            endpointState = reason;
            Close();
            return true;
        }
    }

    /// <summary>Ends the round and stops its timer.</summary>
    public void Dispose()
    {
        lock (access) MoveTo(RoundState.Ended);
        hostStop.Dispose();
        timer.Dispose();
        closing.Dispose();
    }

    private void Close()
    {
        lock (access)
        {
            if (state is not (RoundState.Open or RoundState.Extended)) return;
            MoveTo(RoundState.Closed);
            closing.Cancel();
            closed.TrySetResult();
        }
    }

    /// <summary>Closes the round unless it may continue; the timer asks again after another turn.</summary>
    private void CheckTime()
    {
        lock (access)
        {
            if (!MayContinue()) Close();
        }
    }

    /// <summary>Whether a round may continue past its turn. An attempt that has taken half a turn is slow: then others get their turn.</summary>
    private bool MayContinue() =>
        clock.GetElapsedTime(begun) < MaxTime
        && inFlight.Values.All(attempt => clock.GetElapsedTime(attempt.Begun) < Turn / 2)
        && (state is RoundState.Extended || TryExtend());

    private bool TryExtend()
    {
        if (state is not RoundState.Open || !slots.TryBeginLongRound()) return false;
        state = RoundState.Extended;
        return true;
    }

    private void MoveTo(RoundState next)
    {
        if (state is RoundState.Extended) slots.EndLongRound();
        state = next;
    }
}

/// <summary>
/// States of a <see cref="Round"/>. A round only moves forward: from Open to Extended, Closed or Ended; from Extended to Closed or Ended; from Closed to Ended.
/// </summary>
internal enum RoundState
{
    /// <summary>Attempts begin. After a turn it is extended if the receiver keeps up and a long round is free; otherwise it closes.</summary>
    Open,

    /// <summary>Attempts begin past the first turn, and one of the process's long rounds is taken. Closes when an attempt is slow or the time is up.</summary>
    Extended,

    /// <summary>No attempt begins: the time is up, the host stops, or the endpoint must get nothing more. The round waits for attempts in flight.</summary>
    Closed,

    /// <summary>The round has answered. Attempts still in flight go on without it, and nobody continues their lanes.</summary>
    Ended,
}

/// <summary>States of an endpoint as a round sees it.</summary>
internal enum EndpointState
{
    /// <summary>It gets deliveries.</summary>
    Enabled,

    /// <summary>A user disabled it, or the round did, because of its answers.</summary>
    Disabled,

    /// <summary>It is not there any more.</summary>
    Deleted,
}

/// <summary>Holds an endpoint as it was at one moment.</summary>
/// <param name="Webhook">Its record.</param>
/// <param name="Secrets">Its live secrets, newest first.</param>
internal sealed record EndpointSnapshot(Record Webhook, IReadOnlyList<byte[]> Secrets);
