namespace NodeStash.Core.Webhooks;

/// <summary>Decides when a failed delivery is attempted again. Source: docs/api/webhooks.md, Deliveries.</summary>
public static class RetrySchedule
{
    /// <summary>Largest part that jitter adds to a wait: one tenth.</summary>
    public const double MaxJitter = 0.1;

    /// <summary>Waits before attempts 2, 3, …; after the last of them the delivery is given up.</summary>
    public static IReadOnlyList<TimeSpan> Waits { get; } =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(5), TimeSpan.FromHours(10),
        TimeSpan.FromHours(10), TimeSpan.FromHours(14), TimeSpan.FromHours(20), TimeSpan.FromHours(24),
    ];

    /// <summary>Most attempts of a delivery until it is given up.</summary>
    public static int MaxAttempts => Waits.Count + 1;

    /// <summary>Returns the wait after a failed attempt; null where it was the last.</summary>
    /// <param name="attempt">The number of the attempt that failed, from 1.</param>
    /// <param name="retryAfter">The wait that the receiver asked for in Retry-After; null for none. It lengthens the wait, with jitter up to double.</param>
    /// <param name="chance">A random number from 0 to 1: the part of <see cref="MaxJitter"/> that is added.</param>
    public static TimeSpan? After(int attempt, TimeSpan? retryAfter, double chance)
    {
        if (attempt >= MaxAttempts) return null;
        var wait = Waits[attempt - 1];
        var (maxLength, asked) = (wait * 2, retryAfter > wait ? retryAfter.Value : wait);
        return asked < maxLength ? TimeSpan.FromTicks(Math.Min((asked * (1 + (MaxJitter * chance))).Ticks, maxLength.Ticks)) : maxLength;
    }
}
