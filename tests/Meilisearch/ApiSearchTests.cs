using NodeStash.Azure.Meilisearch;
using NodeStash.Core.Search;
using NodeStash.Support.Contracts.Search;
using NodeStash.Support.Running;

namespace NodeStash.Meilisearch.Tests;

/// <summary>What the API promises of searches, with the search server behind it.</summary>
public sealed class ApiSearchListTests(ServerWithSearchServer server) : SearchListContract(server), IClassFixture<ServerWithSearchServer>;

public sealed class ApiSearchAcrossTests(ServerWithSearchServer server) : SearchAcrossContract(server), IClassFixture<ServerWithSearchServer>;

/// <summary>The product, with a search server in place of the embedded index. The server is new, and made ready by the product.</summary>
public sealed class ServerWithSearchServer : Server
{
    private readonly SearchServerProcess search = new();
    private MeilisearchIndexes? indexes;

    protected override Func<ISearchIndexes, ISearchIndexes> Search => _ => indexes ??= new MeilisearchIndexes(search.Url, SearchServerProcess.Key, Time);

    public override async ValueTask InitializeAsync()
    {
        await search.Start();
        await base.InitializeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        indexes?.Dispose();
        await search.DisposeAsync();
    }
}
