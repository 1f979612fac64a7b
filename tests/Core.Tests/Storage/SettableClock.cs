namespace NodeStash.Core.Tests.Storage;

/// <summary>A clock that stands still until it is set.</summary>
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

/// <summary>A clock by which every wait is over at once, and it is later then.</summary>
public sealed class JumpingClock(DateTimeOffset now) : SettableClock(now)
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime != Timeout.InfiniteTimeSpan)
        {
            Advance(dueTime);
            ThreadPool.QueueUserWorkItem(_ => callback(state));
        }

        return new Timer();
    }

    private sealed class Timer : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
