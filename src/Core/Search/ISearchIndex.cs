using NodeStash.Core.Storage;

namespace NodeStash.Core.Search;

/// <summary>
/// Indexes the records of one partition and searches them. An instance is bound to its partition when it is created. No member names another
/// partition, so no search can leave it. The index may be stale: callers read each hit back from the store.
/// </summary>
/// <remarks>
/// Adapters pass the contract suite in tests/Support/Contracts/Search. All members throw <see cref="SearchUnavailableException"/> when the index
/// cannot answer. All members end soon after they are cancelled, whatever the search text.
/// </remarks>
public interface ISearchIndex
{
    /// <summary>Most hits that the pages of one search can reach.</summary>
    const int MaxHits = 10_000;

    /// <summary>Longest search text, in Unicode code points.</summary>
    const int MaxTextLength = 512;

    /// <summary>The partition that the index covers.</summary>
    Partition Partition { get; }

    /// <summary>
    /// Finds the records that contain all words of the text, best first. Ranking: exact word, prefix, part of an address, typo; then names before other
    /// texts; then newest. The rank of a hit depends only on its record and the text, so changes of other records do not move it.
    /// </summary>
    ValueTask<SearchPage> Find(SearchQuery query, CancellationToken ct);

    /// <summary>Counts the records of each type that a search would find, up to <see cref="MaxHits"/> for each type.</summary>
    ValueTask<IReadOnlyDictionary<string, int>> Count(IReadOnlyList<string> types, string text, CancellationToken ct);

    /// <summary>
    /// Writes changes to the index. They may come in any order and repeatedly: the highest version of a record wins, removals included. They are on disk
    /// when the call returns.
    /// </summary>
    ValueTask Write(IReadOnlyList<SearchChange> changes, CancellationToken ct);

    /// <summary>
    /// Begins to rebuild the index beside the current one, which is searched until the rebuild ends. Replaces another rebuild in progress. Beginning the
    /// same rebuild again changes nothing.
    /// </summary>
    /// <param name="rebuild">The id of the rebuild, <c>job_…</c></param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask BeginRebuild(string rebuild, CancellationToken ct);

    /// <summary>Writes changes as <see cref="Write"/> does, but to the rebuild only. (During a rebuild, <see cref="Write"/> writes to both.)</summary>
    /// <returns>False if this rebuild is not in progress any more.</returns>
    ValueTask<bool> Fill(string rebuild, IReadOnlyList<SearchChange> changes, CancellationToken ct);

    /// <summary>Replaces the current index by the rebuild. Changes nothing if this rebuild is not in progress any more.</summary>
    ValueTask EndRebuild(string rebuild, CancellationToken ct);
}

/// <summary>Opens the search index of a partition. Only code that decides whose data is accessed holds it: authentication and feed consumers.</summary>
public interface ISearchIndexes
{
    /// <summary>Opens the search index of a partition. Calls no server.</summary>
    ISearchIndex Open(Partition partition);

    /// <summary>Checks that searches are answered now.</summary>
    /// <exception cref="SearchUnavailableException">Searches are not answered now.</exception>
    ValueTask Check(CancellationToken ct);

    /// <summary>Returns the states of the indexes of some partitions.</summary>
    ValueTask<IReadOnlyList<IndexState>> States(IReadOnlyList<Partition> partitions, CancellationToken ct);

    /// <summary>
    /// Declares that every existing partition has an index, or one being built. A search server may have lost its indexes, so before this call a
    /// partition without an index is neither searched nor written to (<see cref="SearchUnavailableException"/>). After it, a partition without an
    /// index is new, and finds nothing.
    /// </summary>
    ValueTask Complete(CancellationToken ct);
}

/// <summary>Describes the state of a partition's search index.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="IsSound">Whether the index exists and has the current format.</param>
/// <param name="Building">The id of the rebuild in progress; null for none.</param>
public sealed record IndexState(Partition Partition, bool IsSound, string? Building);

/// <summary>Describes a search.</summary>
/// <param name="Types">The types of the records to search; at least one.</param>
/// <param name="Text">The text as a user typed it, at most <see cref="ISearchIndex.MaxTextLength"/> characters, without any syntax. Text without a
/// letter or digit finds nothing.</param>
/// <param name="Limit">The most hits to return, from 1 to <see cref="ISearchIndex.MaxHits"/>.</param>
/// <param name="After">The last hit of the page before; null for the first page.</param>
/// <param name="Among">Ids of the only records to search, at most <see cref="ISearchIndex.MaxHits"/>; null for all.</param>
public sealed record SearchQuery(IReadOnlyList<string> Types, string Text, int Limit, SearchPlace? After = null, IReadOnlyCollection<string>? Among = null);

/// <summary>Marks where a page of hits ends: after this hit.</summary>
/// <param name="Rank">The rank of the hit.</param>
/// <param name="Type">The type of its record.</param>
/// <param name="Id">The id of its record.</param>
public sealed record SearchPlace(long Rank, string Type, string Id);

/// <summary>Identifies a record that a search found.</summary>
/// <param name="Type">The type of the record.</param>
/// <param name="Id">The id of the record.</param>
/// <param name="Version">The version that was indexed.</param>
/// <param name="Rank">The rank; lower is better.</param>
public sealed record SearchHit(string Type, string Id, long Version, long Rank)
{
    /// <summary>The place after this hit, to continue from.</summary>
    public SearchPlace Place => new(Rank, Type, Id);
}

/// <summary>Holds one page of hits.</summary>
/// <param name="Hits">The hits, best first. Equal ranks are ordered by type, in the order of the query, then newest first.</param>
/// <param name="HasMore">Whether there are more hits.</param>
public sealed record SearchPage(IReadOnlyList<SearchHit> Hits, bool HasMore);

/// <summary>Thrown when the index cannot answer now, or is still being built. Nothing is lost; the caller may try again.</summary>
public sealed class SearchUnavailableException(string message, Exception? inner = null) : StoreUnavailableException(message, inner)
{
    /// <summary>Whether the index is new or being built, so that the wait is expected and not a failure.</summary>
    public bool IsBeingMade { get; init; }
}
