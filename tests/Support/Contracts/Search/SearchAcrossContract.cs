using Microsoft.Extensions.DependencyInjection;
using NodeStash.Core.Records;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;
using NodeStash.Support.Running;

namespace NodeStash.Support.Contracts.Search;

/// <summary><c>GET /v1/search</c>, and <c>POST /v1/search/reindex</c>.</summary>
public abstract class SearchAcrossContract(Server server) : ApiTests(server)
{
    private readonly Dictionary<string, string> ids = [];

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        ids["contact"] = (await Api.Create("contacts", new { first_name = "Zeppelin", last_name = "Fan" })).Id;
        ids["company"] = (await Api.Create("companies", new { name = "Zeppelin Ltd" })).Id;
        ids["deal"] = (await Api.Create("deals", new { title = "Two zeppelins" })).Id;
        ids["activity"] = (await Api.Create("activities", new { type = "note", subject = "Visit", body = "They want a <b>zeppelin</b>." })).Id;
        await Server.Indexed();
    }

    [Fact]
    public async Task It_finds_records_of_all_types_the_best_first()
    {
        var found = (await Api.Get("/v1/search?q=zeppelin")).Is(200);

        Assert.Equal([ids["contact"], ids["company"], ids["activity"], ids["deal"]], found.Ids);
        Assert.All(found.List, item => Assert.Equal("search_result", item.GetProperty("type").GetString()));
        Assert.Equal(
            ["contact", "company", "activity", "deal"], found.List.Select(item => item.GetProperty("attributes").GetProperty("resource_type").GetString()));
        Assert.Equal("""{"contact":1,"company":1,"deal":1,"activity":1}""", found.Body.GetProperty("meta").GetProperty("counts").GetRawText());
    }

    [Fact]
    public async Task A_result_is_the_record_as_it_is_and_where_the_text_stands_in_it()
    {
        var found = (await Api.Get("/v1/search?q=zepelin&types=activity")).Is(200).List.Single().GetProperty("attributes");

        Assert.Equal(
            (await Api.Get($"/v1/activities/{ids["activity"]}")).Data.GetProperty("attributes").GetRawText(), found.GetProperty("resource").GetRawText());
        var highlight = Assert.Single(found.GetProperty("highlights").EnumerateArray());
        Assert.Equal("body", highlight.GetProperty("field").GetString());
        var match = Assert.Single(highlight.GetProperty("matches").EnumerateArray());
        Assert.Equal("zeppelin", highlight.GetProperty("snippet").GetString()![match.GetProperty("start").GetInt32()..match.GetProperty("end").GetInt32()]);
    }

    [Theory]
    [InlineData("{\"phone\":\"+1 (555) 010-0199\"}", "5550100", "555) 010-0")]
    [InlineData("{\"email\":\"someone@airfield.example\"}", "airfield", "airfield")]
    [InlineData("{\"email\":\"someone@airfield.example\"}", "irfie", "irfie")]
    [InlineData("{\"title\":\"Größter Bäcker\"}", "grosster backer", "Größter|Bäcker")]
    [InlineData("{\"tags\":[\"one\",\"airfields\"]}", "airfie", "airfields")]
    [InlineData("{\"custom_fields\":{\"note\":\"😀 Airfield 😀\"}}", "airfield", "Airfield")]
    public async Task A_highlight_is_what_the_text_stands_for(string body, string text, string expected)
    {
        var made = (await Api.Send(HttpMethod.Post, "/v1/contacts", body)).Is(201);
        await Server.Indexed();

        var found = (await Api.Get($"/v1/search?types=contact&q={Uri.EscapeDataString(text)}")).Is(200).List.Single(
            item => item.GetProperty("id").GetString() == made.Id);
        var marked = found.GetProperty("attributes").GetProperty("highlights").EnumerateArray().SelectMany(
            highlight => highlight.GetProperty("matches").EnumerateArray()
                .Select(m => highlight.GetProperty("snippet").GetString()![m.GetProperty("start").GetInt32()..m.GetProperty("end").GetInt32()]));

        Assert.Equal(expected, string.Join('|', marked));
    }

    [Fact]
    public async Task A_long_text_is_shown_around_the_match()
    {
        await Api.Create("activities", new { type = "note", body = new string('x', 5000) + " needle " + new string('y', 5000) });
        await Server.Indexed();

        var highlight = (await Api.Get("/v1/search?q=needle")).Is(200).List.Single().GetProperty("attributes").GetProperty("highlights")[0];

        var (snippet, match) = (highlight.GetProperty("snippet").GetString()!, highlight.GetProperty("matches")[0]);
        Assert.Equal("needle", snippet[match.GetProperty("start").GetInt32()..match.GetProperty("end").GetInt32()]);
        Assert.True(snippet.Length <= 200, snippet);
    }

    [Fact]
    public async Task Only_the_types_asked_for_are_searched()
    {
        var found = (await Api.Get("/v1/search?q=zeppelin&types=deal,company")).Is(200);

        Assert.Equal([ids["company"], ids["deal"]], found.Ids);
        Assert.Equal("""{"company":1,"deal":1}""", found.Body.GetProperty("meta").GetProperty("counts").GetRawText());
    }

    [Fact]
    public async Task Each_type_takes_its_read_scope_and_without_types_those_it_may_read_are_searched()
    {
        var caller = await Api.WithScopes(["deals:read", "activities:write"]);

        Assert.Equal([ids["activity"], ids["deal"]], (await caller.Get("/v1/search?q=zeppelin")).Is(200).Ids);
        Assert.Contains("contacts:read", (await caller.Get("/v1/search?q=zeppelin&types=deal,contact")).IsError(403, "INSUFFICIENT_SCOPE").Message,
            StringComparison.Ordinal);
        (await (await Api.WithScopes(["pipelines:read"])).Get("/v1/search?q=zeppelin")).IsError(403, "INSUFFICIENT_SCOPE");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Pages_show_each_result_once(int limit)
    {
        for (var i = 0; i < 5; i++) await Api.Create(
            i % 2 == 0 ? "contacts" : "companies", i % 2 == 0 ? new { first_name = "Zeppelin" } : (object)new { name = "Zeppelin" });
        await Server.Indexed();

        var pages = await Api.Pages($"/v1/search?q=zeppelin&limit={limit}");

        Assert.Equal((await Api.Get("/v1/search?q=zeppelin")).Ids, pages.SelectMany(page => page.Ids));
        Assert.Equal(9, pages.Sum(page => page.Ids.Count));
    }

    [Fact]
    public async Task What_it_can_not_do_is_told()
    {
        (await Api.Get("/v1/search")).IsInvalid("q");
        (await Api.Get("/v1/search?q=")).IsInvalid("q");
        (await Api.Get($"/v1/search?q={new string('x', 513)}")).IsInvalid("q");
        (await Api.Get("/v1/search?q=a&types=pipeline")).IsInvalid("types");
        (await Api.Get("/v1/search?q=a&types=")).IsInvalid("types");
        (await Api.Get("/v1/search?q=a&limit=0&sort=email&cursor=x")).IsInvalid("limit", "sort");
        (await Api.Get("/v1/search?q=a&cursor=x")).IsInvalid("cursor");
    }

    [Fact]
    public async Task A_rebuild_finds_what_the_store_has_and_nothing_else_and_searches_go_on_meanwhile()
    {
        var index = Server.Services.GetRequiredService<ISearchIndexes>().Open(new Partition(Workspace.Id, WorkspaceEnvironment.Live));
        await index.Write([new SearchChange("contact", Server.FreshId("ct_"), 1, [new("first_name", Searchable.Name, "Zeppelin")])], CancellationToken.None);
        var before = (await Api.Get("/v1/search?q=zeppelin")).Ids;

        var job = (await Api.Post("/v1/search/reindex", new { })).Is(202);

        Assert.Equal("job", job.Data.GetProperty("type").GetString());
        await Server.Rebuilt(() => Api.Get("/v1/search?q=zeppelin"), found => Assert.Equal(before, found.Is(200).Ids));
        Assert.Equal(before, (await Api.Get("/v1/search?q=zeppelin")).Ids);
        Assert.Equal(before,
            (await index.Find(new SearchQuery(["contact", "company", "deal", "activity"], "zeppelin", 10), CancellationToken.None)).Hits.Select(hit => hit.Id));
    }

    [Fact]
    public async Task A_rebuild_takes_the_right_to_write_every_type_and_no_fields_and_may_be_tried()
    {
        var caller = await Api.WithScopes(["contacts:write", "companies:write", "deals:write"]);

        Assert.Contains(
            "activities:write", (await caller.Post("/v1/search/reindex", new { })).IsError(403, "INSUFFICIENT_SCOPE").Message, StringComparison.Ordinal);
        (await Api.Post("/v1/search/reindex", new { types = "contact" })).IsInvalid("types");
        (await Api.Post("/v1/search/reindex?dry_run=true", new { })).Is(202);
    }
}
