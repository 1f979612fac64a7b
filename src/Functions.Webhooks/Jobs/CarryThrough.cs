using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Jobs;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;

namespace NodeStash.Functions.Webhooks.Jobs;

/// <summary>Carries the wide changes of a data set to the records they reach, slice by slice, until none is under way.</summary>
public sealed class CarryThrough(JobRun run, IWorkspaceStores stores, WideChangeWorker worker)
{
    /// <summary>Of one step: short enough that a stopping host waits for it.</summary>
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(5);

    [Function("carry-changes-through")]
    public Task Run([QueueTrigger(JobQueue.WideChanges, Connection = JobQueue.Connection)] string message, CancellationToken ct) =>
        run.Steps(Job.Read<WideChangeJob>(message), Step, ct);

    private async ValueTask<WideChangeJob?> Step(WideChangeJob job, CancellationToken ct)
    {
        var store = stores.Open(Partition.Parse(job.Partition));

        // One that was announced later has a message of its own, and all are carried through by the last: two would be in each other's way.
        var underWay = await Core.Records.WideChanges.Read(store, ct);
        if (underWay.Changes.Count == 0 || underWay.Changes[^1].Id != job.Announced) return null;
        return await worker.Work(store, Slice, ct) ? null : job;
    }
}
