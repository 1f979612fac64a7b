namespace NodeStash.Core.Webhooks;

/// <summary>When an event that could not be delivered is tried again. docs/api/webhooks.md, Deliveries.</summary>
public static class RetrySchedule
{
    /// <summary>By how much chance may lengthen a wait: one tenth.</summary>
    public const double MaxJitter = 0.1;

    /// <summary>Waits before attempts 2, 3, …; after the last of them the delivery is given up.</summary>
    public static IReadOnlyList<TimeSpan> Waits { get; } =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(5), TimeSpan.FromHours(10),
        TimeSpan.FromHours(10), TimeSpan.FromHours(14), TimeSpan.FromHours(20), TimeSpan.FromHours(24),
    ];

    /// <summary>How many attempts there are in all.</summary>
    public static int MaxAttempts => Waits.Count + 1;

    /// <summary>The wait after a failed attempt; null where it was the last.</summary>
    /// <param name="attempt">The number of the attempt that failed, from 1.</param>
    /// <param name="retryAfter">What the receiver asked for in Retry-After; null for nothing. Lengthens the wait, with chance up to double.</param>
    /// <param name="chance">From 0 to 1: how much of <see cref="MaxJitter"/> is added.</param>
    public static TimeSpan? After(int attempt, TimeSpan? retryAfter, double chance)
    {
        if (attempt >= MaxAttempts) return null;
        var wait = Waits[attempt - 1];
        var (longest, asked) = (wait * 2, retryAfter > wait ? retryAfter.Value : wait);
        return asked < longest ? TimeSpan.FromTicks(Math.Min((asked * (1 + (MaxJitter * chance))).Ticks, longest.Ticks)) : longest;
    }
}
