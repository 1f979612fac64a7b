using Microsoft.Azure.Cosmos;
using NodeStash.Core.Storage;
using NodeStash.Core.Storage.Cosmos;
using NodeStash.Core.Webhooks;
using NodeStash.CosmosStandIn;

namespace NodeStash.Core.Tests.Storage;

public class CosmosDeliveryStoreTests : DeliveryStoreContract, IAsyncLifetime
{
    private CosmosClient client = null!;

    protected StandInAccount Account { get; } = new(TimeProvider.System);

    protected override IDeliveryStores Stores => new CosmosDeliveryStores(client, "nodestash", TimeProvider.System);

    public virtual async Task InitializeAsync()
    {
        client = Account.Connect();
        Database database = await client.CreateDatabaseAsync("nodestash");
        await database.CreateContainerAsync(CosmosContainers.All([]).Single(container => container.Id == CosmosContainers.Deliveries));
    }

    public Task DisposeAsync()
    {
        client.Dispose();
        Account.Dispose();
        return Task.CompletedTask;
    }
}

/// <summary>The same on a bad day: what callers see is the same.</summary>
public sealed class CosmosDeliveryStoreUnderFaultsTests : CosmosDeliveryStoreTests
{
    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        Fault[] faults = [Fault.TooManyRequests, Fault.RetryWith, Fault.ServiceUnavailable, Fault.TimeoutBefore, Fault.TimeoutAfter, Fault.DisconnectBefore, Fault.DisconnectAfter, Fault.ShortPage, Fault.EmptyPage];
        foreach (var fault in faults) Account.Faults.Sometimes(fault, 0.03, new Random((int)fault));
    }
}
