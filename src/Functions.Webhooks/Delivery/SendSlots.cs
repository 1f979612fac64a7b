using System.Diagnostics.CodeAnalysis;
using NodeStash.Core.Webhooks;

namespace NodeStash.Functions.Webhooks.Delivery;

/// <summary>
/// Bounds the attempts under way in this process, so that neither an endpoint that is flooded nor many that hang take what the others need. An attempt that
/// takes longer than a round lasts is slow: whoever has slow ones gets no more while there are too many of them.
/// </summary>
/// <param name="options">How many one endpoint may have.</param>
[SuppressMessage("Design", "CA1001", Justification = "Attempts that are ended when the process stops still let go of their slots; a semaphore nobody waits for on a handle holds nothing.")]
public sealed class SendSlots(WebhookOptions options)
{
    /// <summary>Attempts in the process at the same time.</summary>
    public const int MostPerProcess = 512;

    /// <summary>Slow attempts of one data set beyond which its slow endpoints begin no more.</summary>
    public const int MostSlowPerPartition = 64;

    /// <summary>Slow attempts in the process beyond which slow endpoints begin no more: half of it is left to the quick.</summary>
    public const int MostSlowPerProcess = MostPerProcess / 2;

    /// <summary>Rounds in the process that may last longer than others at the same time: few, beside the many that take turns.</summary>
    public const int MostLongRounds = 8;

    private readonly Dictionary<string, Endpoint> endpoints = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> slowOf = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim all = new(MostPerProcess);
    private int slow;
    private int longRounds;

    /// <summary>Attempts at one endpoint at the same time.</summary>
    public int MostPerEndpoint => options.ConcurrencyPerEndpoint;

    /// <summary>Whether an endpoint may begin nothing now.</summary>
    public bool IsBusy(string partition, string webhookId)
    {
        lock (endpoints)
        {
            if (!endpoints.TryGetValue(webhookId, out var endpoint) || endpoint.Slow == 0) return false;
            return endpoint.Slow >= MostPerEndpoint || slow >= MostSlowPerProcess || slowOf.GetValueOrDefault(partition) >= MostSlowPerPartition;
        }
    }

    /// <summary>Whether a round whose time is up may go on; if so, <see cref="EndLongRound"/> is to be called when it ends.</summary>
    public bool TryBeginLongRound()
    {
        lock (endpoints)
        {
            if (longRounds == MostLongRounds) return false;
            longRounds++;
            return true;
        }
    }

    public void EndLongRound()
    {
        lock (endpoints) longRounds--;
    }

    /// <summary>Waits for its turn: first among the attempts at the endpoint, then among all.</summary>
    /// <returns>The right to make one attempt, until it is disposed; null where the turn did not come in time.</returns>
    public async Task<Slot?> TryEnter(string partition, string webhookId, CancellationToken ct)
    {
        Endpoint endpoint;
        lock (endpoints)
        {
            if (!endpoints.TryGetValue(webhookId, out endpoint!)) endpoints.Add(webhookId, endpoint = new Endpoint(MostPerEndpoint));
            endpoint.Users++;
        }

        var entered = false;
        try
        {
            await endpoint.Attempts.WaitAsync(ct);
            entered = true;
            await all.WaitAsync(ct);
            return new Slot(this, partition, webhookId, endpoint);
        }
        catch (OperationCanceledException)
        {
            Leave(webhookId, endpoint, entered);
            return null;
        }
    }

    private void Leave(string webhookId, Endpoint endpoint, bool entered)
    {
        lock (endpoints)
        {
            if (entered) endpoint.Attempts.Release();
            if (--endpoint.Users == 0) endpoints.Remove(webhookId);
        }
    }

    private void CountSlow(string partition, Endpoint endpoint, int by)
    {
        endpoint.Slow += by;
        slow += by;
        if ((slowOf[partition] = slowOf.GetValueOrDefault(partition) + by) == 0) slowOf.Remove(partition);
    }

    /// <summary>The right to make one attempt.</summary>
    public sealed class Slot : IDisposable
    {
        private readonly SendSlots slots;
        private readonly string partition;
        private readonly string webhookId;
        private readonly Endpoint endpoint;
        private bool isSlow;
        private bool left;

        internal Slot(SendSlots slots, string partition, string webhookId, Endpoint endpoint) =>
            (this.slots, this.partition, this.webhookId, this.endpoint) = (slots, partition, webhookId, endpoint);

        /// <summary>Says that the attempt takes longer than the round it began in.</summary>
        public void IsSlow()
        {
            lock (slots.endpoints)
            {
                if (isSlow || left) return;
                isSlow = true;
                slots.CountSlow(partition, endpoint, 1);
            }
        }

        public void Dispose()
        {
            lock (slots.endpoints)
            {
                if (left) return;
                left = true;
                if (isSlow) slots.CountSlow(partition, endpoint, -1);
            }

            slots.all.Release();
            slots.Leave(webhookId, endpoint, entered: true);
        }
    }

    internal sealed class Endpoint(int most)
    {
        public SemaphoreSlim Attempts { get; } = new(most);

        /// <summary>Those who have a slot or wait for one.</summary>
        public int Users { get; set; }

        public int Slow { get; set; }
    }
}
