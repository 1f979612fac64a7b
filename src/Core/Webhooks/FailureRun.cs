namespace NodeStash.Core.Webhooks;

/// <summary>Spans the failures of an endpoint since its last success. 5 days of failures alone disable it (docs/api/webhooks.md, Deliveries).</summary>
/// <param name="Since">Time of the first failure.</param>
/// <param name="Last">Time of the last failure.</param>
public readonly record struct FailureRun(DateTimeOffset Since, DateTimeOffset Last)
{
    /// <summary>Longest run of failures; after it the endpoint is disabled.</summary>
    public static readonly TimeSpan MaxDuration = TimeSpan.FromDays(5);

    /// <summary>Longest pause within a run: after a longer one, a failure begins a new run. It exceeds every wait between two attempts.</summary>
    private static readonly TimeSpan MaxPause = TimeSpan.FromDays(3);

    /// <summary>Adds a failure to a run, or begins a new one.</summary>
    /// <param name="before">The run so far; null after a success, or where nothing was ever sent.</param>
    /// <param name="at">Time of the failure.</param>
    public static FailureRun After(FailureRun? before, DateTimeOffset at) =>
        before is { } run && at - run.Last <= MaxPause ? run with { Last = at > run.Last ? at : run.Last } : new FailureRun(at, at);

    /// <summary>Continues a run with an attempt: a success ends it, a failure extends it. An expired delivery says nothing of the endpoint.</summary>
    /// <param name="before">The run so far; null where there is none.</param>
    /// <param name="attempt">The attempt.</param>
    public static FailureRun? AfterAttempt(FailureRun? before, DeliveryAttempt attempt) => attempt.Outcome switch
    {
        AttemptOutcome.Delivered => null,
        AttemptOutcome.Expired => before,
        _ => After(before, attempt.At),
    };
}
