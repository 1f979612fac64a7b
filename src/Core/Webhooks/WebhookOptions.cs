using System.Globalization;
using System.Net;

namespace NodeStash.Core.Webhooks;

/// <summary>Holds the settings of webhooks that the host decides.</summary>
public sealed class WebhookOptions
{
    /// <summary>Name of the setting of <see cref="ConcurrencyPerEndpoint"/>.</summary>
    public const string ConcurrencySetting = "NODESTASH_WEBHOOK_CONCURRENCY";

    private const int DefaultConcurrency = 8, MaxConcurrency = 64;

    /// <summary>Whether endpoints on loopback addresses may be called, by http, too. For development: on in the local host, off everywhere else.</summary>
    public bool AllowLoopback { get; init; }

    /// <summary>Most attempts at one endpoint at the same time, in one process; 1 to 64. Default 8.</summary>
    public int ConcurrencyPerEndpoint { get; init; } = DefaultConcurrency;

    /// <summary>
    /// Largest difference between the clocks of two instances. An endpoint gets the events that happened after it was created. Events of this time before
    /// may come, too, so that a clock loses none. Default 2 s; zero where there is one process.
    /// </summary>
    public TimeSpan ClockTolerance { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Resolves the name of a receiver, once for each connection. Default: the machine's resolver.</summary>
    public Func<string, CancellationToken, Task<IPAddress[]>> Resolve { get; init; } = Dns.GetHostAddressesAsync;

    /// <summary>Longest time of one attempt, from connecting to the end of the answer. Default 15 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Parses the value of <see cref="ConcurrencySetting"/>.</summary>
    /// <param name="text">The value; null or empty for the default.</param>
    /// <param name="problem">Explains why the value is invalid; null where it is valid.</param>
    public static int ReadConcurrency(string? text, out string? problem)
    {
        problem = null;
        if (string.IsNullOrEmpty(text)) return DefaultConcurrency;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var concurrency) && concurrency is >= 1 and <= MaxConcurrency)
            return concurrency;
        problem = $"{ConcurrencySetting} will not do: expected a whole number from 1 to {MaxConcurrency}";
        return DefaultConcurrency;
    }
}
