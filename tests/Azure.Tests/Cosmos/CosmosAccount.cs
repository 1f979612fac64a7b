using Microsoft.Azure.Cosmos;
using NodeStash.Azure.Cosmos;
using NodeStash.Support.Contracts.Storage;

namespace NodeStash.Azure.Tests.Cosmos;

/// <summary>
/// The account that <c>COSMOS_CONNECTION</c> names, by a connection string with a key: a database of its own for the tests of a class, removed after them.
/// Where the variable is not set there is none, and each test has a stand-in to itself.
/// </summary>
public class CosmosAccount : IAsyncLifetime
{
    /// <summary>Whether there is one.</summary>
    public bool IsThere => Client is not null;

    public CosmosClient Client { get; private set; } = null!;

    public string Database { get; } = "nodestash-test-" + Path.GetRandomFileName();

    protected virtual ValueTask<string?> Connection() =>
        ValueTask.FromResult(Environment.GetEnvironmentVariable("COSMOS_CONNECTION") is { Length: > 0 } connection ? connection : null);

    public async ValueTask InitializeAsync()
    {
        if (await Connection() is not { } connection) return;
        Client = new CosmosClient(connection, OptionsFor(connection));
        await CosmosContainers.Create(Client, Database, WorkspaceStoreContract.Indexes, CancellationToken.None);
    }

    public virtual async ValueTask DisposeAsync()
    {
        if (!IsThere) return;
        await Client.GetDatabase(Database).DeleteAsync();
        Client.Dispose();
    }

    /// <summary>
    /// In Azure as the product does it, but patient: a container made without saying so has little throughput. An emulator takes HTTP alone, and
    /// names addresses that only it can reach.
    /// </summary>
    private static CosmosClientOptions OptionsFor(string connection)
    {
        var isAzure = connection.Contains(".documents.azure.", StringComparison.OrdinalIgnoreCase);
        return new CosmosClientOptions
        {
            ConsistencyLevel = ConsistencyLevel.Session,
            ConnectionMode = isAzure ? ConnectionMode.Direct : ConnectionMode.Gateway,
            LimitToEndpoint = !isAzure,
            MaxRetryAttemptsOnRateLimitedRequests = 1000,
            MaxRetryWaitTimeOnRateLimitedRequests = TimeSpan.FromMinutes(2),
        };
    }
}
