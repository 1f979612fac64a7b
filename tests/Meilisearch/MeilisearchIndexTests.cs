using NodeStash.Core.Search;
using NodeStash.Core.Search.Server;
using NodeStash.Core.Tests.Search;

namespace NodeStash.Meilisearch.Tests;

public sealed class MeilisearchIndexTests(SearchServerProcess server) : SearchIndexContract, IClassFixture<SearchServerProcess>, IDisposable
{
    private readonly MeilisearchIndexes indexes = new(server.Url, SearchServerProcess.Key, TimeProvider.System);

    protected override ISearchIndexes Indexes => indexes;

    public void Dispose() => indexes.Dispose();
}
