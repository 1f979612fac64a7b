using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Events;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;
using NodeStash.Core.Telemetry;

namespace NodeStash.Functions.Webhooks.Indexing;

/// <summary>
/// Keeps what is searched up with what is stored. An event only says which record has changed: the record is read as it is by now. A batch that comes
/// twice, late or in part changes nothing, for the index heeds versions. While the index takes nothing, the feed waits.
/// </summary>
public sealed class IndexingFeed(IWorkspaceStores stores, ISearchIndexes indexes, TimeProvider clock)
{
    private static readonly HashSet<string> Types = [.. Catalog.Searchable.Select(schema => schema.Type)];

    [Function("indexing-feed")]
    [ExponentialBackoffRetry(-1, "00:00:01", "00:05:00")]
    public async Task Run(
        [CosmosDBTrigger("%COSMOS_DATABASE%", "crm", Connection = "COSMOS", LeaseContainerName = "leases", LeaseContainerPrefix = "search",
            MaxItemsPerInvocation = 500, FeedPollDelay = 1000, StartFromBeginning = true)]
        IReadOnlyList<EventDocument> documents,
        CancellationToken ct)
    {
        var events = documents.Where(d => d.Kind == EventDocument.EventKind && (Types.Contains(d.RecordType) || TypeFamily.Of(d.RecordType) == TypeFamily.Records)).ToList();
        if (events.Count == 0) return;
        await Task.WhenAll(events.GroupBy(e => e.PartitionKey, StringComparer.Ordinal).Select(ofOne => Index(Partition.Parse(ofOne.Key), [.. ofOne], ct)));
        Instruments.SearchLag.Record((clock.GetUtcNow() - Ids.TimeOf(events[0].Id)).TotalSeconds);
    }

    private async Task Index(Partition partition, List<EventDocument> events, CancellationToken ct)
    {
        var (store, changes) = (await stores.OpenAt(events, clock.GetUtcNow(), ct), new List<SearchChange>());
        foreach (var ofType in events.GroupBy(e => e.RecordType, StringComparer.Ordinal))
        {
            var versions = ofType.GroupBy(e => e.RecordId, StringComparer.Ordinal).ToDictionary(e => e.Key, e => e.Max(one => one.Version), StringComparer.Ordinal);
            foreach (var stored in await store.FindMany(ofType.Key, versions.Keys, ct))
            {
                changes.Add(SearchChange.Of(stored));
                versions.Remove(stored.Id);
            }

            changes.AddRange(versions.Select(gone => SearchChange.Removal(ofType.Key, gone.Key, gone.Value)));
        }

        await indexes.Open(partition).Write(changes, ct);
    }
}
