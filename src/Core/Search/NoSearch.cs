using NodeStash.Core.Storage;

namespace NodeStash.Core.Search;

/// <summary>
/// Stands in where no search server is configured: it stores nothing and refuses every search. If a server is configured later, its indexes are
/// built from the records.
/// </summary>
public sealed class NoSearch : ISearchIndexes
{
    private static readonly SearchUnavailableException NotSetUp = new("This deployment has no search server: configure one to search");

    /// <summary>Opens an index that stores nothing and refuses every search.</summary>
    public ISearchIndex Open(Partition partition) => new Index(partition);

    /// <summary>Always fails: searches are not answered.</summary>
    /// <exception cref="SearchUnavailableException">Always thrown.</exception>
    public ValueTask Check(CancellationToken ct) => ValueTask.FromException(NotSetUp);

    /// <summary>Returns no states, so that no rebuild is begun.</summary>
    public ValueTask<IReadOnlyList<IndexState>> States(IReadOnlyList<Partition> partitions, CancellationToken ct) =>
        ValueTask.FromResult<IReadOnlyList<IndexState>>([]);

    /// <summary>Does nothing.</summary>
    public ValueTask Complete(CancellationToken ct) => ValueTask.CompletedTask;

    private sealed class Index(Partition partition) : ISearchIndex
    {
        public Partition Partition => partition;

        public ValueTask<SearchPage> Find(SearchQuery query, CancellationToken ct) => ValueTask.FromException<SearchPage>(NotSetUp);

        public ValueTask<IReadOnlyDictionary<string, int>> Count(IReadOnlyList<string> types, string text, CancellationToken ct) =>
            ValueTask.FromException<IReadOnlyDictionary<string, int>>(NotSetUp);

        public ValueTask Write(IReadOnlyList<SearchChange> changes, CancellationToken ct) => ValueTask.CompletedTask;

        public ValueTask BeginRebuild(string rebuild, CancellationToken ct) => ValueTask.CompletedTask;

        public ValueTask<bool> Fill(string rebuild, IReadOnlyList<SearchChange> changes, CancellationToken ct) => ValueTask.FromResult(false);

        public ValueTask EndRebuild(string rebuild, CancellationToken ct) => ValueTask.CompletedTask;
    }
}
