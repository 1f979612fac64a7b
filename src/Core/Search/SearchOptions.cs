namespace NodeStash.Core.Search;

/// <summary>What a search may cost.</summary>
public sealed record SearchOptions
{
    /// <summary>By default a search is given up after five seconds. One of 100,000 records takes some milliseconds.</summary>
    public static readonly TimeSpan DefaultMaxDuration = TimeSpan.FromSeconds(5);

    /// <summary>After so long a search is given up, wherever it is, and answered by 503.</summary>
    public TimeSpan MaxDuration { get; init; } = DefaultMaxDuration;
}
