using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Events;
using NodeStash.Core.Resources;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;
using NodeStash.Core.Telemetry;
using NodeStash.Core.Values;

namespace NodeStash.Functions.Webhooks.Indexing;

/// <summary>
/// Updates the search index from the change feed. An event only names the record that changed; the feed reads the record's current version. The index
/// ignores older versions, so a batch may come twice, late or in part. While the index is down, the feed waits. It has a missing index built.
/// </summary>
public sealed partial class IndexingFeed(IWorkspaceStores stores, ISearchIndexes indexes, SearchUpkeep upkeep, TimeProvider clock, ILogger<IndexingFeed> log)
{
    private static readonly HashSet<string> Types = [.. Crm.Catalog.Searchable.Select(schema => schema.Type)];

    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(30);

    /// <summary>Longest wait for an index that is being built. Then the batch fails and comes again. Shorter than a function may run.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromMinutes(5);

    /// <summary>Handles one batch of the change feed. A batch that fails comes again.</summary>
    [Function("indexing-feed")]
    [ExponentialBackoffRetry(-1, "00:00:01", "00:05:00")]
    public async Task Run(
        [CosmosDBTrigger("%COSMOS_DATABASE%", "crm", Connection = "COSMOS", LeaseContainerName = "leases", LeaseContainerPrefix = "search",
            MaxItemsPerInvocation = 500, FeedPollDelay = 1000, StartFromBeginning = true)]
        IReadOnlyList<EventDocument> documents,
        CancellationToken ct)
    {
        var events = documents.Where(
            d => d.Kind == EventDocument.EventKind && (Types.Contains(d.RecordType) || TypeFamily.Of(d.RecordType) == TypeFamily.Records)).ToList();
        if (events.Count == 0) return;
        var partitions = events.GroupBy(e => e.PartitionKey, StringComparer.Ordinal)
            .Select(ofOne => (Partition: Partition.Parse(ofOne.Key), Events: ofOne.ToList())).ToList();
        await WriteWhenBuilt(() => Task.WhenAll(partitions.Select(each => Index(each.Partition, each.Events, ct))), ct);
        Instruments.SearchLag.Record((clock.GetUtcNow() - Ids.TimeOf(events[0].Id)).TotalSeconds);
    }

    /// <summary>Writes to the index. If the index is not built yet, has it built, waits and tries again.</summary>
    private async Task WriteWhenBuilt(Func<Task> write, CancellationToken ct)
    {
        var start = clock.GetTimestamp();
        for (var (tries, pause) = (1, TimeSpan.Zero); ; tries++)
        {
            try
            {
                await write();
                return;
            }
            catch (SearchUnavailableException e) when (e.IsBeingMade && clock.GetElapsedTime(start) < MaxWait)
            {
                if (tries == 1) Waits(log, e.Message);
                else StillWaits(log, tries, e.Message);
            }

            await Task.Delay(pause, clock, ct);
            await upkeep.Run(ct);
            pause = TimeSpan.FromTicks(Math.Clamp(pause.Ticks * 2, TimeSpan.TicksPerSecond, MaxPause.Ticks));
        }
    }

    /// <summary>Reads the changed records of a partition and writes them to its index; removes those that are gone.</summary>
    private async Task Index(Partition partition, List<EventDocument> events, CancellationToken ct)
    {
        var (store, changes) = (await stores.OpenAt(events, clock.GetUtcNow(), ct), new List<SearchChange>());
        foreach (var ofType in events.GroupBy(e => e.RecordType, StringComparer.Ordinal))
        {
            var versions =
                ofType.GroupBy(e => e.RecordId, StringComparer.Ordinal).ToDictionary(e => e.Key, e => e.Max(one => one.Version), StringComparer.Ordinal);
            foreach (var stored in await store.FindMany(ofType.Key, versions.Keys, ct))
            {
                changes.Add(SearchChange.Of(stored));
                versions.Remove(stored.Id);
            }

            changes.AddRange(versions.Select(gone => SearchChange.Removal(ofType.Key, gone.Key, gone.Value)));
        }

        await indexes.Open(partition).Write(changes, ct);
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "Changes wait to be indexed: {Reason}")]
    private static partial void Waits(ILogger logger, string reason);

    [LoggerMessage(EventId = 2, Level = LogLevel.Debug, Message = "Changes still wait to be indexed, after {Tries} tries: {Reason}")]
    private static partial void StillWaits(ILogger logger, int tries, string reason);
}
