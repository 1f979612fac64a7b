using System.Collections.Concurrent;
using Azure;
using Azure.Identity;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using NodeStash.Core.Jobs;
using NodeStash.Core.Storage;

namespace NodeStash.Azure.Queues;

/// <summary>Sends jobs to queues of an Azure storage account. Functions with a queue trigger receive them.</summary>
/// <param name="account">A client created with <see cref="ClientOptions"/>.</param>
public sealed class AzureJobQueues(QueueServiceClient account) : IJobQueues
{
    /// <summary>Time to live of a message: it never expires.</summary>
    private static readonly TimeSpan Forever = TimeSpan.FromSeconds(-1);

    private readonly ConcurrentDictionary<string, QueueClient> queues = new(StringComparer.Ordinal);

    /// <summary>Options of the client: Base64 messages, as the Functions host expects, and failures reported within half a minute.</summary>
    public static QueueClientOptions ClientOptions => new()
    {
        MessageEncoding = QueueMessageEncoding.Base64,
        Retry = { MaxRetries = 4, Delay = TimeSpan.FromMilliseconds(200), MaxDelay = TimeSpan.FromSeconds(2), NetworkTimeout = TimeSpan.FromSeconds(5) },
    };

    public async ValueTask Send(string queue, string text, TimeSpan delay, CancellationToken ct)
    {
        JobQueue.EnsureWithinLimits(text);
        var client = queues.GetOrAdd(queue, static (name, account) => account.GetQueueClient(name), account);
        try
        {
            try
            {
                await Send();
            }
            catch (RequestFailedException e) when (e.ErrorCode == QueueErrorCode.QueueNotFound)
            {
                // Only an emulator lacks queues. A deployment has them, and this app has no right to create any.
                await client.CreateIfNotExistsAsync(cancellationToken: ct);
                await Send();
            }
        }
        catch (Exception e) when (IsOutage(e, ct))
        {
            throw new StoreUnavailableException($"the queue {queue} does not respond; retry later", e);
        }

        Task Send() => client.SendMessageAsync(text, visibilityTimeout: delay, timeToLive: Forever, cancellationToken: ct);
    }

    public async ValueTask Check(CancellationToken ct)
    {
        try
        {
            await account.GetQueueClient(JobQueue.All[0]).GetPropertiesAsync(ct);
        }
        catch (RequestFailedException e) when (e.ErrorCode == QueueErrorCode.QueueNotFound || e.ErrorCode == QueueErrorCode.AuthorizationPermissionMismatch)
        {
            // The service responds: a sender may not read properties, and an emulator creates queues with their first message.
        }
        catch (Exception e) when (e is RequestFailedException || IsOutage(e, ct))
        {
            throw new StoreUnavailableException("the queues do not respond; check the storage account and the role of the app's identity", e);
        }
    }

    /// <summary>Whether the service does not respond, is too busy or fails, so that a later attempt may succeed. Other errors are bugs.</summary>
    private static bool IsOutage(Exception e, CancellationToken ct) => e switch
    {
        RequestFailedException { Status: 0 or 408 or 429 or >= 500 } => true,
        AggregateException attempts => attempts.InnerExceptions.All(one => IsOutage(one, ct)),
        OperationCanceledException => !ct.IsCancellationRequested,
        AuthenticationFailedException => true, // the identity provider does not respond
        _ => false,
    };
}
