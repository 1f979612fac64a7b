using Microsoft.Azure.Cosmos;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodeStash.Azure.Hosting;
using NodeStash.Core.Resources;

namespace NodeStash.Azure.Cosmos;

/// <summary>
/// Creates the missing parts of an emulator's database before the rest of the app starts, because the Functions host looks for the containers of the change
/// feed as soon as the app has reported. Both apps may do it at the same time.
/// </summary>
internal sealed partial class CosmosCreation(CosmosClient client, AzureSettings settings, ILogger<CosmosCreation> log) : IHostedLifecycleService
{
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        await CosmosContainers.Create(client, settings.Database, Crm.Catalog.Indexes, cancellationToken);
        Created(log, settings.Database);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "All containers of the database {Database} exist (COSMOS_CREATE is set)")]
    private static partial void Created(ILogger logger, string database);
}
