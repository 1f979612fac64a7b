using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Jobs;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;

namespace NodeStash.Functions.Webhooks.Jobs;

/// <summary>Carries the cascades of an environment to the records they reach, slice by slice, until none is under way.</summary>
public sealed class ApplyCascades(JobRun run, IWorkspaceStores stores, CascadeWorker worker)
{
    /// <summary>Of one step: short enough that a stopping host waits for it.</summary>
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(5);

    [Function("carry-changes-through")]
    public Task Run([QueueTrigger(JobQueue.Cascades, Connection = JobQueue.Connection)] string message, CancellationToken ct) =>
        run.Steps(Job.Read<CascadeJob>(message), Step, ct);

    private async ValueTask<CascadeJob?> Step(CascadeJob job, CancellationToken ct)
    {
        var store = stores.Open(Partition.Parse(job.Partition));

        // One that was announced later has a message of its own, and all are carried through by the last: two would be in each other's way.
        var pending = await PendingCascades.Read(store, Crm.Catalog, ct);
        if (pending.Pending.Count == 0 || pending.Pending[^1].Id != job.Announced) return null;
        return await worker.Work(store, Slice, ct) ? null : job;
    }
}
