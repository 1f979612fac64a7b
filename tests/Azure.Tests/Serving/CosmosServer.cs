using Microsoft.Extensions.DependencyInjection;
using NodeStash.Azure.Cosmos;
using NodeStash.Azure.Tests.Cosmos;
using NodeStash.Core.Access;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;
using NodeStash.CosmosStandIn;
using NodeStash.Support.Running;

namespace NodeStash.Azure.Tests.Serving;

/// <summary>The product on Cosmos DB: its functions in this process, its stores on the stand-in. The change feed is not read.</summary>
public sealed class CosmosServer : Server
{
    private readonly CosmosDatabase database = new(TimeProvider.System, Crm.Catalog.Indexes);

    /// <summary>The account behind it.</summary>
    public StandInAccount Account => database.Account;

    public override async ValueTask InitializeAsync()
    {
        await database.InitializeAsync();
        await base.InitializeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await database.DisposeAsync();
    }

    protected override void Replace(IServiceCollection services) => services
        .AddSingleton<IWorkspaceStores>(new CosmosStores(database.Client, database.Name, Crm.Catalog.Indexes, Time))
        .AddSingleton<IAccessStore>(new CosmosAccessStore(database.Client, database.Name, Time))
        .AddSingleton<IDeliveryStores>(new CosmosDeliveryStores(database.Client, database.Name, Time));
}
