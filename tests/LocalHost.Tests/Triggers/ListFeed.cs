using System.Collections.Concurrent;
using NodeStash.LocalHost.Triggers;

namespace NodeStash.LocalHost.Tests.Triggers;

/// <summary>A change feed that is a list: the position of a document is its number, from 1.</summary>
internal sealed class ListFeed : IChangeFeed
{
    private readonly Lock gate = new();
    private readonly List<object> documents = [];
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ConcurrentDictionary<string, long> Checkpoints { get; } = [];

    /// <summary>False: readers are not woken and find changes only when they look.</summary>
    public bool Signals { get; init; } = true;

    /// <summary>How often a read is to fail from now on.</summary>
    public int Outage { get; set; }

    public void Add(params object[] added)
    {
        TaskCompletionSource before;
        lock (gate)
        {
            documents.AddRange(added);
            before = changed;
            changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        if (Signals) before.SetResult();
    }

    public ValueTask<FeedPage> Read(long after, int limit, CancellationToken ct)
    {
        if (Outage-- > 0) throw new IOException("the disk is away");
        lock (gate)
        {
            var page = documents.Skip((int)after).Take(limit).ToList();
            return new(new FeedPage(page, after + page.Count));
        }
    }

    public ValueTask<long> Checkpoint(string lease, CancellationToken ct) => new(Checkpoints.GetValueOrDefault(lease));

    public ValueTask Advance(string lease, long position, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        Checkpoints[lease] = position;
        return default;
    }

    public Task Changed(long after, CancellationToken ct)
    {
        lock (gate) return (Signals && documents.Count > after ? Task.CompletedTask : changed.Task).WaitAsync(ct);
    }
}
