namespace NodeStash.LocalHost.Triggers;

/// <summary>
/// The messages of queues, as queue functions need them: who takes one hides it from others for a while, and removes it once the work is done.
/// </summary>
public interface IMessages
{
    /// <summary>The messages that have waited longest, and hides them.</summary>
    /// <param name="queue">Its name.</param>
    /// <param name="max">The most to take.</param>
    /// <param name="hidden">How long; then they come again.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask<IReadOnlyList<Message>> Take(string queue, int max, TimeSpan hidden, CancellationToken ct);

    /// <summary>Removes a message whose work is done. One that was taken again meanwhile stays.</summary>
    ValueTask Remove(string queue, Message message, CancellationToken ct);

    /// <summary>Lets a message come again after a time.</summary>
    ValueTask Return(string queue, Message message, TimeSpan after, CancellationToken ct);

    /// <summary>Puts a message into the queue's poison queue, as it is.</summary>
    ValueTask Poison(string queue, Message message, CancellationToken ct);

    /// <summary>Completes once there may be a message to take: at once if there is one. It may complete in vain, but not at every call.</summary>
    Task Changed(string queue, CancellationToken ct);
}

/// <param name="Id">Of the message.</param>
/// <param name="Receipt">Proves who took it last.</param>
/// <param name="Text">As it was sent.</param>
/// <param name="Tries">How often it was taken, this time included.</param>
public sealed record Message(string Id, string Receipt, string Text, long Tries);
