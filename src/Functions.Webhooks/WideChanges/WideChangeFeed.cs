using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using NodeStash.Core.Events;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;

namespace NodeStash.Functions.Webhooks.WideChanges;

/// <summary>Sees to it that wide changes are carried through: each is announced in a commit that has an event.</summary>
public sealed class WideChangeFeed(IWorkspaceStores stores)
{
    private static readonly string[] Named = [CustomField.Schema.Type, Tag.Schema.Type, Pipeline.Schema.Type];

    [Function("wide-change-feed")]
    public async Task Run(
        [CosmosDBTrigger("%COSMOS_DATABASE%", "crm", Connection = "COSMOS", LeaseContainerName = "leases", LeaseContainerPrefix = "wide-changes",
            MaxItemsPerInvocation = 100, FeedPollDelay = 1000, StartFromBeginning = true)]
        IReadOnlyList<EventDocument> documents,
        [DurableClient] DurableTaskClient client,
        CancellationToken ct)
    {
        foreach (var partition in documents.Where(MayAnnounce).Select(d => d.PartitionKey).Distinct(StringComparer.Ordinal))
        {
            var underWay = await Core.Records.WideChanges.Read(stores.Open(Partition.Parse(partition)), ct);
            if (underWay.Changes.Count == 0) continue;

            // One orchestration for each announcement: each ends only when nothing is under way, so the last one sees the last announcement.
            var instance = underWay.Changes[^1].Id;
            if (await client.GetInstanceAsync(instance, ct) is null)
                await client.ScheduleNewOrchestrationInstanceAsync(nameof(CarryThrough.CarryChangesThrough), new DataSet(partition), new StartOrchestrationOptions(instance), ct);
        }
    }

    /// <summary>A deletion or a merge, or a change of what other records name. Anything else changes one record, or may be the work itself.</summary>
    private static bool MayAnnounce(EventDocument document) =>
        document.Kind == EventDocument.EventKind
        && (document.Name.EndsWith(".deleted", StringComparison.Ordinal) || document.Name.EndsWith(".merged", StringComparison.Ordinal)
            || (document.Name.EndsWith(".updated", StringComparison.Ordinal) && Named.Contains(document.RecordType)));
}
