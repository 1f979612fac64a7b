using System.Globalization;
using System.Net;

namespace NodeStash.Core.Webhooks;

/// <summary>What the host lets webhooks do.</summary>
public sealed class WebhookOptions
{
    /// <summary>The setting that <see cref="ConcurrencyPerEndpoint"/> comes from.</summary>
    public const string ConcurrencySetting = "NODESTASH_WEBHOOK_CONCURRENCY";

    private const int DefaultConcurrency = 8, MaxConcurrency = 64;

    /// <summary>Whether endpoints on this machine's loopback addresses may be called, by http too. For development: on in the local host, off everywhere else.</summary>
    public bool AllowLoopback { get; init; }

    /// <summary>Attempts at one endpoint at the same time, in one process; 1 to 64. Default 8.</summary>
    public int ConcurrencyPerEndpoint { get; init; } = DefaultConcurrency;

    /// <summary>
    /// How far the clocks of two instances may lie apart. An endpoint gets the events that happened after it was made; one made within this time
    /// before may come too, so that none is lost to a clock. Default 2 s; zero where there is one process.
    /// </summary>
    public TimeSpan ClockTolerance { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Finds the addresses of a receiver's name, asked once for each connection. Default: the machine's resolver.</summary>
    public Func<string, CancellationToken, Task<IPAddress[]>> Resolve { get; init; } = Dns.GetHostAddressesAsync;

    /// <summary>How long one attempt may take, connecting and answer included. Default 15 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Reads <see cref="ConcurrencySetting"/>.</summary>
    /// <param name="text">Null or empty for the default.</param>
    /// <param name="fault">Why it will not do; null where it will.</param>
    public static int ReadConcurrency(string? text, out string? fault)
    {
        fault = null;
        if (string.IsNullOrEmpty(text)) return DefaultConcurrency;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var most) && most is >= 1 and <= MaxConcurrency) return most;
        fault = $"{ConcurrencySetting} will not do: expected a whole number from 1 to {MaxConcurrency}";
        return DefaultConcurrency;
    }
}
