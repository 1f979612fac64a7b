using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using NodeStash.Core.Jobs;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Search;
using NodeStash.Core.Values;
using NodeStash.Core.Webhooks;
using NodeStash.Functions.Webhooks.Cascades;
using NodeStash.Functions.Webhooks.Delivery;
using NodeStash.Functions.Webhooks.Jobs;

namespace NodeStash.Functions.Webhooks;

/// <summary>Registers the services of the webhooks app, for Azure and for the local host.</summary>
public static class WebhookServices
{
    /// <summary>
    /// Adds the services of the webhooks app. The host provides the stores (<c>IAccessStore</c>, <c>IWorkspaceStores</c>, <see cref="IDeliveryStores"/>,
    /// <see cref="IJobQueues"/>, <c>ISearchIndexes</c>), a <see cref="SecretBox"/> and <see cref="WebhookOptions"/>.
    /// </summary>
    public static IServiceCollection AddNodeStashWebhooks(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(Crm.Catalog);
        services.TryAddSingleton<Ids>();
        services.TryAddSingleton<WebhookOperations>();
        services.TryAddSingleton<CascadeWorker>();
        services.TryAddSingleton<JobSender>();
        services.TryAddSingleton<SearchUpkeep>();
        return services.AddSingleton<WebhookSender>().AddSingleton<SendSlots>().AddSingleton<JobRun>().AddSingleton<CascadesSent>();
    }
}
