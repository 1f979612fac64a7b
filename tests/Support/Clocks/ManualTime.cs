namespace NodeStash.Support.Clocks;

/// <summary>A clock that moves only when told to. Starts at 2030-01-01, UTC.</summary>
public sealed class ManualTime : TimeProvider
{
    private readonly List<Timer> timers = [];
    private DateTimeOffset now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (timers) return now;
    }

    public override long GetTimestamp() => GetUtcNow().UtcTicks;

    /// <summary>Moves the clock and runs what comes due on the way.</summary>
    public void Advance(TimeSpan by)
    {
        List<Timer> due;
        lock (timers)
        {
            now += by;
            due = [.. timers.Where(timer => timer.Due <= now).OrderBy(timer => timer.Due)];
            foreach (var timer in due) timer.Passed();
        }

        foreach (var timer in due) timer.Run();
    }

    /// <summary>Moves the clock exactly to the next timer; false where none is due within that time.</summary>
    public bool AdvanceToNext(TimeSpan within)
    {
        TimeSpan wait;
        lock (timers)
        {
            if (timers.Count == 0) return false;
            wait = timers.Min(timer => timer.Due) - now;
        }

        if (wait > within) return false;
        Advance(wait > TimeSpan.Zero ? wait : TimeSpan.Zero);
        return true;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class Timer(ManualTime time, Action run) : ITimer
    {
        private TimeSpan every = Timeout.InfiniteTimeSpan;

        public DateTimeOffset Due { get; private set; }

        public void Run() => run();

        /// <summary>Comes due again after its period, once however many periods have passed.</summary>
        public void Passed()
        {
            if (every == Timeout.InfiniteTimeSpan) time.timers.Remove(this);
            else Due = time.now + every;
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time.timers)
            {
                time.timers.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan) return true;
                (Due, every) = (time.now + dueTime, period == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : period);
                time.timers.Add(this);
            }

            return true;
        }

        public void Dispose()
        {
            lock (time.timers) time.timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
