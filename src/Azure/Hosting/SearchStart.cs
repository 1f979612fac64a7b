using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Search;

namespace NodeStash.Azure.Hosting;

/// <summary>
/// Has the search indexes made where the search server is new, as soon as either app starts. A server that has them is asked one thing, once; one that does
/// not answer yet is asked again.
/// </summary>
internal sealed partial class SearchStart(ISearchIndexes indexes, SearchUpkeep upkeep, TimeProvider clock, ILogger<SearchStart> log) : BackgroundService
{
    private static readonly TimeSpan longestWait = TimeSpan.FromSeconds(30);

    [SuppressMessage("Design", "CA1031", Justification = "The app serves without search; whatever is wrong is logged, and it is tried again.")]
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var wait = TimeSpan.FromSeconds(1); !stoppingToken.IsCancellationRequested; wait = wait * 2 < longestWait ? wait * 2 : longestWait)
        {
            try
            {
                if (await IsThere(stoppingToken)) return;
                await upkeep.Run(stoppingToken);
                if (await IsThere(stoppingToken)) return;
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                NotYet(log, wait, e.Message);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            await Task.Delay(wait, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<bool> IsThere(CancellationToken ct)
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

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "Search is not ready; looked at again in {Wait}: {Reason}")]
    private static partial void NotYet(ILogger logger, TimeSpan wait, string reason);
}
