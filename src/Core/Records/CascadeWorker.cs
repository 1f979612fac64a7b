using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Records;

/// <summary>
/// Applies pending cascades to the stored records, in batches. The work may stop at any point, be repeated, and run in several places at once.
/// </summary>
/// <param name="catalog">The known resources.</param>
/// <param name="ids">Makes the ids of events.</param>
/// <param name="clock">Tells the time of each change, and how long the work has taken.</param>
public sealed class CascadeWorker(Catalog catalog, Ids ids, TimeProvider clock)
{
    private const int MaxBatchRecords = 40;

    /// <summary>
    /// The bytes of attributes in one batch. A commit must hold them several times over: in the record, in its keys, and twice in its event.
    /// </summary>
    internal const int MaxBatchBytes = Commit.MaxBytes / 6;

    /// <summary>Applies batches until no cascade is pending or the time is up.</summary>
    /// <param name="store">The environment as it is stored, without an overlay.</param>
    /// <param name="atMost">The time after which no new batch starts.</param>
    /// <param name="ct">Stops the work; a later call continues it.</param>
    /// <returns>True if no cascade is pending any more.</returns>
    public async ValueTask<bool> Work(IWorkspaceStore store, TimeSpan atMost, CancellationToken ct)
    {
        var start = clock.GetTimestamp();
        while (clock.GetElapsedTime(start) < atMost)
        {
            var pending = await PendingCascades.Read(store, catalog, ct);
            if (pending.Pending.Count == 0) return true;
            var first = pending.Pending[0];
            if (await ApplyNextBatch(first, pending, store, ct)) continue;

            // If another cascade was announced meanwhile, the store refuses this commit, and the loop reads the list again.
            await store.Commit(new Commit { Writes = [pending.Remove(first.Id, clock.GetUtcNow()).Write()] }, ct);
        }

        return false;
    }

    /// <summary>Applies a cascade to the next batch of records.</summary>
    /// <returns>False if no record is left to change.</returns>
    private async ValueTask<bool> ApplyNextBatch(PendingCascade current, PendingCascades pending, IWorkspaceStore store, CancellationToken ct)
    {
        var (cascade, schema) = (current.Cascade, current.Cascade.Schema);
        var oldest = new SortKey(new KeyPath(schema.CreatedAt.Name), Descending: false);
        var page = await store.Query(new RecordQuery(schema.Type, cascade.Matches, [oldest], null, MaxBatchRecords), ct);
        if (page.Records.Count == 0) return false;

        var (commit, bytes) = (new CommitBuilder(catalog, store.Partition, current.Origin), 0);
        foreach (var stored in page.Records)
        {
            if (bytes > 0 && bytes + stored.Attributes.Length > MaxBatchBytes) break;
            bytes += stored.Attributes.Length;
            var before = Record.Load(schema, stored);
            var change = new Change(before, cascade.DeletesRecords ? null : before.Next(), clock.GetUtcNow(), store, ids);
            if (change.After is { } after) cascade.Apply(after);
            commit.Add(change, isRequested: false);
        }

        // If a record changed meanwhile, the batch is stale, and the caller reads it again. If the replacement itself was deleted meanwhile, the
        // batch is repeated with the value that replaces it, or with none.
        var outcome = await store.Commit(commit.Build(answer: null), ct);
        return outcome.Result is not CommitResult.Missing
            || await ApplyNextBatch(current with { Cascade = cascade with { To = pending.FinalReplacement(cascade) } }, pending, store, ct);
    }
}
