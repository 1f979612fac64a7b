namespace NodeStash.Core.Search;

/// <summary>Holds the limits of a search.</summary>
public sealed record SearchOptions
{
    /// <summary>Default of <see cref="MaxDuration"/>: 5 s. A search over 100,000 records takes some milliseconds.</summary>
    public static readonly TimeSpan DefaultMaxDuration = TimeSpan.FromSeconds(5);

    /// <summary>Longest time of a search. A longer one is stopped and answered with 503.</summary>
    public TimeSpan MaxDuration { get; init; } = DefaultMaxDuration;
}
