namespace NodeStash.LocalHost.Durable;

/// <summary>
/// Runs an orchestrator's continuations one after the other on the thread that takes its turn, and on no other. A continuation
/// that arrives from elsewhere belongs to something that is not durable: it is dropped, and the orchestrator marked as strayed.
/// </summary>
/// <param name="strayed">Called from whichever thread the first such continuation came from.</param>
internal sealed class OrchestratorThread(Action strayed) : SynchronizationContext
{
    private readonly Queue<(SendOrPostCallback Run, object? State)> posted = new();
    private volatile int threadId;
    private int strays;

    /// <summary>True on the thread that takes the turn, while it does.</summary>
    public bool IsHere => threadId == Environment.CurrentManagedThreadId;

    public bool HasStrayed => Volatile.Read(ref strays) > 0;

    /// <summary>Begins a turn on this thread; it lasts until the answer is disposed.</summary>
    public Visit Enter()
    {
        var outer = Current;
        threadId = Environment.CurrentManagedThreadId;
        SetSynchronizationContext(this);
        return new Visit(this, outer);
    }

    /// <summary>Runs what was posted until nothing is left.</summary>
    public void Drain()
    {
        while (posted.TryDequeue(out var next)) next.Run(next.State);
    }

    public void Stray()
    {
        if (Interlocked.Increment(ref strays) == 1) strayed();
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        if (IsHere) posted.Enqueue((d, state));
        else Stray();
    }

    public override void Send(SendOrPostCallback d, object? state)
    {
        if (IsHere) d(state);
        else Stray();
    }

    public override SynchronizationContext CreateCopy() => this;

    internal readonly struct Visit(OrchestratorThread thread, SynchronizationContext? outer) : IDisposable
    {
        public void Dispose()
        {
            thread.threadId = 0;
            SetSynchronizationContext(outer);
        }
    }
}
