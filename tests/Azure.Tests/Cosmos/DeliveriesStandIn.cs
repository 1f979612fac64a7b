using Microsoft.Azure.Cosmos;
using NodeStash.Azure.Cosmos;
using NodeStash.CosmosStandIn;

namespace NodeStash.Azure.Tests.Cosmos;

/// <summary>The container of deliveries in a stand-in whose faults, lags and log a test needs.</summary>
/// <param name="lag">How many transactions a process may be behind another.</param>
public sealed class DeliveriesStandIn(int lag = 0) : IAsyncLifetime
{
    public StandInAccount Account { get; } = new(TimeProvider.System) { Lag = lag };

    public CosmosClient Client { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Client = Account.Connect();
        Database database = await Client.CreateDatabaseAsync("nodestash");
        await database.CreateContainerAsync(CosmosContainers.All([]).Single(container => container.Id == CosmosContainers.Deliveries));
    }

    public static CosmosDeliveryStores Open(CosmosClient client) => new(client, "nodestash", TimeProvider.System);

    public ValueTask DisposeAsync()
    {
        Client.Dispose();
        Account.Dispose();
        return ValueTask.CompletedTask;
    }
}
