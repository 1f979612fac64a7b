using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Search;

namespace NodeStash.Azure.Hosting;

/// <summary>
/// Creates the search indexes on a new search server as soon as either app starts. Checks a server that has them once, and retries until the server responds.
/// </summary>
internal sealed partial class SearchStart(ISearchIndexes indexes, SearchUpkeep upkeep, TimeProvider clock, ILogger<SearchStart> log) : BackgroundService
{
    private static readonly TimeSpan maxWait = TimeSpan.FromSeconds(30);

    [SuppressMessage("Design", "CA1031", Justification = "The app serves without search; errors are logged, and the check is retried.")]
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var wait = TimeSpan.FromSeconds(1); !stoppingToken.IsCancellationRequested; wait = wait * 2 < maxWait ? wait * 2 : maxWait)
        {
            try
            {
                if (await IsReady(stoppingToken)) return;
                await upkeep.Run(stoppingToken);
                if (await IsReady(stoppingToken)) return;
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                NotReady(log, wait, e.Message);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            await Task.Delay(wait, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<bool> IsReady(CancellationToken ct)
    {
        try
        {
            await indexes.Check(ct);
            return true;
        }
        catch (SearchUnavailableException e) when (e.IsBeingMade)
        {
            return false;
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "Search is not ready; checking again in {Wait}: {Reason}")]
    private static partial void NotReady(ILogger logger, TimeSpan wait, string reason);
}
