using NodeStash.Core.Search;
using NodeStash.Core.Storage;
using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Search;

/// <summary>A search index that does not answer.</summary>
public sealed class SearchDownTests(SearchDownTests.FailingServer server) : IClassFixture<SearchDownTests.FailingServer>
{
    [Fact]
    public async Task Searches_are_refused_everything_else_works_and_nothing_is_lost()
    {
        var api = (await server.NewWorkspace()).Owner;
        var before = await api.Create("contacts", new { first_name = "Zeppelin" });
        await server.Indexed();
        server.IsDown = true;

        var meanwhile = await api.Create("contacts", new { first_name = "Zeppelin" });
        (await api.Delete($"/v1/contacts/{before.Id}")).Is(204);
        Assert.Equal([meanwhile.Id], (await api.Get("/v1/contacts?first_name=zeppelin")).Is(200).Ids);
        foreach (var path in new[] { "/v1/contacts?search=zeppelin", "/v1/contacts?search=zeppelin&sort=email", "/v1/search?q=zeppelin" })
            Assert.Equal("1", (await api.Get(path)).IsError(503, "UNAVAILABLE").Header("Retry-After"));
        Assert.Equal("""{"status":"degraded","unavailable":["search"]""", (await server.Anonymous.Get("/health/ready")).Is(200).Raw.Split(",\"meta\"")[0]);
        Assert.Contains("\"ok\"", (await server.Anonymous.Get("/health")).Is(200).Raw, StringComparison.Ordinal);

        server.IsDown = false;
        await server.Indexed();

        Assert.Equal([meanwhile.Id], (await api.Get("/v1/contacts?search=zeppelin")).Is(200).Ids);
        Assert.Contains("\"ok\"", (await server.Anonymous.Get("/health/ready")).Is(200).Raw, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_deleted_is_taken_out_of_the_index_itself()
    {
        var workspace = await server.NewWorkspace();
        var index = server.Indexes.Open(new Partition(workspace.Id, WorkspaceEnvironment.Live));
        var contact = await workspace.Owner.Create("contacts", new { first_name = "Zeppelin", email = "zeppelin@example.com" });
        await server.Indexed();
        Assert.Single((await index.Find(new SearchQuery(["contact"], "zeppelin", 10), CancellationToken.None)).Hits);

        (await workspace.Owner.Delete($"/v1/contacts/{contact.Id}")).Is(204);
        await server.Indexed();

        foreach (var text in new[] { "zeppelin", "zepelin", "zeppelin@example.com", "ppelin@ex" })
            Assert.Empty((await index.Find(new SearchQuery(["contact"], text, 10), CancellationToken.None)).Hits);
    }

    /// <summary>Its index can be turned off.</summary>
    public sealed class FailingServer : Server
    {
        public bool IsDown { get; set; }

        /// <summary>The index behind what can be turned off.</summary>
        public ISearchIndexes Indexes { get; private set; } = null!;

        protected override Func<ISearchIndexes, ISearchIndexes>? Search => indexes =>
        {
            Indexes = indexes;
            return new FailingIndexes(indexes, this);
        };

        private sealed class FailingIndexes(ISearchIndexes indexes, FailingServer server) : ISearchIndexes
        {
            public ISearchIndex Open(Partition partition) => new FailingIndex(indexes.Open(partition), this);

            public ValueTask Check(CancellationToken ct) => Up().Check(ct);

            public ValueTask<IReadOnlyList<IndexState>> States(IReadOnlyList<Partition> partitions, CancellationToken ct) => Up().States(partitions, ct);

            public ValueTask Complete(CancellationToken ct) => Up().Complete(ct);

            public ISearchIndexes Up() => server.IsDown ? throw new SearchUnavailableException("turned off by the test") : indexes;
        }

        private sealed class FailingIndex(ISearchIndex index, FailingIndexes all) : ISearchIndex
        {
            public Partition Partition => index.Partition;

            public ValueTask<SearchPage> Find(SearchQuery query, CancellationToken ct) => Up().Find(query, ct);

            public ValueTask<IReadOnlyDictionary<string, int>> Count(IReadOnlyList<string> types, string text, CancellationToken ct) =>
                Up().Count(types, text, ct);

            public ValueTask Write(IReadOnlyList<SearchChange> changes, CancellationToken ct) => Up().Write(changes, ct);

            public ValueTask BeginRebuild(string rebuild, CancellationToken ct) => Up().BeginRebuild(rebuild, ct);

            public ValueTask<bool> Fill(string rebuild, IReadOnlyList<SearchChange> changes, CancellationToken ct) => Up().Fill(rebuild, changes, ct);

            public ValueTask EndRebuild(string rebuild, CancellationToken ct) => Up().EndRebuild(rebuild, ct);

            private ISearchIndex Up()
            {
                all.Up();
                return index;
            }
        }
    }
}
