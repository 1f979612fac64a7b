using Azure.Core;
using Microsoft.Azure.Cosmos;
using Microsoft.Extensions.DependencyInjection;
using NodeStash.Azure.Hosting;
using NodeStash.Core.Access;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;

namespace NodeStash.Azure.Cosmos;

/// <summary>Registers the stores on Cosmos DB, with one client for the process.</summary>
internal static class CosmosServices
{
    /// <summary>Maximum time for which the client retries a throttled request. Then the API answers 503, because its callers do not wait longer.</summary>
    private static readonly TimeSpan MaxThrottleWait = TimeSpan.FromSeconds(5);

    public static IServiceCollection AddCosmosStores(this IServiceCollection services, AzureSettings settings)
    {
        if (settings.CreatesDatabase) services.AddHostedService<CosmosCreation>();
        return services
            .AddSingleton(provider => Open(settings.Cosmos, provider))
            .AddSingleton<IWorkspaceStores>(
                provider => new CosmosStores(
                    provider.GetRequiredService<CosmosClient>(), settings.Database, Crm.Catalog.Indexes, provider.GetRequiredService<TimeProvider>()))
            .AddSingleton<IAccessStore>(
                provider => new CosmosAccessStore(provider.GetRequiredService<CosmosClient>(), settings.Database, provider.GetRequiredService<TimeProvider>()))
            .AddSingleton<IDeliveryStores>(
                provider => new CosmosDeliveryStores(
                    provider.GetRequiredService<CosmosClient>(), settings.Database, provider.GetRequiredService<TimeProvider>()));
    }

    private static CosmosClient Open(Connection connection, IServiceProvider provider)
    {
        var options = new CosmosClientOptions
        {
            ApplicationName = "NodeStash",
            ConsistencyLevel = ConsistencyLevel.Session,
            MaxRetryAttemptsOnRateLimitedRequests = 9,
            MaxRetryWaitTimeOnRateLimitedRequests = MaxThrottleWait,
        };
        if (connection is { Endpoint: { } endpoint }) return new CosmosClient(endpoint.AbsoluteUri, provider.GetRequiredService<TokenCredential>(), options);

        // An emulator supports only HTTP, and reports addresses that only it can reach.
        (options.ConnectionMode, options.LimitToEndpoint) = (ConnectionMode.Gateway, true);
        return new CosmosClient(connection.Text, options);
    }
}
