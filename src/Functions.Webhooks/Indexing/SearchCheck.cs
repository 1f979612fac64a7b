using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Search;

namespace NodeStash.Functions.Webhooks.Indexing;

/// <summary>Rebuilds search indexes that are missing or outdated; runs every five minutes.</summary>
public sealed class SearchCheck(SearchUpkeep upkeep)
{
    [Function("search-check")]
    public Task Run([TimerTrigger("30 */5 * * * *", UseMonitor = false)] TimerInfo timer, CancellationToken ct) => upkeep.Run(ct);
}
