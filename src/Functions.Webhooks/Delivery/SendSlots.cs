using System.Diagnostics.CodeAnalysis;
using NodeStash.Core.Webhooks;

namespace NodeStash.Functions.Webhooks.Delivery;

/// <summary>
/// Bounds the attempts in flight in this process, so that neither a flooded endpoint nor many that hang take the slots of others. An attempt that outlasts
/// its round is slow. An endpoint with slow attempts gets no slots while there are too many slow attempts.
/// </summary>
/// <param name="options">Sets the attempts of one endpoint.</param>
[SuppressMessage("Design", "CA1001", Justification =
    "Attempts that end when the process stops still leave their slots; a semaphore on whose handle nobody waits holds nothing.")]
public sealed class SendSlots(WebhookOptions options)
{
    /// <summary>Maximum number of attempts in flight in the process.</summary>
    public const int MaxPerProcess = 512;

    /// <summary>Maximum number of attempts in flight for one partition. Half of the process stays free for others, however many endpoints hang.</summary>
    public const int MaxPerPartition = MaxPerProcess / 2;

    /// <summary>Number of slow attempts of one partition at which its slow endpoints begin no more.</summary>
    public const int MaxSlowPerPartition = 64;

    /// <summary>Number of slow attempts of the process at which slow endpoints begin no more. Half of the process stays free for quick ones.</summary>
    public const int MaxSlowPerProcess = MaxPerProcess / 2;

    /// <summary>Maximum number of long rounds in the process at the same time.</summary>
    public const int MaxLongRounds = 8;

    /// <summary>Number of attempts that a new endpoint may have in flight. Each quick attempt earns one more, up to <see cref="MaxPerEndpoint"/>.</summary>
    public const int FirstAttempts = 4;

    private readonly Dictionary<string, EndpointLoad> endpoints = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PartitionLoad> partitions = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim all = new(MaxPerProcess);
    private int slow;
    private int longRounds;

    /// <summary>Maximum number of attempts in flight at one endpoint.</summary>
    public int MaxPerEndpoint => options.ConcurrencyPerEndpoint;

    /// <summary>Whether an endpoint may begin nothing now: all its attempts are slow, or its partition has no slot left and many slow attempts.</summary>
    public bool IsBusy(string partition, string webhookId)
    {
        lock (endpoints)
        {
            if (endpoints.TryGetValue(webhookId, out var endpoint) && endpoint.Slow > 0) return endpoint.Slow >= endpoint.Allowed || AreManySlow(partition);
            return AreManySlow(partition) && partitions.TryGetValue(partition, out var load) && load.Attempts.CurrentCount == 0;
        }
    }

    /// <summary>Takes a long round, for a round that wants to continue past its turn. If it answers true, call <see cref="EndLongRound"/> afterwards.</summary>
    public bool TryBeginLongRound()
    {
        lock (endpoints)
        {
            if (longRounds == MaxLongRounds) return false;
            longRounds++;
            return true;
        }
    }

    /// <summary>Returns a long round.</summary>
    public void EndLongRound()
    {
        lock (endpoints) longRounds--;
    }

    /// <summary>Waits for a slot: first of the endpoint, then of the partition, then of the process.</summary>
    /// <returns>The slot, to be disposed after the attempt; null where <paramref name="ct"/> was cancelled first.</returns>
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
            if (!partitions.TryGetValue(partition, out var load)) partitions.Add(partition, load = new PartitionLoad());
            if (!endpoints.TryGetValue(webhookId, out var endpoint))
                endpoints.Add(webhookId, endpoint = new EndpointLoad(Math.Min(MaxPerEndpoint, AreManySlow(partition) ? 1 : FirstAttempts)));
            load.Users++;
            endpoint.Users++;
            return new Slot(this, partition, load, webhookId, endpoint);
        }
    }

    private bool AreManySlow(string partition) =>
        slow >= MaxSlowPerProcess || (partitions.TryGetValue(partition, out var load) && load.Slow >= MaxSlowPerPartition);

    /// <summary>Permits one attempt until it is disposed.</summary>
    public sealed class Slot : IDisposable
    {
        private readonly SendSlots slots;
        private readonly string partition;
        private readonly PartitionLoad load;
        private readonly string webhookId;
        private readonly EndpointLoad endpoint;
        private bool isSlow;
        private bool left;

        internal Slot(SendSlots slots, string partition, PartitionLoad load, string webhookId, EndpointLoad endpoint)
        {
            (this.slots, this.partition, this.load, this.webhookId, this.endpoint) = (slots, partition, load, webhookId, endpoint);
            Bounds = [endpoint.Attempts, load.Attempts, slots.all];
        }

        /// <summary>The semaphores to enter, in this order.</summary>
        internal SemaphoreSlim[] Bounds { get; }

        /// <summary>Number of semaphores entered so far.</summary>
        internal int Entered { get; set; }

        /// <summary>Marks the attempt as slow: it outlasts its round.</summary>
        public void MarkSlow()
        {
            lock (slots.endpoints)
            {
                if (isSlow || left) return;
                isSlow = true;
                CountSlow(1);
            }
        }

        /// <summary>Leaves the slot. An attempt that was not slow earns its endpoint another.</summary>
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
                if (--load.Users == 0) slots.partitions.Remove(partition);
            }
        }

        private void CountSlow(int by)
        {
            endpoint.Slow += by;
            load.Slow += by;
            slots.slow += by;
        }
    }

    internal sealed class PartitionLoad
    {
        public SemaphoreSlim Attempts { get; } = new(MaxPerPartition);

        /// <summary>Number of attempts that have a slot or wait for one.</summary>
        public int Users { get; set; }

        public int Slow { get; set; }
    }

    internal sealed class EndpointLoad(int first)
    {
        public SemaphoreSlim Attempts { get; } = new(first);

        public int Allowed { get; private set; } = first;

        /// <summary>Number of attempts that have a slot or wait for one.</summary>
        public int Users { get; set; }

        public int Slow { get; set; }

        public void AllowMore()
        {
            Allowed++;
            Attempts.Release();
        }
    }
}
