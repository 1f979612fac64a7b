namespace NodeStash.Functions.Webhooks.Delivery;

/// <summary>
/// Sees to it that an endpoint that is slow to answer does not take up everything this process can do at once: once it has proved slow, only
/// a few of its batches are worked off at the same time. Quick ones are not bounded, for they let go soon.
/// </summary>
public sealed class EndpointShares
{
    /// <summary>Batches of one slow endpoint at the same time.</summary>
    public const int MostWhenSlow = 4;

    /// <summary>An attempt that takes longer proves an endpoint slow, one that does not proves it quick again.</summary>
    public static readonly TimeSpan SlowFrom = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, Endpoint> endpoints = new(StringComparer.Ordinal);

    /// <returns>The right to work off a batch, until it is disposed; null where the endpoint is slow and has its share.</returns>
    public Share? Take(string webhookId)
    {
        lock (endpoints)
        {
            if (!endpoints.TryGetValue(webhookId, out var endpoint)) endpoints.Add(webhookId, endpoint = new Endpoint());
            if (endpoint.IsSlow && endpoint.Batches >= MostWhenSlow) return null;
            endpoint.Batches++;
            return new Share(this, webhookId, endpoint);
        }
    }

    public sealed class Share : IDisposable
    {
        private readonly EndpointShares shares;
        private readonly string webhookId;
        private readonly Endpoint endpoint;

        internal Share(EndpointShares shares, string webhookId, Endpoint endpoint) => (this.shares, this.webhookId, this.endpoint) = (shares, webhookId, endpoint);

        /// <summary>Says how long an attempt took.</summary>
        public void Took(TimeSpan duration)
        {
            lock (shares.endpoints) endpoint.IsSlow = duration > SlowFrom;
        }

        public void Dispose()
        {
            lock (shares.endpoints)
            {
                if (--endpoint.Batches == 0) shares.endpoints.Remove(webhookId);
            }
        }
    }

    internal sealed class Endpoint
    {
        public int Batches { get; set; }

        public bool IsSlow { get; set; }
    }
}
