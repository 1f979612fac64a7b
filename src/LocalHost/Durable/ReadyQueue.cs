using System.Threading.Channels;

namespace NodeStash.LocalHost.Durable;

/// <summary>Instances that can take a turn, each at most once, and never while it is taking one: it then comes again afterwards.</summary>
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

    /// <summary>Instances that wait or are taking a turn.</summary>
    public int Count
    {
        get
        {
            lock (states) return states.Count;
        }
    }

    public void Wake(string id)
    {
        lock (states)
        {
            if (!states.TryGetValue(id, out var state)) Enqueue(id);
            else if (state == State.Running) states[id] = State.RunningAndWoken;
        }
    }

    /// <summary>The next instance; it is taking a turn until <see cref="Done"/>.</summary>
    public async ValueTask<string> Next(CancellationToken ct)
    {
        var id = await ready.Reader.ReadAsync(ct);
        lock (states) states[id] = State.Running;
        return id;
    }

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
