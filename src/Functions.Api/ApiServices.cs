using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using NodeStash.Core.Access;
using NodeStash.Core.Jobs;
using NodeStash.Core.Resources;
using NodeStash.Core.Search;
using NodeStash.Core.Tenancy;
using NodeStash.Core.Values;
using NodeStash.Core.Webhooks;
using NodeStash.Functions.Api.Http;
using NodeStash.Functions.Api.V1;

namespace NodeStash.Functions.Api;

/// <summary>Registers the services of the API, for Azure and for the local host.</summary>
public static class ApiServices
{
    /// <summary>
    /// Adds the API. The host provides the stores (<see cref="IAccessStore"/>, <c>IWorkspaceStores</c>, <see cref="IDeliveryStores"/>,
    /// <see cref="IJobQueues"/>, <c>ISearchIndexes</c>), a <see cref="SecretBox"/>, an <see cref="OperatorSecret"/> and <see cref="WebhookOptions"/>.
    /// </summary>
    public static IServiceCollection AddNodeStashApi(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(Crm.Catalog);
        services.TryAddSingleton<Ids>();
        services.TryAddSingleton<WebhookOperations>();
        services.TryAddSingleton<JobSender>();
        services.TryAddSingleton<SearchOptions>();
        return services
            .AddSingleton<KeyUsage>()
            .AddSingleton<Authentication>()
            .AddSingleton<ApiKeys>()
            .AddSingleton<Workspaces>()
            .AddSingleton<IDoor, V1Door>()
            .AddSingleton<DeliveryLog>()
            .AddSingleton<Idempotency>()
            .AddSingleton<Http.Api>();
    }
}
