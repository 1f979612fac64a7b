using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Records;

/// <summary>Carries announced changes to the records they reach, batch by batch. May be interrupted anywhere, repeated, and run twice at once.</summary>
public sealed class CascadeWorker(Catalog catalog, Ids ids, TimeProvider clock)
{
    private const int Batch = 40;

    /// <summary>Of attributes in one batch: keys hold them once more and an event twice, and all of it has to fit a commit.</summary>
    internal const int BatchBytes = Commit.MaxBytes / 6;

    /// <summary>Works for a while.</summary>
    /// <param name="store">The environment as it is.</param>
    /// <param name="atMost">When to stop, as soon as a batch has ended.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>Whether everything has reached its last record.</returns>
    public async ValueTask<bool> Work(IWorkspaceStore store, TimeSpan atMost, CancellationToken ct)
    {
        var start = clock.GetTimestamp();
        while (clock.GetElapsedTime(start) < atMost)
        {
            var pending = await PendingCascades.Read(store, catalog, ct);
            if (pending.Pending.Count == 0) return true;
            var first = pending.Pending[0];
            if (await ApplyNext(first, pending, store, ct)) continue;

            // Another one may be announced just now: then this is not stored, and read again.
            await store.Commit(new Commit { Writes = [pending.Without(first.Id, clock.GetUtcNow()).Write()] }, ct);
        }

        return false;
    }

    /// <summary>One batch.</summary>
    /// <returns>False if no record is left to be reached.</returns>
    private async ValueTask<bool> ApplyNext(PendingCascade announced, PendingCascades pending, IWorkspaceStore store, CancellationToken ct)
    {
        var (cascade, schema) = (announced.Cascade, announced.Cascade.Schema);
        var page = await store.Query(new RecordQuery(schema.Type, cascade.Matches, [new SortKey(new KeyPath(schema.CreatedAt.Name), false)], null, Batch), ct);
        if (page.Records.Count == 0) return false;

        var (commit, bytes) = (new CommitBuilder(catalog, store.Partition, announced.Origin), 0);
        foreach (var stored in page.Records)
        {
            if (bytes > 0 && bytes + stored.Attributes.Length > BatchBytes) break;
            bytes += stored.Attributes.Length;
            var before = Record.Load(schema, stored);
            var change = new Change(before, cascade.DeletesRecords ? null : before.Next(), clock.GetUtcNow(), store, ids);
            if (change.After is { } after) cascade.Apply(after);
            commit.Add(change, isAsked: false);
        }

        // Whoever changed one of them meanwhile makes the batch stale: it is read again. What was to take the place may be gone by now, for another
        // or for none.
        var outcome = await store.Commit(commit.Build(answer: null), ct);
        return outcome.Result is not CommitResult.Missing
            || await ApplyNext(announced with { Cascade = cascade with { To = pending.Successor(cascade) } }, pending, store, ct);
    }
}
