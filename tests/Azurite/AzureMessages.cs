using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using NodeStash.Core.Jobs;
using NodeStash.LocalHost.Triggers;

namespace NodeStash.Azurite.Tests;

/// <summary>Reads messages as the Functions host does. A message that is to wait waits a second, so that tests need not wait for half a minute.</summary>
internal sealed class AzureMessages(QueueServiceClient account) : IMessages
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50), MaxWait = TimeSpan.FromSeconds(1);

    public async ValueTask<IReadOnlyList<Message>> Take(string queue, int max, TimeSpan hidden, CancellationToken ct)
    {
        var taken = await account.GetQueueClient(queue).ReceiveMessagesAsync(Math.Min(max, 32), hidden, ct);
        return [.. taken.Value.Select(message => new Message(message.MessageId, message.PopReceipt, message.Body.ToString(), message.DequeueCount))];
    }

    public ValueTask Remove(string queue, Message message, CancellationToken ct) =>
        UnlessTaken(() => account.GetQueueClient(queue).DeleteMessageAsync(message.Id, message.Receipt, ct));

    public ValueTask Return(string queue, Message message, TimeSpan after, CancellationToken ct) =>
        UnlessTaken(() => account.GetQueueClient(queue)
            .UpdateMessageAsync(message.Id, message.Receipt, visibilityTimeout: after < MaxWait ? after : MaxWait, cancellationToken: ct));

    public async ValueTask Poison(string queue, Message message, CancellationToken ct)
    {
        await account.GetQueueClient(queue + JobQueue.PoisonSuffix).SendMessageAsync(message.Text, ct);
        await Remove(queue, message, ct);
    }

    public async Task Changed(string queue, CancellationToken ct)
    {
        while ((await account.GetQueueClient(queue).PeekMessagesAsync(1, ct)).Value.Length == 0) await Task.Delay(Poll, TimeProvider.System, ct);
    }

    private static async ValueTask UnlessTaken(Func<Task> request)
    {
        try
        {
            await request();
        }
        catch (RequestFailedException e) when (e.Status == 404 || e.ErrorCode == QueueErrorCode.PopReceiptMismatch)
        {
        }
    }
}
