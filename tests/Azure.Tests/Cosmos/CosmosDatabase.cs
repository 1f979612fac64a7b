using Microsoft.Azure.Cosmos;
using NodeStash.Azure.Cosmos;
using NodeStash.Core.Storage;
using NodeStash.CosmosStandIn;

namespace NodeStash.Azure.Tests.Cosmos;

/// <summary>A database with the product's containers, on a stand-in whose time, faults and log are the test's.</summary>
/// <param name="clock">The stand-in's time.</param>
/// <param name="indexes">What its containers are made for.</param>
/// <param name="lag">How many transactions the stand-in may show a process late.</param>
public sealed class CosmosDatabase(TimeProvider clock, IReadOnlyCollection<RecordIndex> indexes, int lag = 0) : IAsyncLifetime
{
    public string Name { get; } = "test-" + Path.GetRandomFileName();

    public StandInAccount Account { get; } = new(clock) { Lag = lag };

    public CosmosClient Client { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Account.OnStoredProcedure(CommitProcedure.Id, CommitScript.Run);
        Client = Connect();
        await CosmosContainers.Create(Client, Name, indexes, CancellationToken.None);
    }

    /// <summary>Another client, as another process would have: it knows nothing of what the first one wrote.</summary>
    public CosmosClient Connect() => Account.Connect(options => options.MaxRetryWaitTimeOnRateLimitedRequests = TimeSpan.FromSeconds(1));

    public ValueTask DisposeAsync()
    {
        Client.Dispose();
        Account.Dispose();
        return ValueTask.CompletedTask;
    }
}
