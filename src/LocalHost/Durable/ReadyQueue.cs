using System.Threading.Channels;

namespace NodeStash.LocalHost.Durable;

/// <summary>Queues instances that can take a turn, each once. An instance that is woken during its turn is queued again after it.</summary>
internal sealed class ReadyQueue
{
    private readonly Channel<string> ready = Channel.CreateUnbounded<string>();
    private readonly Dictionary<string, State> states = new(StringComparer.Ordinal);

    private enum State
    {
        Waiting,
        Running,
        RunningAndWoken,
    }

    /// <summary>Number of instances that wait for a turn or are taking one.</summary>
    public int Count
    {
        get
        {
            lock (states) return states.Count;
        }
    }

    /// <summary>Queues an instance.</summary>
    public void Wake(string id)
    {
        lock (states)
        {
            if (!states.TryGetValue(id, out var state)) Enqueue(id);
            else if (state == State.Running) states[id] = State.RunningAndWoken;
        }
    }

    /// <summary>Dequeues the next instance. Its turn lasts until <see cref="Done"/>.</summary>
    public async ValueTask<string> Next(CancellationToken ct)
    {
        var id = await ready.Reader.ReadAsync(ct);
        lock (states) states[id] = State.Running;
        return id;
    }

    /// <summary>Ends the turn of an instance.</summary>
    public void Done(string id)
    {
        lock (states)
        {
            if (states[id] == State.RunningAndWoken) Enqueue(id);
            else states.Remove(id);
        }
    }

    private void Enqueue(string id)
    {
        states[id] = State.Waiting;
        ready.Writer.TryWrite(id);
    }
}
