using NodeStash.Core.Storage;

namespace NodeStash.Core.Search;

/// <summary>
/// Where no search server is set up: nothing is kept, and every search is refused. One that is set up later has its indexes built from the records.
/// </summary>
public sealed class NoSearch : ISearchIndexes
{
    private static readonly SearchUnavailableException None = new("Search is not set up");

    public ISearchIndex Open(Partition partition) => new Index(partition);

    public ValueTask Check(CancellationToken ct) => ValueTask.FromException(None);

    public ValueTask<IReadOnlyList<IndexState>> States(IReadOnlyList<Partition> partitions, CancellationToken ct) =>
        ValueTask.FromResult<IReadOnlyList<IndexState>>([]);

    public ValueTask Complete(CancellationToken ct) => ValueTask.CompletedTask;

    private sealed class Index(Partition partition) : ISearchIndex
    {
        public Partition Partition => partition;

        public ValueTask<SearchPage> Find(SearchQuery query, CancellationToken ct) => ValueTask.FromException<SearchPage>(None);

        public ValueTask<IReadOnlyDictionary<string, int>> Count(IReadOnlyList<string> types, string text, CancellationToken ct) =>
            ValueTask.FromException<IReadOnlyDictionary<string, int>>(None);

        public ValueTask Write(IReadOnlyList<SearchChange> changes, CancellationToken ct) => ValueTask.CompletedTask;

        public ValueTask BeginRebuild(string rebuild, CancellationToken ct) => ValueTask.CompletedTask;

        public ValueTask<bool> Fill(string rebuild, IReadOnlyList<SearchChange> changes, CancellationToken ct) => ValueTask.FromResult(false);

        public ValueTask EndRebuild(string rebuild, CancellationToken ct) => ValueTask.CompletedTask;
    }
}
