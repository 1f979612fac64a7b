namespace NodeStash.LocalHost.Durable;

/// <summary>Executions between two turns, by instance id; the one unused the longest makes room for a new one.</summary>
/// <param name="capacity">0 keeps none.</param>
internal sealed class ExecutionCache(int capacity) : IAsyncDisposable
{
    private readonly Dictionary<string, LinkedListNode<(string Id, Execution Execution)>> byId = new(StringComparer.Ordinal);
    private readonly LinkedList<(string Id, Execution Execution)> byAge = new();

    /// <summary>Takes the execution out, for its next turn; null where it is not kept.</summary>
    public Execution? Take(string id)
    {
        lock (byId)
        {
            if (!byId.Remove(id, out var node)) return null;
            byAge.Remove(node);
            return node.Value.Execution;
        }
    }

    /// <summary>Puts the execution in. The one that had to make room is the caller's to dispose; null: none had to.</summary>
    public Execution? Keep(string id, Execution execution)
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
