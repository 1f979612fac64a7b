using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Events;
using NodeStash.Core.Jobs;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;

namespace NodeStash.Functions.Webhooks.Cascades;

/// <summary>Sends a job for each cascade that a commit announces. Every such commit has an event, so the feed sees it.</summary>
public sealed class CascadeFeed(IWorkspaceStores stores, JobSender jobs, CascadesSent sent, TimeProvider clock)
{
    /// <summary>Types whose records others refer to by name or stage, so that an update may cascade.</summary>
    private static readonly string[] CascadingOnUpdate = [CustomField.Schema.Type, Tag.Schema.Type, Pipeline.Schema.Type];

    [Function("wide-change-feed")]
    [ExponentialBackoffRetry(-1, "00:00:01", "00:05:00")]
    public async Task Run(
        [CosmosDBTrigger("%COSMOS_DATABASE%", "crm", Connection = "COSMOS", LeaseContainerName = "leases", LeaseContainerPrefix = "wide-changes",
            MaxItemsPerInvocation = 100, FeedPollDelay = 1000, StartFromBeginning = true)]
        IReadOnlyList<EventDocument> documents,
        CancellationToken ct)
    {
        foreach (var events in documents.Where(MayCascade).GroupBy(d => d.PartitionKey, StringComparer.Ordinal))
        {
            var store = await stores.OpenAt(events, clock.GetUtcNow(), ct);
            var pending = await PendingCascades.Read(store, Crm.Catalog, ct);
            if (pending.Pending.Count == 0) continue;

            // One job per announcement, not per event. The job of the last announcement applies all pending cascades.
            var announced = pending.Pending[^1].Id;
            if (sent.Contains(announced)) continue;
            await jobs.Send(new CascadeJob(events.Key, announced), ct);
            sent.Add(announced);
        }
    }

    /// <summary>Whether the event may announce a cascade: a deletion, a merge, or an update of a record that others refer to.</summary>
    private static bool MayCascade(EventDocument document) =>
        document.Kind == EventDocument.EventKind
        && (document.Name.EndsWith(".deleted", StringComparison.Ordinal) || document.Name.EndsWith(".merged", StringComparison.Ordinal)
            || (document.Name.EndsWith(".updated", StringComparison.Ordinal) && CascadingOnUpdate.Contains(document.RecordType)));
}

/// <summary>Remembers the announcements for which this process has sent a job. Forgetting one is harmless: a second job finds nothing to do.</summary>
public sealed class CascadesSent
{
    private const int MaxIds = 10_000;

    private readonly HashSet<string> ids = new(StringComparer.Ordinal);

    public bool Contains(string id)
    {
        lock (ids) return ids.Contains(id);
    }

    public void Add(string id)
    {
        lock (ids)
        {
            if (ids.Count == MaxIds) ids.Clear();
            ids.Add(id);
        }
    }
}
