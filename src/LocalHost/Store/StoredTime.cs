namespace NodeStash.LocalHost.Store;

/// <summary>Converts stored times, which are UTC ticks and lose no precision.</summary>
internal static class StoredTime
{
    public static DateTimeOffset FromTicks(long ticks) => new(ticks, TimeSpan.Zero);
}
