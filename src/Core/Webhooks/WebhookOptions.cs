using System.Net;

namespace NodeStash.Core.Webhooks;

/// <summary>What the host lets webhooks do.</summary>
public sealed class WebhookOptions
{
    /// <summary>Whether endpoints on this machine's loopback addresses may be called, by http too. For development: on in the local host, off everywhere else.</summary>
    public bool AllowLoopback { get; init; }

    /// <summary>
    /// How far the clocks of two instances may lie apart. An endpoint gets the events that happened after it was made; one made within this time
    /// before may come too, so that none is lost to a clock. Default 2 s; zero where there is one process.
    /// </summary>
    public TimeSpan ClockTolerance { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Finds the addresses of a receiver's name, asked once for each connection. Default: the machine's resolver.</summary>
    public Func<string, CancellationToken, Task<IPAddress[]>> Resolve { get; init; } = Dns.GetHostAddressesAsync;

    /// <summary>How long one attempt may take, connecting and answer included. Default 15 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(15);
}
