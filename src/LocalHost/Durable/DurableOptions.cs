namespace NodeStash.LocalHost.Durable;

/// <summary>Limits of a <see cref="DurableEngine"/>.</summary>
public sealed record DurableOptions
{
    /// <summary>Orchestrators that run at the same moment; at least 1. Default: one per processor.</summary>
    public int ConcurrentTurns { get; init; } = Environment.ProcessorCount;

    /// <summary>Activities under way at the same moment; at least 1. They mostly wait for others. Default: 256.</summary>
    public int ConcurrentActivities { get; init; } = 256;

    /// <summary>Waiting orchestrations kept in memory; the others are replayed from history when something happens. 0 keeps none. Default: 1,000.</summary>
    public int CachedExecutions { get; init; } = 1_000;

    /// <summary>How long a finished instance can be looked up before it is purged. Default: 24 hours.</summary>
    public TimeSpan Retention { get; init; } = TimeSpan.FromHours(24);
}
