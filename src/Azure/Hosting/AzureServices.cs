using Azure.Core;
using Azure.Identity;
using Azure.Storage.Queues;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using NodeStash.Azure.Cosmos;
using NodeStash.Azure.Meilisearch;
using NodeStash.Azure.Queues;
using NodeStash.Azure.Telemetry;
using NodeStash.Core.Access;
using NodeStash.Core.Jobs;
using NodeStash.Core.Search;
using NodeStash.Core.Telemetry;
using NodeStash.Core.Values;
using NodeStash.Core.Webhooks;

namespace NodeStash.Azure.Hosting;

/// <summary>Registers the services that both apps use in Azure. The local host uses SQLite instead.</summary>
public static class AzureServices
{
    /// <summary>
    /// Adds the stores on Cosmos DB, the queues of the storage account, the search server, and the box that seals secrets. Opens no connection.
    /// </summary>
    /// <param name="services">The services of the app.</param>
    /// <param name="configuration">The app settings.</param>
    /// <param name="service">The name of the app in telemetry.</param>
    /// <exception cref="SettingsException">Some settings are missing or invalid; the message names all of them.</exception>
    public static IServiceCollection AddNodeStashAzure(this IServiceCollection services, IConfiguration configuration, string service)
    {
        var settings = AzureSettings.Read(configuration);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<Ids>();
        services.TryAddSingleton<JobSender>();
        services.TryAddSingleton<SearchUpkeep>();
        if (settings.Search is not null) services.AddHostedService<SearchStart>();
        return services
            .AddSingleton(settings)
            .AddSingleton<TokenCredential>(_ => new DefaultAzureCredential(new DefaultAzureCredentialOptions { ManagedIdentityClientId = settings.ClientId }))
            .AddSingleton(provider => settings.Queues is { Endpoint: { } endpoint }
                ? new QueueServiceClient(endpoint, provider.GetRequiredService<TokenCredential>(), AzureJobQueues.ClientOptions)
                : new QueueServiceClient(settings.Queues.Text, AzureJobQueues.ClientOptions))
            .AddSingleton<IJobQueues, AzureJobQueues>()
            .AddCosmosStores(settings)
            .AddSingleton(new SecretBox(settings.SealingKey))
            .AddSingleton(new WebhookOptions { ConcurrencyPerEndpoint = settings.WebhookConcurrency })
            .AddSingleton<ISearchIndexes>(
                _ => settings.Search is { } search ? new MeilisearchIndexes(search.Url.ToString(), search.Key, TimeProvider.System) : new NoSearch())
            .AddSingleton(new OperatorSecret(settings.OperatorSecret))
            .AddSingleton(provider => new TelemetryExport(service, ApplicationInsights.Target(provider.GetRequiredService<TokenCredential>())))
            .AddHostedService<HostWatch>()
            .AddHostedService<WarmUp>();
    }
}
