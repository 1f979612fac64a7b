namespace NodeStash.LocalHost.Triggers;

/// <summary>Reads committed changes in order, and stores the position of each lease.</summary>
public interface IChangeFeed
{
    /// <summary>Reads up to <paramref name="limit"/> documents after a position, oldest first.</summary>
    ValueTask<FeedPage> Read(long after, int limit, CancellationToken ct);

    /// <summary>Reads the position of a lease; 0, before the first document, for a new one.</summary>
    ValueTask<long> Checkpoint(string lease, CancellationToken ct);

    /// <summary>Stores durably that a lease has processed everything up to a position.</summary>
    ValueTask Advance(string lease, long position, CancellationToken ct);

    /// <summary>Completes once a change after a position exists. It may complete without one, but not on every call.</summary>
    Task Changed(long after, CancellationToken ct);
}

/// <summary>Page of documents, and the position to continue from: that of the last document, or later if no reader wants the following ones.</summary>
public sealed record FeedPage(IReadOnlyList<object> Documents, long Position);
