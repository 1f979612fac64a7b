namespace NodeStash.LocalHost.Triggers;

/// <summary>
/// Reads messages for queue functions. Taking a message hides it from other consumers for a time; the consumer removes it once the work is done.
/// </summary>
public interface IMessages
{
    /// <summary>Takes the messages that have waited longest, and hides them.</summary>
    /// <param name="queue">The name of the queue.</param>
    /// <param name="max">Maximum number of messages.</param>
    /// <param name="hidden">Time after which they are visible again.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask<IReadOnlyList<Message>> Take(string queue, int max, TimeSpan hidden, CancellationToken ct);

    /// <summary>Removes a message whose work is done. A message that was taken again stays.</summary>
    ValueTask Remove(string queue, Message message, CancellationToken ct);

    /// <summary>Makes a message visible again after a time.</summary>
    ValueTask Return(string queue, Message message, TimeSpan after, CancellationToken ct);

    /// <summary>Moves a message unchanged to the poison queue.</summary>
    ValueTask Poison(string queue, Message message, CancellationToken ct);

    /// <summary>Completes once a message may be visible. It may complete without one, but not on every call.</summary>
    Task Changed(string queue, CancellationToken ct);
}

/// <summary>Message taken from a queue.</summary>
/// <param name="Id">The id of the message.</param>
/// <param name="Receipt">Identifies who took it last.</param>
/// <param name="Text">The text as sent.</param>
/// <param name="Attempts">Number of times it was taken, including this time.</param>
public sealed record Message(string Id, string Receipt, string Text, long Attempts);
