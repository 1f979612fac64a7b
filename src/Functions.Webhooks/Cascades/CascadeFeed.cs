using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Events;
using NodeStash.Core.Jobs;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;

namespace NodeStash.Functions.Webhooks.Cascades;

/// <summary>Sees to it that cascades are carried through: each is announced in a commit that has an event.</summary>
public sealed class CascadeFeed(IWorkspaceStores stores, JobSender jobs, CascadesSent seen, TimeProvider clock)
{
    private static readonly string[] Named = [CustomField.Schema.Type, Tag.Schema.Type, Pipeline.Schema.Type];

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

            // A job for each announcement, not for each event while one is under way; the last one's carries all of them through.
            var announced = pending.Pending[^1].Id;
            if (seen.Contains(announced)) continue;
            await jobs.Send(new CascadeJob(events.Key, announced), ct);
            seen.Add(announced);
        }
    }

    /// <summary>A deletion or a merge, or a change of what other records name. Anything else changes one record, or may be the work itself.</summary>
    private static bool MayCascade(EventDocument document) =>
        document.Kind == EventDocument.EventKind
        && (document.Name.EndsWith(".deleted", StringComparison.Ordinal) || document.Name.EndsWith(".merged", StringComparison.Ordinal)
            || (document.Name.EndsWith(".updated", StringComparison.Ordinal) && Named.Contains(document.RecordType)));
}

/// <summary>Announcements for which this process has sent a job. One that is forgotten costs a job that finds nothing to do, or helps.</summary>
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
