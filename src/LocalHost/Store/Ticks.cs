namespace NodeStash.LocalHost.Store;

/// <summary>Times as they stand in the file: UTC ticks, which lose nothing.</summary>
internal static class Ticks
{
    public static DateTimeOffset ToTime(long ticks) => new(ticks, TimeSpan.Zero);
}
