namespace NodeStash.LocalHost.Durable;

/// <summary>Caches executions between two turns, by instance id. Evicts the least recently used.</summary>
/// <param name="capacity">Maximum number of executions; 0 keeps none.</param>
internal sealed class ExecutionCache(int capacity) : IAsyncDisposable
{
    private readonly Dictionary<string, LinkedListNode<(string Id, Execution Execution)>> byId = new(StringComparer.Ordinal);
    private readonly LinkedList<(string Id, Execution Execution)> byAge = new();

    /// <summary>Removes an execution from the cache for its next turn; null if it is not cached.</summary>
    public Execution? Remove(string id)
    {
        lock (byId)
        {
            if (!byId.Remove(id, out var node)) return null;
            byAge.Remove(node);
            return node.Value.Execution;
        }
    }

    /// <summary>Adds an execution. Returns the evicted one, which the caller disposes; null for none.</summary>
    public Execution? Add(string id, Execution execution)
    {
        lock (byId)
        {
            byId.Add(id, byAge.AddLast((id, execution)));
            if (byId.Count <= capacity || byAge.First is not { } oldest) return null;
            byAge.RemoveFirst();
            byId.Remove(oldest.Value.Id);
            return oldest.Value.Execution;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (_, execution) in byAge) await execution.DisposeAsync();
        byAge.Clear();
        byId.Clear();
    }
}
