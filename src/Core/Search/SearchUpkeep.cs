using Microsoft.Extensions.Logging;
using NodeStash.Core.Access;
using NodeStash.Core.Jobs;
using NodeStash.Core.Storage;
using NodeStash.Core.Telemetry;
using NodeStash.Core.Values;

namespace NodeStash.Core.Search;

/// <summary>
/// Begins the rebuild of search indexes that are lost or damaged, or were built with other schemas, settings or terms than the current ones.
/// </summary>
public sealed partial class SearchUpkeep(IAccessStore access, ISearchIndexes indexes, JobSender jobs, Ids ids, TimeProvider clock, ILogger<SearchUpkeep> log)
    : IDisposable
{
    /// <summary>Longest time of a rebuild. One that takes longer was abandoned, and is begun again.</summary>
    private static readonly TimeSpan MaxRebuildTime = TimeSpan.FromDays(1);

    /// <summary>Allows one run at a time in a process: the second sees the rebuilds of the first. Processes may race; the last rebuild counts.</summary>
    private readonly SemaphoreSlim runLock = new(1);

    /// <summary>
    /// Checks every partition and begins the rebuilds needed. Call it regularly, and when the index is found new. If the index or the store does not
    /// answer, it logs a warning, and the next run tries again.
    /// </summary>
    public async Task Run(CancellationToken ct)
    {
        await runLock.WaitAsync(ct);
        try
        {
            List<Partition> all = [
                .. (await access.WorkspaceIds(ct)).SelectMany(
                    id => new[] { new Partition(id, WorkspaceEnvironment.Live), new Partition(id, WorkspaceEnvironment.Test) })];
            var unsound = await FindUnsound(all, ct);
            foreach (var partition in unsound)
            {
                // Another app may have begun it since.
                if ((await FindUnsound([partition], ct)).Count > 0) await Rebuild(partition, ct);
            }

            if (unsound.Count > 0) unsound = await FindUnsound(all, ct);
            if (unsound.Count == 0) await indexes.Complete(ct);
        }
        catch (StoreUnavailableException e)
        {
            LogCheckFailed(log, e.Message);
        }
        finally
        {
            runLock.Release();
        }
    }

    /// <summary>Disposes of the lock.</summary>
    public void Dispose() => runLock.Dispose();

    private async Task<List<Partition>> FindUnsound(List<Partition> all, CancellationToken ct) =>
        [.. (await indexes.States(all, ct)).Where(
            state => !state.IsSound && (state.Building is null || clock.GetUtcNow() - Ids.TimeOf(state.Building) > MaxRebuildTime))
            .Select(state => state.Partition)];

    /// <summary>Sends the job first: a rebuild begun without a job would stand still until <see cref="MaxRebuildTime"/> has passed.</summary>
    private async Task Rebuild(Partition partition, CancellationToken ct)
    {
        var job = ids.New("job_");
        await jobs.Send(new Reindexing(partition.Key, job), ct);
        await indexes.Open(partition).BeginRebuild(job, ct);
        Instruments.SearchRebuilds.Add(1);
        LogRebuildBegun(log, partition.Key, job);
    }

    [LoggerMessage(
        EventId = 1, Level = LogLevel.Information, Message = "The search index of {Partition} is missing or has another format; {Job} rebuilds it")]
    private static partial void LogRebuildBegun(ILogger logger, string partition, string job);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "The search indexes could not be checked; the next run tries again: {Reason}")]
    private static partial void LogCheckFailed(ILogger logger, string reason);
}
