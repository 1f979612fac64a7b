using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Access;
using NodeStash.Core.Storage;

namespace NodeStash.Azure.Hosting;

/// <summary>
/// Reads what nobody has while the app starts, so that its identity's token, the account's addresses and the connections are there when the first
/// request comes. What fails here is only told: the request meets it by itself.
/// </summary>
internal sealed partial class WarmUp(IAccessStore access, IWorkspaceStores stores, ILogger<WarmUp> log) : BackgroundService
{
    private const string Nobody = "nobody";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await Task.WhenAll(
                access.FindCredential(Nobody, stoppingToken).AsTask(),
                stores.Open(new Partition(Nobody, WorkspaceEnvironment.Live)).Find(Nobody, Nobody, stoppingToken).AsTask());
        }
        catch (Exception e) when (!stoppingToken.IsCancellationRequested)
        {
            NotYet(log, e);
        }
        catch (OperationCanceledException)
        {
            // It stops before it has begun.
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "The store did not answer while the app started")]
    private static partial void NotYet(ILogger logger, Exception e);
}
