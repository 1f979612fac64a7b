using NodeStash.Contract.Tests.Running;

namespace NodeStash.Contract.Tests;

/// <summary>docs/api/v1.md: <c>search=</c> on lists, <c>GET /v1/search</c>.</summary>
public sealed class SearchTests(Deployment deployment) : ContractTests(deployment)
{
    [Theory]
    [InlineData("contacts", "first_name")]
    [InlineData("companies", "name")]
    [InlineData("deals", "title")]
    [InlineData("activities", "subject")]
    public async Task Every_searched_resource_is_found_in_its_list_and_across_all(string collection, string field)
    {
        var made = await Create(collection, collection is "activities" ? Map((field, $"Name {Unique}"), ("type", "note")) : Map((field, $"Name {Unique}")));

        Assert.Equal([made.Id], (await Found($"{collection}?search={Unique}", 1)).Ids);
        var across = (await Found($"search?q={Unique}", 1)).List.Single();
        Assert.Equal(("search_result", made.Id), ((string)across["type"]!, (string)across["id"]!));
        Assert.Equal(made.Attributes.ToJsonString(), across["attributes"]!["resource"]!.ToJsonString());
    }

    [Fact]
    public async Task Records_of_custom_objects_are_found_in_their_list_and_across_all_by_the_slug_of_their_object()
    {
        var definition = (await Api.Post("objects", new { singular_name = "Project", plural_name = Unique })).Is(201);
        MadeIds("objects", [$"{definition.Id}?force=true"]);
        var (records, contact) = ($"objects/{Unique}/records", await Contact(new { last_name = $"Zeppelin {Unique}" }));
        var made = await Create(records, new { name = $"Zeppelin {Unique}", custom_fields = new { note = "Friedrichshafen" } });

        Assert.Equal([made.Id], (await Found($"{records}?search={Unique}", 1)).Ids);
        Assert.Equal([made.Id], (await Api.Get($"{records}?search=zepelin frie&name=zepp")).Is(200).Ids);
        var across = (await Found($"search?q={Unique} zeppelin", 2)).List;
        Assert.Equal(["contact", Unique], across.Select(result => (string?)result["attributes"]!["resource_type"]));
        Assert.Equal("name", (string?)across[1]["attributes"]!["highlights"]![0]!["field"]);
        Assert.Equal([made.Id], (await Api.Get($"search?q={Unique}&types={Unique}")).Is(200).Ids);
        Assert.Equal([contact.Id], (await (await WithScopes(["contacts:read"])).Get($"search?q={Unique}")).Is(200).Ids);
        (await (await WithScopes(["contacts:read"])).Get($"search?q={Unique}&types={Unique}")).IsError(403, "INSUFFICIENT_SCOPE");
        (await Api.Get($"search?q={Unique}&types={Unique}x")).IsInvalid("types");

        (await Api.Delete($"{records}/{made.Id}")).Is(204);
        Assert.Equal([contact.Id], (await Api.Get($"search?q={Unique}")).Is(200).Ids);
    }

    [Fact]
    public async Task A_search_tolerates_typos_combines_with_filters_and_ranks_by_relevance()
    {
        var (exact, begun) = (await Contact(new { first_name = "Maria", last_name = Unique, tags = new[] { "vip" } }),
            await Contact(new { first_name = "Mariana", last_name = Unique }));
        await Found($"contacts?search={Unique}", 2);

        Assert.Equal([exact.Id, begun.Id], (await Api.Get($"contacts?search={Unique} maria")).Is(200).Ids);
        Assert.Equal([exact.Id], (await Api.Get($"contacts?search=mraia {Unique}")).Is(200).Ids);
        Assert.Equal([exact.Id], (await Api.Get($"contacts?search={Unique}&tags=vip")).Is(200).Ids);
        Assert.Equal([begun.Id, exact.Id], (await Api.Get($"contacts?search={Unique}&sort=-first_name")).Is(200).Ids);
    }

    [Fact]
    public async Task Pages_go_on_by_cursor()
    {
        for (var i = 0; i < 3; i++) await Contact(new { last_name = Unique });
        await Found($"contacts?search={Unique}", 3);

        var pages = await Api.Pages($"contacts?search={Unique}&limit=2");

        Assert.Equal([2, 1], pages.Select(page => page.Ids.Count));
        Assert.Equal([true, false], pages.Select(page => page.HasMore));
    }

    [Fact]
    public async Task What_is_deleted_is_not_found_any_more()
    {
        var contact = await Contact(new { last_name = Unique });
        await Found($"contacts?search={Unique}", 1);

        (await Api.Delete($"contacts/{contact.Id}")).Is(204);

        Assert.Empty((await Api.Get($"contacts?search={Unique}")).Is(200).Ids);
        Assert.Empty((await Api.Get($"search?q={Unique}")).Is(200).Ids);
    }

    [Fact]
    public async Task A_search_takes_the_read_scope_of_each_type()
    {
        var caller = await WithScopes(["contacts:read"]);

        (await caller.Get("search?q=a&types=contact")).Is(200);
        (await caller.Get("search?q=a&types=contact,deal")).IsError(403, "INSUFFICIENT_SCOPE");
        (await caller.Get("deals?search=a")).IsError(403, "INSUFFICIENT_SCOPE");
    }

    [Fact]
    public async Task What_is_searched_for_has_1_to_512_characters()
    {
        (await Api.Get("contacts?search=")).IsInvalid("search");
        (await Api.Get($"contacts?search={new string('a', 513)}")).IsInvalid("search");
        (await Api.Get($"search?q={new string('a', 513)}")).IsInvalid("q");
        (await Api.Get("search?types=contact")).IsInvalid("q");
        (await Api.Get("contacts?search=%22)%20OR%20NOT%20*%20%7Bname%7D")).Is(200);
    }

    /// <summary>What is written is found a moment later: the answer once it has so many.</summary>
    private async Task<Answer> Found(string path, int count)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1), TimeProvider.System);
        while (true)
        {
            var answer = (await Api.Get(path)).Is(200);
            if (answer.Ids.Count >= count || patience.IsCancellationRequested) return answer;
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
        }
    }
}
