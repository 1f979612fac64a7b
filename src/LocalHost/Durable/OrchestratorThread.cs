namespace NodeStash.LocalHost.Durable;

/// <summary>
/// Runs the continuations of an orchestrator in order, on the thread that runs its turn. A continuation from another thread belongs to a task that is not
/// durable: it is dropped, and reported.
/// </summary>
/// <param name="reportLeft">Called once, from the thread of the first such continuation.</param>
internal sealed class OrchestratorThread(Action reportLeft) : SynchronizationContext
{
    private readonly Queue<(SendOrPostCallback Run, object? State)> posted = new();
    private volatile int threadId;
    private int leftCount;

    /// <summary>Whether the calling thread is running the turn.</summary>
    public bool IsCurrent => threadId == Environment.CurrentManagedThreadId;

    /// <summary>Whether a continuation came from another thread.</summary>
    public bool HasLeftThread => Volatile.Read(ref leftCount) > 0;

    /// <summary>Begins a turn on this thread; disposing the result ends it.</summary>
    public TurnScope Enter()
    {
        var outer = Current;
        threadId = Environment.CurrentManagedThreadId;
        SetSynchronizationContext(this);
        return new TurnScope(this, outer);
    }

    /// <summary>Runs posted continuations until none is left.</summary>
    public void Drain()
    {
        while (posted.TryDequeue(out var next)) next.Run(next.State);
    }

    /// <summary>Reports a continuation from another thread, the first time.</summary>
    public void ReportLeft()
    {
        if (Interlocked.Increment(ref leftCount) == 1) reportLeft();
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        if (IsCurrent) posted.Enqueue((d, state));
        else ReportLeft();
    }

    public override void Send(SendOrPostCallback d, object? state)
    {
        if (IsCurrent) d(state);
        else ReportLeft();
    }

    public override SynchronizationContext CreateCopy() => this;

    internal readonly struct TurnScope(OrchestratorThread thread, SynchronizationContext? outer) : IDisposable
    {
        public void Dispose()
        {
            thread.threadId = 0;
            SetSynchronizationContext(outer);
        }
    }
}
