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

/// <summary>What both apps run on in Azure; in the local host SQLite takes its place.</summary>
public static class AzureServices
{
    /// <summary>Adds the stores on Cosmos DB, the queues of the storage account, the search server, and what seals secrets. Opens no connection.</summary>
    /// <param name="services">Added to.</param>
    /// <param name="configuration">The app settings.</param>
    /// <param name="service">The app, as telemetry calls it.</param>
    /// <exception cref="SettingsException">Names every setting that is missing or will not do.</exception>
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
