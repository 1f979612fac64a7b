namespace NodeStash.LocalHost.Durable;

/// <summary>Limits the work and memory of a <see cref="DurableEngine"/>.</summary>
public sealed record DurableOptions
{
    /// <summary>Maximum number of orchestrator turns run in parallel; at least 1. Default: one per processor.</summary>
    public int ConcurrentTurns { get; init; } = Environment.ProcessorCount;

    /// <summary>Maximum number of activities in flight; at least 1. Activities mostly wait for I/O. Default: 256.</summary>
    public int ConcurrentActivities { get; init; } = 256;

    /// <summary>Maximum number of waiting executions kept in memory; others are replayed from history. 0 keeps none. Default: 1,000.</summary>
    public int CachedExecutions { get; init; } = 1_000;

    /// <summary>Time for which a finished instance can be looked up before it is purged. Default: 24 hours.</summary>
    public TimeSpan Retention { get; init; } = TimeSpan.FromHours(24);
}
