namespace NodeStash.LocalHost.Durable;

/// <summary>Lets clients wait for the next change of an instance.</summary>
internal sealed class InstanceWatches
{
    private readonly Dictionary<string, List<TaskCompletionSource>> watches = new(StringComparer.Ordinal);
    private bool closed;

    /// <summary>
    /// Begins to watch an instance. Read the instance after this call, not before, to miss no change. Disposing the engine cancels the watch; disposing the
    /// watch ends it.
    /// </summary>
    public Watch Begin(string id)
    {
        var changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (watches)
        {
            if (closed)
            {
                changed.SetCanceled();
            }
            else
            {
                if (!watches.TryGetValue(id, out var list)) watches.Add(id, list = []);
                list.Add(changed);
            }
        }

        return new Watch(this, id, changed);
    }

    public void Signal(string id)
    {
        lock (watches)
        {
            if (!watches.Remove(id, out var list)) return;
            foreach (var changed in list) changed.TrySetResult();
        }
    }

    public void Close()
    {
        lock (watches)
        {
            closed = true;
            foreach (var changed in watches.Values.SelectMany(list => list)) changed.TrySetCanceled();
            watches.Clear();
        }
    }

    private void End(string id, TaskCompletionSource changed)
    {
        lock (watches)
        {
            if (watches.TryGetValue(id, out var list) && list.Remove(changed) && list.Count == 0) watches.Remove(id);
        }
    }

    internal readonly struct Watch(InstanceWatches watches, string id, TaskCompletionSource changed) : IDisposable
    {
        public Task Changed => changed.Task;

        public void Dispose() => watches.End(id, changed);
    }
}
