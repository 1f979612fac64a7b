using Azure.Core;
using Microsoft.Azure.Cosmos;
using Microsoft.Extensions.DependencyInjection;
using NodeStash.Azure.Hosting;
using NodeStash.Core.Access;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;

namespace NodeStash.Azure.Cosmos;

/// <summary>The stores on Cosmos DB, on one client for the process.</summary>
internal static class CosmosServices
{
    /// <summary>Throttled requests are waited for by the client so long, then refused with 503: a caller of the API does not wait longer.</summary>
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

        // An emulator answers by HTTP alone, and names addresses that only it can reach.
        (options.ConnectionMode, options.LimitToEndpoint) = (ConnectionMode.Gateway, true);
        return new CosmosClient(connection.Text, options);
    }
}
