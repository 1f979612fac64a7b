using System.Collections.Concurrent;

namespace NodeStash.Support.Clocks;

/// <summary>A clock that stands still until it is set, also to an earlier time. Waits take as long as they say.</summary>
public class SettableClock(DateTimeOffset now) : TimeProvider
{
    /// <summary>A day like any other.</summary>
    public static readonly DateTimeOffset SomeDay = new(2026, 1, 15, 10, 30, 0, TimeSpan.Zero);

    private long ticks = now.UtcTicks;

    public DateTimeOffset Now
    {
        get => new(Interlocked.Read(ref ticks), TimeSpan.Zero);
        set => Interlocked.Exchange(ref ticks, value.UtcTicks);
    }

    public override DateTimeOffset GetUtcNow() => Now;

    protected void Advance(TimeSpan by) => Interlocked.Add(ref ticks, by.Ticks);
}

/// <summary>
/// A clock that stands still, but jumps to the end of any wait as soon as it begins. For one waiter at a time where the order of waits matters.
/// </summary>
public sealed class JumpingClock(DateTimeOffset now) : SettableClock(now)
{
    /// <summary>The waits begun so far, oldest first.</summary>
    public ConcurrentQueue<TimeSpan> Waits { get; } = [];

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime == Timeout.InfiniteTimeSpan) return System.CreateTimer(callback, state, dueTime, period);
        Waits.Enqueue(dueTime);
        Advance(dueTime);
        return System.CreateTimer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }
}
