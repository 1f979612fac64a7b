using System.Text.Json;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using NodeStash.Core.Storage;
using NodeStash.Core.Tenancy;
using NodeStash.Core.Values;
using NodeStash.Core.Webhooks;
using NodeStash.Functions.Webhooks.Delivery;
using NodeStash.LocalHost;
using NodeStash.LocalHost.Store;
using NodeStash.Support;
using NodeStash.Support.Clocks;
using NodeStash.Support.Http;

namespace NodeStash.Functions.Webhooks.Tests;

/// <summary>The product with an empty workspace and a clock that stands still, used by HTTP.</summary>
public sealed class Crm : IAsyncDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("nodestash-");
    private CrmHost host = null!;

    public ManualTime Time { get; } = new();

    public CrmClient Api { get; private set; } = null!;

    public static async Task<Crm> Start()
    {
        var crm = new Crm();
        await crm.Open();
        return crm;
    }

    public T Service<T>()
        where T : notnull => host.Services.GetRequiredService<T>();

    /// <summary>A client of a new workspace of its own.</summary>
    public async Task<CrmClient> NewWorkspace()
    {
        var made = await host.Services.GetRequiredService<Workspaces>().Create("Another", "local", CancellationToken.None);
        return new CrmClient(host.Address, made.FirstKey.Secret!);
    }

    /// <summary>A client of the test data of the workspace.</summary>
    public async Task<CrmClient> TestData()
    {
        var key = await Api.Create("api-keys", new { name = "Test", environment = "test", scopes = new[] { "*" } });
        return new CrmClient(host.Address, key.GetProperty("secret").GetString()!);
    }

    /// <summary>The deliveries of the environment whose event was received.</summary>
    public IDeliveryStore DeliveriesOf(Received received) => DeliveriesOf(WorkspaceOf(received));

    /// <summary>The one delivery of an event to an endpoint, once it satisfies the condition.</summary>
    public Task<Core.Webhooks.Delivery> Delivery(Received received, string webhookId, Func<Core.Webhooks.Delivery, bool> condition) =>
        Delivery(WorkspaceOf(received), webhookId, delivery => delivery.EventId == received.Id && condition(delivery));

    /// <summary>Waits until what came of a request is on disk.</summary>
    public async Task IsNoted(Received received)
    {
        var store = DeliveriesOf(received);
        foreach (var webhook in JsonElement.Parse(await (await Api.Send(HttpMethod.Get, "webhooks")).Content.ReadAsStringAsync()).GetProperty("data")
            .EnumerateArray())
        {
            var id = Ids.Derive(DeliveryLog.Prefix, received.Id, webhook.GetProperty("id").GetString()!);
            await Eventually.True(async () => await store.Find(id, CancellationToken.None) is { Attempts.Count: > 0 }, "the outcome of an attempt");
        }
    }

    /// <summary>An endpoint's newest delivery that satisfies the condition, once there is one.</summary>
    public async Task<Core.Webhooks.Delivery> Delivery(string workspaceId, string webhookId, Func<Core.Webhooks.Delivery, bool> condition)
    {
        var store = DeliveriesOf(workspaceId);
        return await Eventually.Get(
            async () => (await store.List(webhookId, null, null, 100, CancellationToken.None)).FirstOrDefault(condition),
            $"a delivery to {webhookId} as expected");
    }

    /// <summary>Makes a delivery due and wakes nobody, as happens where the process ends before it does.</summary>
    public async Task MakeDue(Received received, string webhookId)
    {
        var delivery = await Delivery(received, webhookId, _ => true);
        await DeliveriesOf(received).Reopen([delivery.Id], [DeliveryStatus.Pending], Time.GetUtcNow(), CancellationToken.None);
    }

    /// <summary>Waits until the only record that failed waits for its attempt of that number; answers when that is due.</summary>
    public async Task<DateTimeOffset> WaitsFor(int attempt)
    {
        var client = host.Services.GetRequiredService<DurableTaskClient>();
        var wait = await Eventually.Get(
            async () =>
            {
                await foreach (var instance in client.GetAllInstancesAsync(
                    new OrchestrationQuery(Statuses: [OrchestrationRuntimeStatus.Running], FetchInputsAndOutputs: true)))
                {
                    if (instance.SerializedCustomStatus is not null && instance.ReadCustomStatusAs<LaneWait>() is { } found && found.Attempt == attempt
                        && found.DueAt > Time.GetUtcNow()) return found;
                }

                return null;
            },
            $"the wait before attempt {attempt}");
        return wait.DueAt;
    }

    /// <summary>Waits until every job is done and every orchestration has come to its end: nothing more will be sent.</summary>
    /// <param name="step">By how much the clock is moved until then, again and again.</param>
    public async Task IsIdle(TimeSpan step = default)
    {
        await Eventually.True(() => host.Services.GetRequiredService<SqliteQueues>().Backlog().Count == 0, "the end of every job");
        var client = host.Services.GetRequiredService<DurableTaskClient>();
        var pending = new OrchestrationQuery(Statuses: [OrchestrationRuntimeStatus.Pending, OrchestrationRuntimeStatus.Running]);
        await Eventually.True(
            async () =>
            {
                Time.Advance(step);
                return !await client.GetAllInstancesAsync(pending).GetAsyncEnumerator().MoveNextAsync();
            },
            "the end of every orchestration");
    }

    /// <summary>Ends every orchestration, as an operator may.</summary>
    public async Task EndOrchestrations()
    {
        var client = host.Services.GetRequiredService<DurableTaskClient>();
        await foreach (var instance in client.GetAllInstancesAsync(
            new OrchestrationQuery(Statuses: [OrchestrationRuntimeStatus.Pending, OrchestrationRuntimeStatus.Running])))
        {
            await client.TerminateInstanceAsync(instance.InstanceId);
            await client.WaitForInstanceCompletionAsync(instance.InstanceId);
        }
    }

    /// <summary>Runs a round of the only worker once more, as happens where its answer was lost in a crash.</summary>
    public async Task<RoundSent> RepeatRound()
    {
        var client = host.Services.GetRequiredService<DurableTaskClient>();
        await foreach (var instance in client.GetAllInstancesAsync(
            new OrchestrationQuery(Statuses: [OrchestrationRuntimeStatus.Running], FetchInputsAndOutputs: true)))
        {
            var work = instance.ReadInputAs<EndpointWork>()! with { Holder = instance.InstanceId };
            return await ActivatorUtilities.CreateInstance<SendDeliveries>(host.Services).SendDueDeliveries(work, client, CancellationToken.None);
        }

        throw new InvalidOperationException("Nobody works.");
    }

    /// <summary>Moves the clock to when the attempt of that number is due.</summary>
    public async Task AdvanceTo(int attempt) => Time.Advance(await WaitsFor(attempt) - Time.GetUtcNow());

    /// <summary>Every orchestration there is or was.</summary>
    public async Task<IReadOnlyList<OrchestrationMetadata>> Orchestrations()
    {
        var found = new List<OrchestrationMetadata>();
        await foreach (var instance in host.Services.GetRequiredService<DurableTaskClient>()
            .GetAllInstancesAsync(new OrchestrationQuery(FetchInputsAndOutputs: true))) found.Add(instance);
        return found;
    }

    /// <summary>Stops the product and starts it again on the same folder and clock.</summary>
    /// <param name="meanwhile">Done to the folder while it is stopped.</param>
    public async Task Restart(Func<string, Task> meanwhile)
    {
        Api.Dispose();
        await host.DisposeAsync();
        await meanwhile(folder.FullName);
        await Open();
    }

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        await host.DisposeAsync();
        folder.Delete(recursive: true);
    }

    private static string WorkspaceOf(Received received) => received.Event.GetProperty("metadata").GetProperty("workspace_id").GetString()!;

    private IDeliveryStore DeliveriesOf(string workspaceId) => Service<IDeliveryStores>().Open(new Partition(workspaceId, WorkspaceEnvironment.Live));

    private async Task Open()
    {
        host = await CrmHost.Start(
            new HostSettings { Urls = "http://127.0.0.1:0", Data = folder.FullName, Quiet = true, Clock = Time }, CancellationToken.None);
        Api = new CrmClient(host.Address, host.ApiKey);
    }
}
