using Microsoft.Azure.Cosmos;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodeStash.Azure.Hosting;
using NodeStash.Core.Resources;

namespace NodeStash.Azure.Cosmos;

/// <summary>
/// Makes what is missing of an emulator's database, before anything else of the app starts: the Functions host looks for the containers of the change feed
/// once it has heard from the app. Both apps may do it at the same time.
/// </summary>
internal sealed partial class CosmosCreation(CosmosClient client, AzureSettings settings, ILogger<CosmosCreation> log) : IHostedLifecycleService
{
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        await CosmosContainers.Create(client, settings.Database, Crm.Catalog.Indexes, cancellationToken);
        Made(log, settings.Database);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "The database {Database} has all its containers, as COSMOS_CREATE asks")]
    private static partial void Made(ILogger logger, string database);
}
