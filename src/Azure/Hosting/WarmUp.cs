using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Access;
using NodeStash.Core.Storage;

namespace NodeStash.Azure.Hosting;

/// <summary>
/// Reads keys that nobody has while the app starts. So the identity's token, the addresses of the account and the connections are ready for the first
/// request. A failure is only logged: the first request would fail with the same error.
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
            WarmUpFailed(log, e);
        }
        catch (OperationCanceledException)
        {
            // The app stops during the warm-up.
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "The store did not respond while the app started; requests fail until it does")]
    private static partial void WarmUpFailed(ILogger logger, Exception e);
}
