using NodeStash.Core.Jobs;
using NodeStash.Core.Records;
using NodeStash.LocalHost.Store;

namespace NodeStash.LocalHost.Search;

/// <summary>Has built anew, at a start, what can't be searched as it is: an index whose file is gone, or that was made with other settings than today's.</summary>
internal sealed class SearchStart(EmbeddedSearchIndexes indexes, SqliteStores stores, Ids ids, JobSender jobs)
{
    /// <summary>Before anything is served: from then on a search is answered whole, or refused until it can be.</summary>
    public async Task Run(CancellationToken ct)
    {
        foreach (var partition in indexes.Outdated(stores.All()))
        {
            var job = ids.New("job_");
            await indexes.Open(partition).BeginRebuild(job, ct);
            await jobs.Send(new Reindexing(partition.Key, job), ct);
        }
    }
}

/// <summary>The database of the search index, to be told from that of the records.</summary>
internal sealed record SearchDatabase(Database Database) : IDisposable
{
    public void Dispose() => Database.Dispose();
}
