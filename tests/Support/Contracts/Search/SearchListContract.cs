using NodeStash.Support.Running;

namespace NodeStash.Support.Contracts.Search;

/// <summary>docs/api/v1.md, Search: <c>search=</c> on lists.</summary>
public abstract class SearchListContract(Server server) : ApiTests(server)
{
    [Fact]
    public async Task The_example_of_the_product_page_finds_jane_of_an_enterprise()
    {
        var jane = await Api.Create(
            "contacts", new { first_name = "Jane", last_name = "Smith", email = "jane@example.com", tags = new[] { "enterprise", "decision-maker" } });
        await Api.Create("contacts", new { first_name = "Jane", last_name = "Miller", tags = new[] { "starter" } });
        await Api.Create("contacts", new { first_name = "Bob", tags = new[] { "enterprise" } });

        var found = await Search("contacts?search=jane&tags=enterprise");

        Assert.Equal([jane.Id], found.Ids);
        Assert.Equal("Smith", found.List[0].GetProperty("attributes").GetProperty("last_name").GetString());
        Assert.Null(found.NextCursor);
    }

    [Theory]
    [InlineData("contacts",
        "{\"first_name\":\"Maria\",\"email\":\"maria@acme.example\",\"phone\":\"+49 30 5550199\",\"title\":\"Head of Robotics\",\"tags\":[\"vip\"],"
            + "\"custom_fields\":{\"plan\":\"Goldilocks\",\"seats\":4711}}", "maria", "acme.example", "(030) 555-0199", "robtics", "vip", "goldilocks", "4711")]
    [InlineData("companies", "{\"name\":\"Acme Robotics\",\"domain\":\"acme-robotics.example\",\"industry\":\"Manufacturing\",\"tags\":[\"key\"]}", "robotics",
        "robotics.exa", "manufactring", "key")]
    [InlineData("deals", "{\"title\":\"Licence for 500 seats\",\"custom_fields\":{\"competitor\":\"Initech\"}}", "licence 500", "initech")]
    [InlineData("activities", "{\"type\":\"note\",\"subject\":\"Call back\",\"body\":\"She asked about the Zeppelin offer.\"}", "back call", "zepelin")]
    public async Task Every_resource_that_is_searched_is_found_by_each_of_its_texts(string collection, string body, params string[] texts)
    {
        var made = (await Api.Send(HttpMethod.Post, $"/v1/{collection}", body)).Is(201);

        foreach (var text in texts) Assert.Equal([made.Id], (await Search($"{collection}?search={Uri.EscapeDataString(text)}")).Ids);
    }

    [Fact]
    public async Task It_combines_with_every_kind_of_filter()
    {
        var company = await Api.Create("companies", new { name = "Acme", industry = "Technology" });
        var right = await Api.Create(
            "contacts", new { first_name = "Jane", company_id = company.Id, tags = new[] { "a", "b" }, custom_fields = new { score = 80 }, source = "web" });
        await Api.Create("contacts", new { first_name = "Jane", tags = new[] { "a" }, custom_fields = new { score = 20 } });
        foreach (var filter in new[]
        {
            "tags=a,b", $"company_id={company.Id}", "company.industry=Technology", "custom_fields[score][gte]=50", "custom_fields[score]=80", "source=web",
            "source[exists]=true",
            "created_at[gte]=2020-01-01&tags[eq]=b", "custom_fields[score][in]=80,81", "company.name=acme&company_id[exists]=true",
        })
            Assert.Equal([right.Id], (await Search($"contacts?search=jane&{filter}")).Ids);

        Assert.Empty((await Search($"contacts?search=jane&custom_fields[score][lt]=10")).Ids);
    }

    [Fact]
    public async Task Include_and_fields_work_as_on_any_list()
    {
        var company = await Api.Create("companies", new { name = "Acme" });
        await Api.Create("contacts", new { first_name = "Jane", company_id = company.Id });

        var found = (await Search("contacts?search=jane&include=company&fields=first_name")).List[0].GetProperty("attributes");

        Assert.Equal("Acme", found.GetProperty("company").GetProperty("name").GetString());
        Assert.Equal(["id", "first_name", "company"], found.EnumerateObject().Select(p => p.Name));
    }

    [Fact]
    public async Task The_best_comes_first_unless_a_sort_is_asked_for()
    {
        var exact = await Api.Create("contacts", new { first_name = "Maria", email = "z@example.com" });
        var begun = await Api.Create("contacts", new { first_name = "Mariana", email = "a@example.com" });
        var mistyped = await Api.Create("contacts", new { first_name = "Mario", email = "m@example.com" });

        Assert.Equal([exact.Id, begun.Id, mistyped.Id], (await Search("contacts?search=maria")).Ids);
        Assert.Equal([begun.Id, mistyped.Id, exact.Id], (await Search("contacts?search=maria&sort=email")).Ids);
        Assert.Equal([exact.Id, mistyped.Id, begun.Id], (await Search("contacts?search=maria&sort=-email")).Ids);
    }

    [Theory]
    [InlineData("contacts?search=smith&limit=7")]
    [InlineData("contacts?search=smith&limit=7&sort=first_name")]
    [InlineData("contacts?search=smith&limit=3&tags=even")]
    [InlineData("contacts?search=smiht name&limit=1&tags=even&sort=-created_at")]
    [InlineData("contacts?search=smith&limit=20")]
    public async Task Pages_show_each_hit_once_and_then_there_is_no_more(string query)
    {
        var made = new List<string>();
        for (var i = 0; i < 20; i++) made.Add(
            (await Api.Create("contacts",
                new
                {
                    first_name = $"Name{(char)('t' - i)}", last_name = i % 3 == 0 ? "Smithson" : "Smith",
                    tags = new[] { i % 2 == 0 ? "even" : "odd" }
                })).Id);
        await Server.Indexed();
        var expected = query.Contains("even", StringComparison.Ordinal) ? made.Where((_, i) => i % 2 == 0) : made;
        if (query.Contains("smiht", StringComparison.Ordinal)) expected = expected.Where(id => (made.IndexOf(id) % 3) != 0);

        var pages = await Api.Pages($"/v1/{query}");

        Assert.Equal(expected.Order(), pages.SelectMany(page => page.Ids).Order());
        Assert.All(pages,
            page => Assert.Equal(page.NextCursor is not null, page.Body.GetProperty("meta").GetProperty("pagination").GetProperty("has_more").GetBoolean()));
        Assert.NotEmpty(pages[^1].Ids);
    }

    [Fact]
    public async Task A_cursor_is_bound_to_its_search()
    {
        for (var i = 0; i < 3; i++) await Api.Create("contacts", new { first_name = "Jane" });
        var cursor = (await Search("contacts?search=jane&limit=1")).NextCursor;

        (await Api.Get($"/v1/contacts?search=bob&limit=1&cursor={cursor}")).IsInvalid("cursor");
        (await Api.Get($"/v1/contacts?search=jane&sort=email&limit=1&cursor={cursor}")).IsInvalid("cursor");
        (await Api.Get($"/v1/contacts?limit=1&cursor={cursor}")).IsInvalid("cursor");
        (await Api.Get($"/v1/search?q=jane&cursor={cursor}")).IsInvalid("cursor");
    }

    [Fact]
    public async Task What_can_not_be_searched_for_is_told()
    {
        (await Api.Get("/v1/contacts?search=")).IsInvalid("search");
        (await Api.Get("/v1/contacts?search=%20%20")).IsInvalid("search");
        (await Api.Get($"/v1/contacts?search={new string('a', 513)}")).IsInvalid("search");
        (await Api.Get($"/v1/contacts?search={Uri.EscapeDataString(string.Concat(Enumerable.Repeat("😀", 513)))}")).IsInvalid("search");
        (await Api.Get("/v1/contacts?search=a&search=b")).IsInvalid("search");
        (await Api.Get("/v1/pipelines?search=sales")).IsInvalid("search");
        (await Api.Get("/v1/tags?search=vip")).IsInvalid("search");
        (await Api.Get($"/v1/contacts?search={Uri.EscapeDataString(string.Concat(Enumerable.Repeat("😀", 512)))}")).Is(200);
        (await Api.Get($"/v1/contacts?search={new string('a', 512)}")).Is(200);
        (await Api.Get("/v1/contacts?search=%00%01jane%1b")).Is(200);
        (await Api.Get("/v1/contacts?search=%22%20OR%20*")).Is(200);
    }

    [Fact]
    public async Task What_was_deleted_is_not_found_and_what_was_changed_only_as_it_is()
    {
        var gone = await Api.Create("contacts", new { first_name = "Unmistakable" });
        var changed = await Api.Create("contacts", new { first_name = "Unmistakable" });
        Assert.Equal(2, (await Search("contacts?search=unmistakable")).Ids.Count);

        (await Api.Delete($"/v1/contacts/{gone.Id}")).Is(204);
        (await Api.Patch($"/v1/contacts/{changed.Id}", new { first_name = "Somebody" })).Is(200);

        // At once, whether or not the index has heard of it.
        Assert.Empty((await Api.Get("/v1/contacts?search=unmistakable")).Is(200).Ids);
        Assert.Empty((await Api.Get("/v1/contacts?search=unmistakable&sort=email")).Is(200).Ids);
        Assert.Equal([changed.Id], (await Search("contacts?search=somebody")).Ids);
    }

    [Fact]
    public async Task Nothing_of_another_workspace_or_environment_is_found()
    {
        var (other, test) = ((await Server.NewWorkspace()).Owner, await Api.InTest());
        await other.Create("contacts", new { first_name = "Unmistakable" });
        var tested = await test.Create("contacts", new { first_name = "Unmistakable" });

        Assert.Empty((await Search("contacts?search=unmistakable")).Ids);
        Assert.Empty((await Search("search?q=unmistakable")).Ids);
        Assert.Equal([tested.Id], (await test.Get("/v1/contacts?search=unmistakable")).Ids);
    }

    [Fact]
    public async Task Contacts_that_were_merged_are_found_as_the_one_they_went_into()
    {
        var target = await Api.Create("contacts", new { first_name = "Jane", last_name = "Target" });
        var source = await Api.Create("contacts", new { first_name = "Jane", last_name = "Source", title = "Astronaut" });
        (await Api.Post("/v1/contacts/merge", new { target_id = target.Id, source_ids = new[] { source.Id } })).Is(200);

        Assert.Equal([target.Id], (await Search("contacts?search=jane")).Ids);
        Assert.Equal([target.Id], (await Search("contacts?search=astronaut")).Ids);
        Assert.Empty((await Search("contacts?search=source")).Ids);
    }

    [Fact]
    public async Task A_tag_that_is_renamed_on_many_records_is_found_by_its_new_name()
    {
        var tag = await Api.Create("tags", new { name = "zeppelin" });
        await Api.Post(
            "/v1/contacts/batch", new { operations = Enumerable.Range(0, 60).Select(_ => new { op = "create", data = new { tags = new[] { "zeppelin" } } }) });
        (await Api.Patch($"/v1/tags/{tag.Id}", new { name = "airship" })).Is(200);
        await Server.Settled(Workspace);

        Assert.Equal(60, (await Search("contacts?search=airship&limit=100")).Ids.Count);
        Assert.Empty((await Search("contacts?search=zeppelin")).Ids);
    }

    private async Task<Reply> Search(string query)
    {
        await Server.Indexed();
        return (await Api.Get($"/v1/{query}")).Is(200);
    }
}
