using Microsoft.Extensions.Logging;
using NodeStash.Core.Access;
using NodeStash.Core.Jobs;
using NodeStash.Core.Storage;
using NodeStash.Core.Telemetry;
using NodeStash.Core.Values;

namespace NodeStash.Core.Search;

/// <summary>
/// Has built anew what can't be searched as it is: indexes that were lost or damaged with what kept them, and those made by other schemas, settings
/// or terms than today's.
/// </summary>
public sealed partial class SearchUpkeep(IAccessStore access, ISearchIndexes indexes, JobSender jobs, Ids ids, TimeProvider clock, ILogger<SearchUpkeep> log)
    : IDisposable
{
    /// <summary>A rebuild that has not ended by then was given up.</summary>
    private static readonly TimeSpan MaxRebuildTime = TimeSpan.FromDays(1);

    /// <summary>One run at a time in a process: the second finds what the first began. Processes may race; of their rebuilds the last one counts.</summary>
    private readonly SemaphoreSlim turn = new(1);

    /// <summary>To be done by whoever finds the index new, and now and then; where the index or the store does not answer, there is a next time.</summary>
    public async Task Run(CancellationToken ct)
    {
        await turn.WaitAsync(ct);
        try
        {
            List<Partition> all = [
                .. (await access.WorkspaceIds(ct)).SelectMany(
                    id => new[] { new Partition(id, WorkspaceEnvironment.Live), new Partition(id, WorkspaceEnvironment.Test) })];
            var unsound = await Unsound(all, ct);
            foreach (var partition in unsound)
            {
                // Another app may have begun it since.
                if ((await Unsound([partition], ct)).Count > 0) await Rebuild(partition, ct);
            }

            if (unsound.Count > 0) unsound = await Unsound(all, ct);
            if (unsound.Count == 0) await indexes.Complete(ct);
        }
        catch (StoreUnavailableException e)
        {
            NotLookedAt(log, e.Message);
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();

    private async Task<List<Partition>> Unsound(List<Partition> all, CancellationToken ct) =>
        [.. (await indexes.States(all, ct)).Where(
            state => !state.IsSound && (state.Building is null || clock.GetUtcNow() - Ids.TimeOf(state.Building) > MaxRebuildTime))
            .Select(state => state.Partition)];

    /// <summary>The job is sent first: of a rebuild that was begun and has no job nobody would know.</summary>
    private async Task Rebuild(Partition partition, CancellationToken ct)
    {
        var job = ids.New("job_");
        await jobs.Send(new Reindexing(partition.Key, job), ct);
        await indexes.Open(partition).BeginRebuild(job, ct);
        Instruments.SearchRebuilds.Add(1);
        BuiltAnew(log, partition.Key, job);
    }

    [LoggerMessage(
        EventId = 1, Level = LogLevel.Information, Message = "The search index of {Partition} is missing or of another form, and is built anew by {Job}")]
    private static partial void BuiltAnew(ILogger logger, string partition, string job);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "Whether search indexes have to be built anew is not known yet: {Reason}")]
    private static partial void NotLookedAt(ILogger logger, string reason);
}
