using System.Text;
using NodeStash.Core.Storage;

namespace NodeStash.Core.Jobs;

/// <summary>
/// Where work waits that is done soon, maybe in another process. A message is delivered at least once, in no particular order: whoever does the
/// work can do it twice. One that fails every time passes through the queue's poison queue into the one that keeps what was given up.
/// </summary>
/// <remarks>Adapters pass the contract suite in tests/Support/Contracts/Queues.</remarks>
public interface IJobQueues
{
    /// <summary>Sends a message. Once it answers the message survives any crash.</summary>
    /// <param name="queue">One of <see cref="JobQueue"/>.</param>
    /// <param name="text">At most <see cref="JobQueue.MaxBytes"/> in UTF-8.</param>
    /// <param name="delay">How long nobody gets it; zero for not at all. At most 7 days.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="StoreUnavailableException">The queue can't be reached. The message may have been sent all the same.</exception>
    ValueTask Send(string queue, string text, TimeSpan delay, CancellationToken ct);

    /// <summary>Answers if the queues are there to be sent to. Sends nothing.</summary>
    /// <exception cref="StoreUnavailableException">They can't be reached.</exception>
    ValueTask Check(CancellationToken ct);
}

/// <summary>The queues there are; each has a function of its own, so that one kind of work does not wait for another.</summary>
public static class JobQueue
{
    /// <summary>Messages are <see cref="CascadeJob"/>.</summary>
    public const string Cascades = "wide-changes";

    /// <summary>Messages are <see cref="Redelivery"/>.</summary>
    public const string Redeliveries = "redeliveries";

    /// <summary>Messages are <see cref="WebhookTest"/>.</summary>
    public const string WebhookTests = "webhook-tests";

    /// <summary>Messages are <see cref="Reindexing"/>.</summary>
    public const string Reindexes = "reindexes";

    /// <summary>Messages are <see cref="Purging"/>.</summary>
    public const string Purges = "purges";

    /// <summary>Ends the name of the queue that takes the messages of another one that failed every time.</summary>
    public const string PoisonSuffix = "-poison";

    /// <summary>Ends the name of the queue that keeps the given-up messages of another one until somebody decides.</summary>
    public const string GivenUpSuffix = "-given-up";

    /// <summary>The app setting with the connection of the queues.</summary>
    public const string Connection = "JOBS";

    /// <summary>The most bytes of a message in UTF-8: what is within the 64 KiB of Azure Storage Queues once it is Base64.</summary>
    public const int MaxBytes = 48 * 1024;

    public static IReadOnlyList<string> All { get; } = [Cascades, Redeliveries, WebhookTests, Reindexes, Purges];

    /// <summary>Refuses a message that a queue would not take; every adapter asks before it does anything.</summary>
    /// <exception cref="ArgumentException">It is larger than <see cref="MaxBytes"/>.</exception>
    public static void EnsureWithinLimits(string text)
    {
        if (Encoding.UTF8.GetByteCount(text) is > MaxBytes and var bytes)
            throw new ArgumentException($"a message has at most {MaxBytes} bytes, not {bytes}", nameof(text));
    }
}
