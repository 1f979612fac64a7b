using System.Threading.Channels;
using NodeStash.Core.Webhooks;

namespace NodeStash.Functions.Webhooks.Delivery;

/// <summary>
/// Queues the deliveries that a round may send now, one for each open lane, and collects the attempts that have finished. A lane is open from its first
/// delivery until it has none left to send in this round.
/// </summary>
internal sealed class Lanes
{
    private readonly Channel<Core.Webhooks.Delivery> ready = Channel.CreateUnbounded<Core.Webhooks.Delivery>();
    private readonly HashSet<Lane> open = [];

    /// <summary>Number of open lanes.</summary>
    public int OpenCount => open.Count;

    /// <summary>Deliveries to send: the oldest of each open lane that has no attempt in flight. Completes when the lanes close.</summary>
    public ChannelReader<Core.Webhooks.Delivery> Ready => ready.Reader;

    /// <summary>Finished attempts that are not recorded yet.</summary>
    public Channel<(Lane Lane, FinishedAttempt Attempt)> Finished { get; } = Channel.CreateUnbounded<(Lane, FinishedAttempt)>();

    /// <summary>Whether the lanes are closed: no further delivery is sent.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Opens the lanes of these deliveries. Skips lanes that are open already: they have an attempt in flight.</summary>
    /// <returns>The number of lanes opened.</returns>
    public int Open(IReadOnlyList<Core.Webhooks.Delivery> heads)
    {
        var before = open.Count;
        foreach (var head in heads)
        {
            if (open.Add(head.Lane)) ready.Writer.TryWrite(head);
        }

        return open.Count - before;
    }

    /// <summary>Waits for a finished attempt.</summary>
    /// <param name="until">Ends the wait when it completes; null to wait for as long as attempts may come.</param>
    /// <returns>False where no attempt came before <paramref name="until"/>, or none will come any more.</returns>
    public async Task<bool> WaitForFinished(Task? until)
    {
        var finished = Finished.Reader.WaitToReadAsync(CancellationToken.None).AsTask();
        return (until is null || finished.IsCompleted || await Task.WhenAny(finished, until) == finished) && await finished;
    }

    /// <summary>Continues a lane with its next delivery; closes the lane where that is null.</summary>
    public void Continue(Lane lane, Core.Webhooks.Delivery? next)
    {
        if (next is null) open.Remove(lane);
        else ready.Writer.TryWrite(next);
    }

    /// <summary>Closes all lanes: the round is over, or sending has failed. Attempts in flight go on.</summary>
    public void Close()
    {
        IsClosed = true;
        ready.Writer.TryComplete();
    }
}
