using System.Text;
using NodeStash.Core.Storage;

namespace NodeStash.Core.Jobs;

/// <summary>
/// Sends messages to queues, for work that is done soon, maybe in another process. A message is delivered at least once, in no particular order, so
/// the consumer must tolerate repeats. A message that fails every time goes to the poison queue, then to the queue of given-up messages.
/// </summary>
/// <remarks>Adapters pass the contract suite in tests/Support/Contracts/Queues.</remarks>
public interface IJobQueues
{
    /// <summary>Sends a message. Once the call returns, the message survives any crash.</summary>
    /// <param name="queue">The name of the queue, one of <see cref="JobQueue.All"/>.</param>
    /// <param name="text">The message, at most <see cref="JobQueue.MaxBytes"/> in UTF-8.</param>
    /// <param name="delay">The time until the message can be received, from zero to 7 days.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="StoreUnavailableException">The queue cannot be reached. The message may have been sent nevertheless.</exception>
    ValueTask Send(string queue, string text, TimeSpan delay, CancellationToken ct);

    /// <summary>Checks that the queues can be reached. Sends nothing.</summary>
    /// <exception cref="StoreUnavailableException">The queues cannot be reached.</exception>
    ValueTask Check(CancellationToken ct);
}

/// <summary>Names the queues. Each has a function of its own, so that one kind of work does not wait for another.</summary>
public static class JobQueue
{
    /// <summary>The queue of <see cref="CascadeJob"/> messages.</summary>
    public const string Cascades = "wide-changes";

    /// <summary>The queue of <see cref="Redelivery"/> messages.</summary>
    public const string Redeliveries = "redeliveries";

    /// <summary>The queue of <see cref="WebhookTest"/> messages.</summary>
    public const string WebhookTests = "webhook-tests";

    /// <summary>The queue of <see cref="Reindexing"/> messages.</summary>
    public const string Reindexes = "reindexes";

    /// <summary>The queue of <see cref="Purging"/> messages.</summary>
    public const string Purges = "purges";

    /// <summary>Suffix of the queue that receives messages of another queue after they failed every time.</summary>
    public const string PoisonSuffix = "-poison";

    /// <summary>Suffix of the queue that keeps the given-up messages of another queue until an operator decides.</summary>
    public const string GivenUpSuffix = "-given-up";

    /// <summary>Name of the app setting with the connection of the queues.</summary>
    public const string Connection = "JOBS";

    /// <summary>Largest message in bytes of UTF-8. In Base64 it fits the 64 KiB limit of Azure Storage Queues.</summary>
    public const int MaxBytes = 48 * 1024;

    /// <summary>Names of all queues, without poison and given-up queues.</summary>
    public static IReadOnlyList<string> All { get; } = [Cascades, Redeliveries, WebhookTests, Reindexes, Purges];

    /// <summary>Enforces <see cref="MaxBytes"/>. Every adapter calls it first.</summary>
    /// <exception cref="ArgumentException">The message is larger than <see cref="MaxBytes"/>.</exception>
    public static void EnsureWithinLimits(string text)
    {
        if (Encoding.UTF8.GetByteCount(text) is > MaxBytes and var bytes)
            throw new ArgumentException($"a message has at most {MaxBytes} bytes, not {bytes}", nameof(text));
    }
}
