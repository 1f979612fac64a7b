namespace NodeStash.LocalHost.Triggers;

/// <summary>Everything the store has committed, in order, and how far each reader has come.</summary>
public interface IChangeFeed
{
    /// <summary>The next documents after a position, oldest first; at most <paramref name="limit"/> of them.</summary>
    ValueTask<FeedPage> Read(long after, int limit, CancellationToken ct);

    /// <summary>The position a lease has reached; 0, before the first document, for a new one.</summary>
    ValueTask<long> Checkpoint(string lease, CancellationToken ct);

    /// <summary>Remembers, durably, that everything up to a position has been dealt with.</summary>
    ValueTask Advance(string lease, long position, CancellationToken ct);

    /// <summary>Completes once there is something after a position: at once if there already is. It may complete in vain, but not at every call.</summary>
    Task Changed(long after, CancellationToken ct);
}

/// <summary>Documents, and the position to read on from: that of the last document, or further if what follows is not for any reader.</summary>
public sealed record FeedPage(IReadOnlyList<object> Documents, long Position);
