namespace NodeStash.Core.Webhooks;

/// <summary>Failures of an endpoint without a success between. docs/api/webhooks.md, Deliveries: nothing but failures for 5 days disables it.</summary>
/// <param name="Since">When the first of them was.</param>
/// <param name="Last">When the last of them was.</param>
public readonly record struct FailureRun(DateTimeOffset Since, DateTimeOffset Last)
{
    /// <summary>How long an endpoint may fail before it is disabled.</summary>
    public static readonly TimeSpan MaxDuration = TimeSpan.FromDays(5);

    /// <summary>A pause in which nothing was sent tells nothing of the endpoint: after one this long a failure begins a new run. Longer than any wait between two attempts.</summary>
    private static readonly TimeSpan MaxPause = TimeSpan.FromDays(3);

    /// <summary>The run that a failure belongs to.</summary>
    /// <param name="before">The run so far; null after a success, or where nothing was ever sent.</param>
    /// <param name="at">When it failed.</param>
    public static FailureRun After(FailureRun? before, DateTimeOffset at) =>
        before is { } run && at - run.Last <= MaxPause ? run with { Last = at > run.Last ? at : run.Last } : new FailureRun(at, at);
}
