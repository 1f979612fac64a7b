using Microsoft.DurableTask.Client;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;

namespace NodeStash.Functions.Webhooks.Delivery;

/// <summary>One go at an endpoint: what is needed to send to it, and what is under way.</summary>
internal sealed class Round : IDisposable
{
    /// <summary>How long a round lasts: then others get their turn.</summary>
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(1);

    /// <summary>How long it lasts at most where nobody is known to wait for a turn, and the receiver keeps up.</summary>
    public static readonly TimeSpan MaxRoundTime = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, (int Number, SendSlots.Slot Slot, long Begun)> underWay = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource stop;
    private readonly DurableTaskClient client;
    private readonly SendSlots slots;
    private readonly TimeProvider clock;
    private readonly long begun;
    private readonly ITimer time;
    private bool isLong;
    private bool ended;
    private bool stopped;

    private volatile Seen? seen;

    public Round(string webhookId, IWorkspaceStore store, IDeliveryStore deliveries, DurableTaskClient client, SendSlots slots, TimeProvider clock, CancellationToken ct)
    {
        (WebhookId, Store, Deliveries, this.client, this.slots, this.clock) = (webhookId, store, deliveries, client, slots, clock);
        stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        Stopping = stop.Token;
        Stopping.UnsafeRegister(_ => over.TrySetResult(), null);
        begun = clock.GetTimestamp();
        time = clock.CreateTimer(_ => TimeIsUp(), null, RoundTime, RoundTime);
    }

    public string WebhookId { get; }

    /// <summary>The endpoint as it was when it was last seen.</summary>
    public Seen Endpoint => seen ?? throw new InvalidOperationException("The endpoint is looked at before anything is sent.");

    /// <summary>Whether it was not there when it was last looked for.</summary>
    public bool IsGone { get; private set; }

    public IWorkspaceStore Store { get; }

    public IDeliveryStore Deliveries { get; }

    /// <summary>Cancelled when the round is over: nothing more is begun.</summary>
    public CancellationToken Stopping { get; }

    public bool IsOver => Stopping.IsCancellationRequested;

    /// <summary>Completes when the round is over.</summary>
    public Task Over => over.Task;

    /// <param name="found">Null where it is not there: what is under way is then ended as it was begun.</param>
    public void See(Seen? found)
    {
        IsGone = found is null;
        seen = found ?? seen;
    }

    /// <returns>False where the round is over: the attempt is not to be made.</returns>
    public bool Begin(Core.Webhooks.Delivery delivery, SendSlots.Slot slot)
    {
        lock (underWay) return !ended && !IsOver && underWay.TryAdd(delivery.Id, (delivery.NextAttempt, slot, clock.GetTimestamp()));
    }

    /// <returns>Whether the round waits for the lane; false where it has ended without it.</returns>
    public bool Done(string deliveryId)
    {
        lock (underWay)
        {
            underWay.Remove(deliveryId);
            return !ended;
        }
    }

    /// <summary>Ends the round; answers the attempts under way, which are slow.</summary>
    public IReadOnlyCollection<(string DeliveryId, int Number)> End()
    {
        lock (underWay)
        {
            ended = true;
            foreach (var (_, slot, _) in underWay.Values) slot.MarkSlow();
            return [.. underWay.Select(attempt => (attempt.Key, attempt.Value.Number))];
        }
    }

    /// <summary>Ends it before its time; false where that was done before.</summary>
    public bool Stop()
    {
        lock (underWay)
        {
            if (stopped) return false;
            stopped = true;
            if (!ended) stop.Cancel();
            return true;
        }
    }

    /// <summary>Has the endpoint worked for: nobody may have an eye on a lane that the round did not wait for.</summary>
    public Task Begin(DateTimeOffset now) => Deliver.Begin(client, Deliveries, WebhookId, now, CancellationToken.None);

    public void Dispose()
    {
        lock (underWay) ended = true;
        time.Dispose();
        stop.Dispose();
        if (isLong) slots.EndLongRound();
    }

    /// <summary>Ends the round, unless it may go on: then this is asked again after as long.</summary>
    private void TimeIsUp()
    {
        lock (underWay)
        {
            if (!ended && !MayGoOn()) stop.Cancel();
        }
    }

    /// <summary>What was begun in the first half of a round and has not ended is slow: that is for others to be let in.</summary>
    private bool MayGoOn() =>
        clock.GetElapsedTime(begun) < MaxRoundTime && underWay.Values.All(attempt => clock.GetElapsedTime(attempt.Begun) < RoundTime / 2) && (isLong = isLong || slots.TryBeginLongRound());
}

/// <summary>An endpoint as it was at some moment.</summary>
/// <param name="Webhook">Its record.</param>
/// <param name="Secrets">The live ones, newest first.</param>
internal sealed record Seen(Record Webhook, IReadOnlyList<byte[]> Secrets);
