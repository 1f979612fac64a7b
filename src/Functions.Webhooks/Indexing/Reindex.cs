using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Jobs;
using NodeStash.Core.Resources;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;
using NodeStash.Functions.Webhooks.Jobs;

namespace NodeStash.Functions.Webhooks.Indexing;

/// <summary>
/// Rebuilds the search index of an environment from its records, while searches use the old one. A rebuild may be interrupted and repeated.
/// </summary>
public sealed class Reindex(JobRun run, IWorkspaceStores stores, ISearchIndexes indexes, TimeProvider clock)
{
    private const int PageSize = 500;

    /// <summary>Length of one step: short enough that a stopping host waits for it.</summary>
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(5);

    [Function("reindex")]
    public Task Run([QueueTrigger(JobQueue.Reindexes, Connection = JobQueue.Connection)] string message, CancellationToken ct) =>
        run.RunSteps(Job.Read<Reindexing>(message), FillSlice, ct);

    /// <returns>The place to continue from; null where the rebuild has ended or a newer one has replaced it.</returns>
    private async ValueTask<Reindexing?> FillSlice(Reindexing reindexing, CancellationToken ct)
    {
        var partition = Partition.Parse(reindexing.Partition);
        var (store, index, start) = (stores.Open(partition), indexes.Open(partition), clock.GetTimestamp());
        if (reindexing.Type is null) await index.BeginRebuild(reindexing.Rebuild, ct);
        while (clock.GetElapsedTime(start) < Slice)
        {
            var schema = reindexing.Type is { } type ? Crm.Catalog.Find(type) : Crm.Catalog.Searchable[0];
            var after = reindexing is { CreatedAt: { } createdAt, Id: { } id } ? new Keyset([createdAt], id) : null;
            var page = await store.Query(
                new RecordQuery(schema.Type, Condition.Always, [new SortKey(new KeyPath(schema.CreatedAt.Name), Descending: false)], after, PageSize), ct);
            var visible = page.Records.Where(record => !ArchiveState.IsArchived(record));
            if (!await index.Fill(reindexing.Rebuild, [.. visible.Select(SearchChange.Of)], ct)) return null;
            if (page.Next is { Values: [string last] } next)
            {
                reindexing = reindexing with { Type = schema.Type, CreatedAt = last, Id = next.Id };
                continue;
            }

            if (await NextType(schema.Type, store, ct) is not { } following)
            {
                await index.EndRebuild(reindexing.Rebuild, ct);
                return null;
            }

            reindexing = new Reindexing(reindexing.Partition, reindexing.Rebuild, following);
        }

        return reindexing;
    }

    /// <summary>Finds the type to index after another; null after the last. Custom objects follow the built-in types, ordered by slug.</summary>
    private static async ValueTask<string?> NextType(string type, IWorkspaceStore store, CancellationToken ct)
    {
        var builtIn = Crm.Catalog.Searchable.Select(schema => schema.Type).SkipWhile(each => each != type).Skip(1).FirstOrDefault();
        if (builtIn is not null) return builtIn;
        var custom = (await CustomObject.All(store, ct)).Select(o => CustomRecord.TypeOf(o.Slug));
        return custom.FirstOrDefault(each => Crm.Catalog.Searchable.Any(schema => schema.Type == type) || string.CompareOrdinal(each, type) > 0);
    }
}
