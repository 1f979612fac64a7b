using System.Threading.Channels;
using NodeStash.Core.Webhooks;

namespace NodeStash.Functions.Webhooks.Delivery;

/// <summary>Lanes that are worked off: what can be sent next in each, and attempts made of which nothing is noted yet.</summary>
internal sealed class Lanes
{
    private readonly Channel<Core.Webhooks.Delivery> ready = Channel.CreateUnbounded<Core.Webhooks.Delivery>();
    private readonly HashSet<Lane> open = [];

    /// <summary>Those that are not done.</summary>
    public int Open => open.Count;

    /// <summary>The oldest delivery of each lane that has nothing under way, until the lanes end.</summary>
    public ChannelReader<Core.Webhooks.Delivery> Ready => ready.Reader;

    public Channel<(Lane Lane, FinishedAttempt Made)> Attempts { get; } = Channel.CreateUnbounded<(Lane, FinishedAttempt)>();

    /// <summary>Begins with lanes, except those that are open: they have something under way.</summary>
    /// <returns>How many.</returns>
    public int Begin(IReadOnlyList<Core.Webhooks.Delivery> heads)
    {
        var before = open.Count;
        foreach (var head in heads)
        {
            if (open.Add(head.Lane)) ready.Writer.TryWrite(head);
        }

        return open.Count - before;
    }

    /// <summary>Waits until there is an attempt to be noted; false where there will be none, or none until then.</summary>
    public async Task<bool> IsAttemptMade(Task? until)
    {
        var made = Attempts.Reader.WaitToReadAsync(CancellationToken.None).AsTask();
        return (until is null || made.IsCompleted || await Task.WhenAny(made, until) == made) && await made;
    }

    /// <summary>A lane goes on with this delivery; null where it is done.</summary>
    public void Go(Lane lane, Core.Webhooks.Delivery? next)
    {
        if (next is null) open.Remove(lane);
        else ready.Writer.TryWrite(next);
    }

    /// <summary>Whether nothing more is begun, as the round is over or sending has failed.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Nothing more is begun.</summary>
    public void End()
    {
        IsEnded = true;
        ready.Writer.TryComplete();
    }
}
