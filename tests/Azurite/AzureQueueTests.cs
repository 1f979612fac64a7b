using System.Text;
using Azure.Storage.Queues;
using NodeStash.Azure.Queues;
using NodeStash.Core.Jobs;
using NodeStash.Core.Storage;
using NodeStash.LocalHost.Triggers;
using NodeStash.Support.Contracts.Queues;

namespace NodeStash.Azurite.Tests;

public sealed class AzureQueueTests(AzuriteProcess azurite) : QueueContract, IClassFixture<AzuriteProcess>, IAsyncLifetime
{
    private static readonly string[] Queues = ["work", "work-poison"];

    private QueueServiceClient account = null!;

    protected override IJobQueues Sender => new AzureJobQueues(account);

    protected override IMessages Messages => new AzureMessages(account);

    public async ValueTask InitializeAsync()
    {
        account = azurite.Open(AzureJobQueues.ClientOptions);
        foreach (var queue in Queues)
        {
            await account.GetQueueClient(queue).CreateIfNotExistsAsync();
            await account.GetQueueClient(queue).ClearMessagesAsync();
        }
    }

    [Fact]
    public async Task A_message_is_in_Base64_as_the_Functions_host_expects_it_and_does_not_expire()
    {
        await Sender.Send("work", "{\"name\":\"Zoë\"}", TimeSpan.Zero, CancellationToken.None);

        var raw = (await azurite.Open(null).GetQueueClient("work").ReceiveMessageAsync()).Value;

        Assert.Equal(Convert.ToBase64String(Encoding.UTF8.GetBytes("{\"name\":\"Zoë\"}")), raw.Body.ToString());
        Assert.Equal(9999, raw.ExpiresOn!.Value.Year);
    }

    [Fact]
    public async Task A_queue_that_is_missing_is_made()
    {
        await account.GetQueueClient("missing").DeleteIfExistsAsync();

        await Sender.Send("missing", "first", TimeSpan.Zero, CancellationToken.None);

        Assert.Equal("first", Assert.Single(await Messages.Take("missing", 10, TimeSpan.FromSeconds(10), CancellationToken.None)).Text);
    }

    [Fact]
    public async Task An_account_that_does_not_answer_is_unavailable()
    {
        var nobody = new QueueServiceClient(
            "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=AAAA;QueueEndpoint=http://127.0.0.1:1/a;", AzureJobQueues.ClientOptions);

        await Assert.ThrowsAsync<StoreUnavailableException>(
            () => new AzureJobQueues(nobody).Send("work", "{}", TimeSpan.Zero, CancellationToken.None).AsTask());
        await Assert.ThrowsAsync<StoreUnavailableException>(() => new AzureJobQueues(nobody).Check(CancellationToken.None).AsTask());
    }

    [Fact]
    public async Task A_service_that_is_gone_is_noticed_by_the_next_check()
    {
        await using var other = new AzuriteProcess();
        await other.InitializeAsync();
        var queues = new AzureJobQueues(other.Open(AzureJobQueues.ClientOptions));
        await queues.Check(CancellationToken.None);

        await other.Kill();

        await Assert.ThrowsAsync<StoreUnavailableException>(() => queues.Check(CancellationToken.None).AsTask());
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>The service has a clock of its own: what a test waits for here are seconds of it.</summary>
    protected override Task Pass(TimeSpan time) =>
        Task.Delay(time <= Soon ? time + TimeSpan.FromMilliseconds(500) : TimeSpan.FromSeconds(1), TimeProvider.System);
}
