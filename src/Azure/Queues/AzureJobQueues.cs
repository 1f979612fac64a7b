using System.Collections.Concurrent;
using Azure;
using Azure.Identity;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using NodeStash.Core.Jobs;
using NodeStash.Core.Storage;

namespace NodeStash.Azure.Queues;

/// <summary>Queues of an Azure storage account. Functions with a queue trigger read what it sends.</summary>
/// <param name="account">Made with <see cref="ClientOptions"/>.</param>
public sealed class AzureJobQueues(QueueServiceClient account) : IJobQueues
{
    /// <summary>A message waits until it is read, however long that takes.</summary>
    private static readonly TimeSpan Forever = TimeSpan.FromSeconds(-1);

    private readonly ConcurrentDictionary<string, QueueClient> queues = new(StringComparer.Ordinal);

    /// <summary>Messages in Base64, as the Functions host expects them; what can't be sent is told within half a minute.</summary>
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
                // In a deployment they are there, and this app has no right to make any.
                await client.CreateIfNotExistsAsync(cancellationToken: ct);
                await Send();
            }
        }
        catch (Exception e) when (IsOutage(e, ct))
        {
            throw new StoreUnavailableException($"the queue {queue} does not answer", e);
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
            // It answers. Who may only send is told no more; an emulator's queues are made with their first message.
        }
        catch (Exception e) when (e is RequestFailedException || IsOutage(e, ct))
        {
            throw new StoreUnavailableException("the queues do not answer", e);
        }
    }

    /// <summary>Whether the service does not answer, is too busy or fails: then it is worth another try later. Anything else is a fault of ours.</summary>
    private static bool IsOutage(Exception e, CancellationToken ct) => e switch
    {
        RequestFailedException { Status: 0 or 408 or 429 or >= 500 } => true,
        AggregateException tries => tries.InnerExceptions.All(one => IsOutage(one, ct)),
        OperationCanceledException => !ct.IsCancellationRequested,
        AuthenticationFailedException => true, // who gives the app its identity does not answer
        _ => false,
    };
}
