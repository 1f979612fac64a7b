using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Jobs;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;

namespace NodeStash.Functions.Webhooks.Jobs;

/// <summary>Applies the pending cascades of an environment in short steps until none is left.</summary>
public sealed class ApplyCascades(JobRun run, IWorkspaceStores stores, CascadeWorker worker)
{
    /// <summary>Length of one step: short enough that a stopping host waits for it.</summary>
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(5);

    [Function("carry-changes-through")]
    public Task Run([QueueTrigger(JobQueue.Cascades, Connection = JobQueue.Connection)] string message, CancellationToken ct) =>
        run.RunSteps(Job.Read<CascadeJob>(message), ApplySlice, ct);

    private async ValueTask<CascadeJob?> ApplySlice(CascadeJob job, CancellationToken ct)
    {
        var store = stores.Open(Partition.Parse(job.Partition));

        // Only the job of the last announcement works, and it applies all pending cascades: two jobs would conflict.
        var pending = await PendingCascades.Read(store, Crm.Catalog, ct);
        if (pending.Pending.Count == 0 || pending.Pending[^1].Id != job.Announced) return null;
        return await worker.Work(store, Slice, ct) ? null : job;
    }
}
