using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Search;

namespace NodeStash.Functions.Webhooks.Indexing;

/// <summary>Every five minutes: has indexes built anew that can't be searched as they are.</summary>
public sealed class SearchCheck(SearchUpkeep upkeep)
{
    [Function("search-check")]
    public Task Run([TimerTrigger("30 */5 * * * *", UseMonitor = false)] TimerInfo timer, CancellationToken ct) => upkeep.Run(ct);
}
