using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;

namespace NodeStash.Functions.Webhooks.WideChanges;

/// <summary>Carries the wide changes of a data set to the records they reach, slice by slice, until none is under way.</summary>
public sealed class CarryThrough(IWorkspaceStores stores, WideChangeWorker worker)
{
    /// <summary>Of one activity: short enough that a stopping host waits for it.</summary>
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(5);

    private static readonly TaskOptions Persistent = TaskOptions.FromRetryPolicy(
        new RetryPolicy(maxNumberOfAttempts: int.MaxValue, firstRetryInterval: TimeSpan.FromSeconds(1), backoffCoefficient: 2, maxRetryInterval: TimeSpan.FromMinutes(5)));

    [Function(nameof(CarryChangesThrough))]
    public static async Task CarryChangesThrough([OrchestrationTrigger] TaskOrchestrationContext context, DataSet dataSet)
    {
        if (!await context.CallActivityAsync<bool>(nameof(CarryChangesOn), dataSet, Persistent)) context.ContinueAsNew(dataSet);
    }

    /// <returns>Whether all of them have ended.</returns>
    [Function(nameof(CarryChangesOn))]
    public async Task<bool> CarryChangesOn([ActivityTrigger] DataSet dataSet, CancellationToken ct) =>
        await worker.Work(stores.Open(Partition.Parse(dataSet.Partition)), Slice, ct);
}

/// <summary>Input of <see cref="CarryThrough"/>, version 1.</summary>
/// <param name="Partition">The data set (<see cref="Core.Storage.Partition.Key"/>).</param>
public sealed record DataSet(string Partition);
