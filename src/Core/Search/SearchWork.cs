namespace NodeStash.Core.Search;

/// <summary>What the API hands over to indexing: the orchestration that takes it on, by name.</summary>
public static class SearchWork
{
    /// <summary>Builds the index of a data set anew. Takes a <see cref="Reindexing"/>.</summary>
    public const string Reindex = "Reindex";
}

/// <summary>A data set's index that is built anew, and how far that is. Input of <see cref="SearchWork.Reindex"/>, version 1.</summary>
/// <param name="Partition">The data set (<see cref="Storage.Partition.Key"/>).</param>
/// <param name="Rebuild">Names it: <c>job_…</c></param>
/// <param name="Type">Of the records that come next; null before the first.</param>
/// <param name="CreatedAt">Of the last record of the type that was read; null before the first.</param>
/// <param name="Id">Its id; null before the first.</param>
public sealed record Reindexing(string Partition, string Rebuild, string? Type = null, string? CreatedAt = null, string? Id = null);
