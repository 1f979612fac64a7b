using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Access;
using NodeStash.Core.Events;
using NodeStash.Core.Jobs;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Core.Telemetry;
using NodeStash.Core.Values;

namespace NodeStash.Functions.Webhooks.Jobs;

/// <summary>
/// Deletes archived records after 30 days (<see cref="ArchiveState.Retention"/>), in one pass over all environments each hour. A pass may be interrupted
/// anywhere, repeated, and run beside another. It deletes a record only if the record has not changed since it was found, so a restore always wins.
/// </summary>
public sealed partial class PurgeArchived(
    JobRun run, JobSender jobs, IAccessStore access, IWorkspaceStores stores, Ids ids, TimeProvider clock, ILogger<PurgeArchived> log)
{
    private const int PageSize = 50;

    /// <summary>Length of one step: short enough that a stopping host waits for it.</summary>
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(5);

    /// <summary>Begins a pass, every hour.</summary>
    [Function("purge-check")]
    public async Task Begin([TimerTrigger("0 15 * * * *", UseMonitor = false)] TimerInfo timer, CancellationToken ct) =>
        await jobs.Send(new Purging(clock.GetUtcNow() - ArchiveState.Retention), ct);

    [Function("purge-archived")]
    public Task Run([QueueTrigger(JobQueue.Purges, Connection = JobQueue.Connection)] string message, CancellationToken ct) =>
        run.RunSteps(Job.Read<Purging>(message), PurgeSlice, ct);

    /// <returns>The place to continue from; null where the pass has ended.</returns>
    private async ValueTask<Purging?> PurgeSlice(Purging place, CancellationToken ct)
    {
        var (partitions, start) = (await ListPartitions(ct), clock.GetTimestamp());
        foreach (var partition in partitions.SkipWhile(each => string.CompareOrdinal(each.Key, place.Partition) < 0))
        {
            if (partition.Key != place.Partition) place = new Purging(place.Until, partition.Key);
            if (clock.GetElapsedTime(start) >= Slice) return place;
            var store = new CascadeOverlay(stores.Open(partition), Crm.Catalog, clock);
            foreach (var schema in (await ListSchemas(store, ct)).SkipWhile(each => string.CompareOrdinal(each.Type, place.Type) < 0))
            {
                if (schema.Type != place.Type) place = new Purging(place.Until, partition.Key, schema.Type);
                while (await PurgePage(schema, place, store, ct) is { } next)
                {
                    place = next;
                    if (clock.GetElapsedTime(start) >= Slice) return place;
                }
            }
        }

        return null;
    }

    /// <returns>The place of the next page; null where this was the last.</returns>
    private async ValueTask<Purging?> PurgePage(Schema schema, Purging place, CascadeOverlay store, CancellationToken ct)
    {
        var due = new Condition.Compare(ArchiveState.Path, Comparison.LessOrEqual, Text.Format(place.Until));
        var after = place is { ArchivedAt: { } archivedAt, Id: { } id } ? new Keyset([archivedAt], id) : null;
        var page = await store.Query(new RecordQuery(schema.Type, due, [new SortKey(ArchiveState.Path, Descending: false)], after, PageSize), ct);
        if (page.Records.Count == 0) return null;

        var records = new RecordSet(Crm.Catalog, store, Origin.OfSystem, ids, clock);
        var (purged, remaining) = (0, 0);
        foreach (var record in page.Records)
        {
            var refused = await records.Purge(schema, record.Id, record.Version, ct);
            if (refused is null) purged++;

            // These codes mean: restored, changed or deleted meanwhile. The next pass tries again after any other error.
            else if (refused.Code is not (ErrorCode.NotFound or ErrorCode.PreconditionFailed)) remaining++;
        }

        Instruments.RecordsPurged.Add(purged, new KeyValuePair<string, object?>("type", TypeFamily.Of(schema.Type)));
        if (purged > 0) Purged(log, purged, store.Partition.Key);
        if (remaining > 0) Left(log, remaining, store.Partition.Key);
        return page.Next is { Values: [string last] } next ? place with { ArchivedAt = last, Id = next.Id } : null;
    }

    /// <summary>Lists all environments in the order of a pass.</summary>
    private async ValueTask<IReadOnlyList<Partition>> ListPartitions(CancellationToken ct) =>
    [
        .. (await access.WorkspaceIds(ct))
            .SelectMany(id => new[] { new Partition(id, WorkspaceEnvironment.Live), new Partition(id, WorkspaceEnvironment.Test) })
            .OrderBy(partition => partition.Key, StringComparer.Ordinal),
    ];

    /// <summary>Lists the archivable types of an environment in the order of a pass.</summary>
    private static async ValueTask<IReadOnlyList<Schema>> ListSchemas(IWorkspaceStore store, CancellationToken ct) =>
    [
        .. Crm.Catalog.Archivable
            .Concat((await CustomObject.All(store, ct)).Select(o => CustomRecord.Of(o.Slug)))
            .OrderBy(schema => schema.Type, StringComparer.Ordinal),
    ];

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "{Count} records of {Partition} were deleted, 30 days after they were archived")]
    private static partial void Purged(ILogger logger, int count, string partition);

    [LoggerMessage(
        EventId = 2, Level = LogLevel.Warning, Message = "{Count} archived records of {Partition} could not be deleted yet; the next pass tries again")]
    private static partial void Left(ILogger logger, int count, string partition);
}
