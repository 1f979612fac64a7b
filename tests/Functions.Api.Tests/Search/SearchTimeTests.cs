using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using NodeStash.Azure.Meilisearch;
using NodeStash.Core.Search;
using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Search;

/// <summary>Searches that would take longer than they may.</summary>
public sealed class SearchTimeTests(SearchTimeTests.HurriedServer hurried,
    SearchTimeTests.HungServer hung) : IClassFixture<SearchTimeTests.HurriedServer>, IClassFixture<SearchTimeTests.HungServer>
{
    [Fact]
    public Task A_search_that_takes_too_long_is_given_up_and_lists_are_not() => AllAreGivenUp(hurried);

    [Fact]
    public async Task A_search_server_that_never_answers_holds_up_no_request()
    {
        await AllAreGivenUp(hung);

        Assert.Contains("\"degraded\"", (await hung.Anonymous.Get("/health/ready")).Is(200).Raw, StringComparison.Ordinal);
    }

    private static async Task AllAreGivenUp(Server server)
    {
        var api = (await server.NewWorkspace()).Owner;
        var contact = await api.Create("contacts", new { first_name = "Zeppelin" });

        foreach (var path in new[] { "/v1/contacts?search=zeppelin", "/v1/contacts?search=zeppelin&sort=email", "/v1/contacts?search=zeppelin&tags=a",
            "/v1/search?q=zeppelin" })
        {
            var given = (await api.Get(path)).IsError(503, "UNAVAILABLE");
            Assert.Contains("narrow it", given.Raw, StringComparison.Ordinal);
            Assert.Equal("1", given.Header("Retry-After"));
        }

        Assert.Equal([contact.Id], (await api.Get("/v1/contacts?first_name=zeppelin")).Is(200).Ids);
    }

    /// <summary>Has no time for searches.</summary>
    public sealed class HurriedServer : Server
    {
        protected override void Replace(IServiceCollection services) => services.AddSingleton(new SearchOptions { MaxDuration = TimeSpan.Zero });
    }

    /// <summary>Its search server takes connections, and says nothing.</summary>
    public sealed class HungServer : Server
    {
        protected override void Replace(IServiceCollection services) => services
            .AddSingleton(_ => new TcpListener(IPAddress.Loopback, 0))
            .AddSingleton<ISearchIndexes>(all =>
            {
                var silent = all.GetRequiredService<TcpListener>();
                silent.Start();
                return new MeilisearchIndexes($"http://{silent.LocalEndpoint}", "key", TimeProvider.System);
            })
            .AddSingleton(new SearchOptions { MaxDuration = TimeSpan.FromMilliseconds(100) });
    }
}
