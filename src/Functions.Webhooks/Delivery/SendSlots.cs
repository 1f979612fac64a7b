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
    public const int MaxPerProcess = 512;

    /// <summary>Attempts of one data set at the same time: however many endpoints it has, and however they hang, half of the process is left to others.</summary>
    public const int MaxPerPartition = MaxPerProcess / 2;

    /// <summary>Slow attempts of one data set beyond which its slow endpoints begin no more.</summary>
    public const int MaxSlowPerPartition = 64;

    /// <summary>Slow attempts in the process beyond which slow endpoints begin no more: half of it is left to the quick.</summary>
    public const int MaxSlowPerProcess = MaxPerProcess / 2;

    /// <summary>Rounds in the process that may last longer than others at the same time: few, beside the many that take turns.</summary>
    public const int MaxLongRounds = 8;

    /// <summary>Attempts that an endpoint may have of which nothing is known; each that ends before it is slow earns it one more, up to what it may have.</summary>
    public const int FirstAttempts = 4;

    private readonly Dictionary<string, Endpoint> endpoints = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DataSet> dataSets = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim all = new(MaxPerProcess);
    private int slow;
    private int longRounds;

    /// <summary>Attempts at one endpoint at the same time.</summary>
    public int MaxPerEndpoint => options.ConcurrencyPerEndpoint;

    /// <summary>Whether an endpoint may begin nothing now: what it may have is slow, or what its data set may have is taken, and much of that slow.</summary>
    public bool IsBusy(string partition, string webhookId)
    {
        lock (endpoints)
        {
            if (endpoints.TryGetValue(webhookId, out var endpoint) && endpoint.Slow > 0) return endpoint.Slow >= endpoint.Allowed || AreManySlow(partition);
            return AreManySlow(partition) && dataSets.TryGetValue(partition, out var dataSet) && dataSet.Attempts.CurrentCount == 0;
        }
    }

    /// <summary>Whether a round whose time is up may go on; if so, <see cref="EndLongRound"/> is to be called when it ends.</summary>
    public bool TryBeginLongRound()
    {
        lock (endpoints)
        {
            if (longRounds == MaxLongRounds) return false;
            longRounds++;
            return true;
        }
    }

    public void EndLongRound()
    {
        lock (endpoints) longRounds--;
    }

    /// <summary>Waits for its turn: first among the attempts at the endpoint, then among those of the data set, then among all.</summary>
    /// <returns>The right to make one attempt, until it is disposed; null where the turn did not come in time.</returns>
    public async Task<Slot?> TryEnter(string partition, string webhookId, CancellationToken ct)
    {
        var slot = Join(partition, webhookId);
        try
        {
            foreach (var bound in slot.Bounds)
            {
                await bound.WaitAsync(ct);
                slot.Entered++;
            }

            return slot;
        }
        catch (OperationCanceledException)
        {
            slot.Leave();
            return null;
        }
    }

    private Slot Join(string partition, string webhookId)
    {
        lock (endpoints)
        {
            if (!dataSets.TryGetValue(partition, out var dataSet)) dataSets.Add(partition, dataSet = new DataSet());
            if (!endpoints.TryGetValue(webhookId, out var endpoint)) endpoints.Add(webhookId, endpoint = new Endpoint(Math.Min(MaxPerEndpoint, AreManySlow(partition) ? 1 : FirstAttempts)));
            dataSet.Users++;
            endpoint.Users++;
            return new Slot(this, partition, dataSet, webhookId, endpoint);
        }
    }

    private bool AreManySlow(string partition) => slow >= MaxSlowPerProcess || (dataSets.TryGetValue(partition, out var dataSet) && dataSet.Slow >= MaxSlowPerPartition);

    /// <summary>The right to make one attempt.</summary>
    public sealed class Slot : IDisposable
    {
        private readonly SendSlots slots;
        private readonly string partition;
        private readonly DataSet dataSet;
        private readonly string webhookId;
        private readonly Endpoint endpoint;
        private bool isSlow;
        private bool left;

        internal Slot(SendSlots slots, string partition, DataSet dataSet, string webhookId, Endpoint endpoint)
        {
            (this.slots, this.partition, this.dataSet, this.webhookId, this.endpoint) = (slots, partition, dataSet, webhookId, endpoint);
            Bounds = [endpoint.Attempts, dataSet.Attempts, slots.all];
        }

        /// <summary>What is to be entered, in this order.</summary>
        internal SemaphoreSlim[] Bounds { get; }

        /// <summary>How many of them are.</summary>
        internal int Entered { get; set; }

        /// <summary>Says that the attempt takes longer than the round it began in.</summary>
        public void MarkSlow()
        {
            lock (slots.endpoints)
            {
                if (isSlow || left) return;
                isSlow = true;
                CountSlow(1);
            }
        }

        public void Dispose()
        {
            lock (slots.endpoints)
            {
                if (left) return;
                left = true;
                if (isSlow) CountSlow(-1);
                else if (endpoint.Allowed < slots.MaxPerEndpoint) endpoint.AllowMore();
            }

            Leave();
        }

        internal void Leave()
        {
            lock (slots.endpoints)
            {
                foreach (var bound in Bounds.AsSpan(0, Entered)) bound.Release();
                if (--endpoint.Users == 0) slots.endpoints.Remove(webhookId);
                if (--dataSet.Users == 0) slots.dataSets.Remove(partition);
            }
        }

        private void CountSlow(int by)
        {
            endpoint.Slow += by;
            dataSet.Slow += by;
            slots.slow += by;
        }
    }

    internal sealed class DataSet
    {
        public SemaphoreSlim Attempts { get; } = new(MaxPerPartition);

        /// <summary>Those who have a slot or wait for one.</summary>
        public int Users { get; set; }

        public int Slow { get; set; }
    }

    internal sealed class Endpoint(int first)
    {
        public SemaphoreSlim Attempts { get; } = new(first);

        public int Allowed { get; private set; } = first;

        /// <summary>Those who have a slot or wait for one.</summary>
        public int Users { get; set; }

        public int Slow { get; set; }

        public void AllowMore()
        {
            Allowed++;
            Attempts.Release();
        }
    }
}
