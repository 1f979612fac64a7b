using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Jobs;
using NodeStash.Core.Resources;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;
using NodeStash.Functions.Webhooks.Jobs;

namespace NodeStash.Functions.Webhooks.Indexing;

/// <summary>
/// Builds the index of an environment anew from its records, beside the one that is searched meanwhile; may be interrupted anywhere and repeated.
/// </summary>
public sealed class Reindex(JobRun run, IWorkspaceStores stores, ISearchIndexes indexes, TimeProvider clock)
{
    private const int Page = 500;

    /// <summary>Of one step: short enough that a stopping host waits for it.</summary>
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(5);

    [Function("reindex")]
    public Task Run([QueueTrigger(JobQueue.Reindexes, Connection = JobQueue.Connection)] string message, CancellationToken ct) =>
        run.Steps(Job.Read<Reindexing>(message), GoOn, ct);

    /// <returns>Where to go on; null where it has ended, or another one has taken its place.</returns>
    private async ValueTask<Reindexing?> GoOn(Reindexing reindexing, CancellationToken ct)
    {
        var partition = Partition.Parse(reindexing.Partition);
        var (store, index, start) = (stores.Open(partition), indexes.Open(partition), clock.GetTimestamp());
        if (reindexing.Type is null) await index.BeginRebuild(reindexing.Rebuild, ct);
        while (clock.GetElapsedTime(start) < Slice)
        {
            var schema = reindexing.Type is { } type ? Crm.Catalog.Find(type) : Crm.Catalog.Searchable[0];
            var after = reindexing is { CreatedAt: { } createdAt, Id: { } id } ? new Keyset([createdAt], id) : null;
            var page = await store.Query(
                new RecordQuery(schema.Type, Condition.Always, [new SortKey(new KeyPath(schema.CreatedAt.Name), Descending: false)], after, Page), ct);
            var visible = page.Records.Where(record => !ArchiveState.IsArchived(record));
            if (!await index.Fill(reindexing.Rebuild, [.. visible.Select(SearchChange.Of)], ct)) return null;
            if (page.Next is { Values: [string last] } next)
            {
                reindexing = reindexing with { Type = schema.Type, CreatedAt = last, Id = next.Id };
                continue;
            }

            if (await After(schema.Type, store, ct) is not { } following)
            {
                await index.EndRebuild(reindexing.Rebuild, ct);
                return null;
            }

            reindexing = new Reindexing(reindexing.Partition, reindexing.Rebuild, following);
        }

        return reindexing;
    }

    /// <summary>The type that comes after another; null after the last. Of custom objects, which come and go, it is the next by slug.</summary>
    private static async ValueTask<string?> After(string type, IWorkspaceStore store, CancellationToken ct)
    {
        var builtIn = Crm.Catalog.Searchable.Select(schema => schema.Type).SkipWhile(each => each != type).Skip(1).FirstOrDefault();
        if (builtIn is not null) return builtIn;
        var custom = (await CustomObject.All(store, ct)).Select(o => CustomRecord.TypeOf(o.Slug));
        return custom.FirstOrDefault(each => Crm.Catalog.Searchable.Any(schema => schema.Type == type) || string.CompareOrdinal(each, type) > 0);
    }
}
