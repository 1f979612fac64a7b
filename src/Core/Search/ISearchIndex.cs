using NodeStash.Core.Storage;

namespace NodeStash.Core.Search;

/// <summary>
/// What one environment is searched by. An instance is bound to its partition when it is made and has no member that names another: whoever holds
/// one cannot write a search that leaves it. It holds no truth: whoever asks reads each hit back from the store.
/// </summary>
/// <remarks>
/// Adapters pass the contract suite in tests/Support/Contracts/Search. All members throw <see cref="SearchUnavailableException"/> when the index
/// cannot answer, and end soon after they are cancelled, whatever is searched for.
/// </remarks>
public interface ISearchIndex
{
    /// <summary>The most hits of a search that can be reached.</summary>
    const int MaxHits = 10_000;

    /// <summary>The most characters (Unicode code points) of what is searched for.</summary>
    const int MaxTextLength = 512;

    Partition Partition { get; }

    /// <summary>
    /// The records that have all of the words, the best first: as they are before begun, part of an address before mistyped, names before
    /// other texts, and among equals the newest. The rank of a hit depends on the record and the text alone, so that others that come and go do
    /// not move it.
    /// </summary>
    ValueTask<SearchPage> Find(SearchQuery query, CancellationToken ct);

    /// <summary>How many records of each type would be found, at most <see cref="MaxHits"/> of each.</summary>
    ValueTask<IReadOnlyDictionary<string, int>> Count(IReadOnlyList<string> types, string text, CancellationToken ct);

    /// <summary>
    /// Takes changes in, in whatever order and however often they come: of each record the highest version counts, and a removal is one, too. They
    /// are on disk when it answers.
    /// </summary>
    ValueTask Write(IReadOnlyList<SearchChange> changes, CancellationToken ct);

    /// <summary>
    /// Begins to build everything anew beside what is there, which is searched meanwhile; takes the place of a rebuild under way. Beginning the same
    /// one again changes nothing.
    /// </summary>
    /// <param name="rebuild">Names it.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask BeginRebuild(string rebuild, CancellationToken ct);

    /// <summary>As <see cref="Write"/>, into the rebuild alone. (What is written while it is under way goes to both.)</summary>
    /// <returns>False where it is not under way any more.</returns>
    ValueTask<bool> Fill(string rebuild, IReadOnlyList<SearchChange> changes, CancellationToken ct);

    /// <summary>Has the rebuild searched from now on, and lets go of what was there. Changes nothing where it is not under way any more.</summary>
    ValueTask EndRebuild(string rebuild, CancellationToken ct);
}

/// <summary>Opens the index of an environment. Held by what decides whose data is at stake (authentication, feed consumers), by nothing else.</summary>
public interface ISearchIndexes
{
    ISearchIndex Open(Partition partition);

    /// <summary>Answers if searches are answered now.</summary>
    /// <exception cref="SearchUnavailableException">They are not.</exception>
    ValueTask Check(CancellationToken ct);

    /// <summary>How the indexes of some environments stand.</summary>
    ValueTask<IReadOnlyList<IndexState>> States(IReadOnlyList<Partition> partitions, CancellationToken ct);

    /// <summary>
    /// Says that every environment there is has an index, or one being built. Whoever keeps the indexes may have lost them: until this is said, an
    /// environment it does not know is neither searched nor written to (<see cref="SearchUnavailableException"/>); from then on one that it does not
    /// know is new, and has nothing.
    /// </summary>
    ValueTask Complete(CancellationToken ct);
}

/// <param name="Partition">The environment.</param>
/// <param name="IsSound">Whether its index is there, and made as one would be made today.</param>
/// <param name="Building">The rebuild under way; null for none.</param>
public sealed record IndexState(Partition Partition, bool IsSound, string? Building);

/// <summary>What is searched for.</summary>
/// <param name="Types">Of records; at least one.</param>
/// <param name="Text">As a user typed it, at most <see cref="ISearchIndex.MaxTextLength"/> characters; nothing in it is syntax. Text without a letter
/// or digit finds nothing.</param>
/// <param name="Limit">The most hits to answer, from 1 to <see cref="ISearchIndex.MaxHits"/>.</param>
/// <param name="After">Where the page before ended; null for the first page.</param>
/// <param name="Among">Only these records, at most <see cref="ISearchIndex.MaxHits"/>; null for all.</param>
public sealed record SearchQuery(IReadOnlyList<string> Types, string Text, int Limit, SearchPlace? After = null, IReadOnlyCollection<string>? Among = null);

/// <summary>A place between two hits.</summary>
/// <param name="Rank">Of the last hit read.</param>
/// <param name="Type">Its type.</param>
/// <param name="Id">Its id.</param>
public sealed record SearchPlace(long Rank, string Type, string Id);

/// <param name="Type">Of the record.</param>
/// <param name="Id">Of the record.</param>
/// <param name="Version">That was indexed.</param>
/// <param name="Rank">The lower the better.</param>
public sealed record SearchHit(string Type, string Id, long Version, long Rank)
{
    public SearchPlace Place => new(Rank, Type, Id);
}

/// <param name="Hits">The best first; of equal rank by type, in the order asked for, then the newest.</param>
/// <param name="HasMore">Whether there are more.</param>
public sealed record SearchPage(IReadOnlyList<SearchHit> Hits, bool HasMore);

/// <summary>The index cannot answer now, or is still being built. Nothing is lost; the caller may try again.</summary>
public sealed class SearchUnavailableException(string message, Exception? inner = null) : StoreUnavailableException(message, inner)
{
    /// <summary>Whether the index is new or being built: a wait that is expected, and no fault.</summary>
    public bool IsBeingMade { get; init; }
}
