using System.Text;
using System.Text.Json;
using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Lists;

public sealed class ListTests(Server server) : ApiTests(server)
{
    [Fact]
    public async Task At_most_10_keys_are_sorted_by()
    {
        static string Keys(int count) => string.Join(',', Enumerable.Range(0, count).Select(i => $"custom_fields[k{i}]"));
        (await Api.Get($"/v1/contacts?sort={Keys(10)}")).Is(200);
        (await Api.Get($"/v1/contacts?sort={Keys(11)}")).IsInvalid("sort");
    }

    [Fact]
    public async Task It_has_the_envelope_of_lists()
    {
        await Api.Create("contacts", new { });
        var reply = (await Api.Get("/v1/contacts")).Is(200);
        Assert.Equal(["data", "meta"], reply.Body.EnumerateObject().Select(p => p.Name));
        Assert.Equal(["request_id", "pagination"], reply.Body.GetProperty("meta").EnumerateObject().Select(p => p.Name));
        Assert.Equal("""{"next_cursor":null,"has_more":false}""", reply.Body.GetProperty("meta").GetProperty("pagination").GetRawText());
        Assert.Equal(reply.Header("X-Request-Id"), reply.Body.GetProperty("meta").GetProperty("request_id").GetString());
    }

    [Fact]
    public async Task There_are_20_by_default_and_100_at_most_newest_first()
    {
        var ids = (await Task.WhenAll(Enumerable.Range(0, 101).Select(_ => Api.Create("contacts", new { })))).Select(c => c.Id)
            .OrderDescending(StringComparer.Ordinal).ToList();
        Assert.Equal(ids.Take(20), (await Api.Get("/v1/contacts")).Ids);
        var first = await Api.Get("/v1/contacts?limit=100");
        Assert.Equal(ids.Take(100), first.Ids);
        Assert.True(first.Body.GetProperty("meta").GetProperty("pagination").GetProperty("has_more").GetBoolean());
        foreach (var limit in new[] { "0", "101", "-1", "1.5", "ten", "", "%2B5", "99999999999999999999" })
            (await Api.Get($"/v1/contacts?limit={limit}")).IsInvalid("limit");
    }

    [Theory]
    [InlineData("")]
    [InlineData("sort=created_at")]
    [InlineData("sort=first_name")]
    [InlineData("sort=-first_name,email")]
    [InlineData("sort=custom_fields[score],-created_at")]
    [InlineData("sort=-email&first_name=n")]
    public async Task Pages_show_everything_once_whatever_the_sort(string query)
    {
        var made = await Task.WhenAll(Enumerable.Range(0, 23).Select(i => Api.Create("contacts", new
        {
            first_name = $"n{i % 4}", email = i % 3 == 0 ? null : $"e{i % 7}.{i}@x.com",
            custom_fields = i % 2 == 0 ? new Dictionary<string, object>() : new() { ["score"] = i % 5 },
        })));
        var whole = (await Api.Get($"/v1/contacts?{query}&limit=100".Replace("?&", "?", StringComparison.Ordinal))).Is(200).Ids;
        Assert.Equal(made.Select(c => c.Id).Order(StringComparer.Ordinal), whole.Order(StringComparer.Ordinal));
        foreach (var limit in new[] { 1, 7, 22, 23 })
        {
            var pages = await Api.Pages($"/v1/contacts?{query}&limit={limit}".Replace("?&", "?", StringComparison.Ordinal));
            Assert.Equal(whole, pages.SelectMany(p => p.Ids));
            Assert.All(pages.SkipLast(1), p => Assert.Equal(limit, p.Ids.Count));
        }
    }

    [Fact]
    public async Task Rows_that_come_and_go_between_pages_make_no_other_row_repeat_or_vanish()
    {
        var ids = new List<string>();
        for (var i = 0; i < 12; i++) ids.Add((await Api.Create("contacts", new { })).Id);
        var first = await Api.Get("/v1/contacts?sort=created_at&limit=5");
        await Api.Delete($"/v1/contacts/{ids[4]}");
        await Api.Delete($"/v1/contacts/{ids[1]}");
        var late = (await Api.Create("contacts", new { })).Id;
        var rest = await Api.Pages(
            $"/v1/contacts?sort=created_at&limit=5&cursor={first.NextCursor}".Replace("&limit=5&cursor", "&limit=100&cursor", StringComparison.Ordinal));
        Assert.Equal([.. ids.Skip(5), late], rest.SelectMany(p => p.Ids));
    }

    [Fact]
    public async Task A_cursor_is_bound_to_its_sort_and_filters_but_not_to_the_limit()
    {
        for (var i = 0; i < 5; i++) await Api.Create("contacts", new { first_name = "n" });
        var cursor = (await Api.Get("/v1/contacts?first_name=n&limit=2")).NextCursor;
        Assert.Equal(3, (await Api.Get($"/v1/contacts?first_name=n&limit=50&cursor={cursor}")).Is(200).List.Count);
        foreach (var other in new[] { "", "first_name=m", "first_name=n&sort=email", "first_name=n&last_name=x" })
            (await Api.Get($"/v1/contacts?{other}&cursor={cursor}".Replace("?&", "?", StringComparison.Ordinal))).IsInvalid("cursor");
        (await Api.Get($"/v1/companies?cursor={cursor}")).IsInvalid("cursor");
        foreach (var broken in new[] { "", "x", cursor![..^4], cursor + "AAAA", new string('A', 10_000 / 2), "%00" })
            (await Api.Get($"/v1/contacts?first_name=n&cursor={broken}")).IsInvalid("cursor");
    }

    [Fact]
    public async Task A_forged_cursor_is_refused_or_finds_a_place_but_never_fails()
    {
        for (var i = 0; i < 3; i++) await Api.Create("contacts", new { });
        var genuine = JsonElement.Parse(Convert.FromBase64String(Pad((await Api.Get("/v1/contacts?limit=1")).NextCursor!)));
        var q = genuine.GetProperty("q").GetString();
        foreach (var rest in new[]
        {
            "\"v\":[null],\"id\":null", "\"v\":[],\"id\":\"ct_1\"", "\"v\":[{}],\"id\":\"ct_1\"", "\"v\":[[1]],\"id\":\"ct_1\"", "\"v\":[1e999],\"id\":\"x\"",
            "\"v\":5,\"id\":\"x\"",
            "\"v\":[true],\"id\":\"x\"", "\"v\":[1.5],\"id\":5", "\"v\":[\"\\ud800\"],\"id\":\"x\"", "\"v\":[\"2026\"]", "\"id\":\"x\"",
            "\"v\":[\"x\\u0000\"],\"id\":\"\\u0000\"",
        })
        {
            var forged = Convert.ToBase64String(Encoding.UTF8.GetBytes($$"""{"q":"{{q}}",{{rest}}}""")).Replace('+', '-').Replace('/', '_').TrimEnd('=');
            var reply = await Api.Get($"/v1/contacts?cursor={forged}");
            Assert.True(reply.Status is 200 or 400, $"{rest}: {reply.Status} {reply.Raw}");
        }
    }

    [Fact]
    public async Task Text_sorts_by_its_folded_form_nulls_first_ascending_and_last_descending()
    {
        foreach (var name in new[] { "beta", "Alpha", null, "ALPHA 2", "Émile" }) await Api.Create("contacts", new { first_name = name });
        async Task<IEnumerable<string?>> Names(string sort) =>
            (await Api.Get($"/v1/contacts?sort={sort}")).List.Select(c => c.GetProperty("attributes").GetProperty("first_name").GetString());
        Assert.Equal([null, "Alpha", "ALPHA 2", "beta", "Émile"], await Names("first_name"));
        Assert.Equal(["Émile", "beta", "ALPHA 2", "Alpha", null], await Names("-first_name"));
        foreach (var wrong in new[] { "phone", "", "first_name,first_name", "--first_name", "first_name,", "custom_fields[Bad]" })
            (await Api.Get($"/v1/contacts?sort={wrong}")).IsError(400, "VALIDATION_ERROR");
    }

    [Fact]
    public async Task Contacts_are_found_by_their_named_filters()
    {
        var company = (await Api.Create("companies", new { name = "Acme" })).Id;
        var jane = (await Api.Create("contacts",
            new
            {
                email = "Jane@Acme.com", first_name = "Jane", last_name = "O'Neil_100%", company_id = company, source = "Web",
                tags = new[] { "a", "b" }
            })).Id;
        var joe = (await Api.Create(
            "contacts", new { email = "joe@acme.com", first_name = "Joe", last_name = "Müller", source = "web", tags = new[] { "a" } })).Id;
        async Task Finds(string query, params string[] ids) => Assert.Equal(ids, (await Api.Get($"/v1/contacts?sort=created_at&{query}")).Is(200).Ids);

        await Finds("email=ACME", jane, joe);
        await Finds("email=jane@", jane);
        await Finds("first_name=jo", joe);
        await Finds("last_name=MÜLL", joe);
        await Finds("last_name=%27neil_100%25", jane);
        await Finds("last_name=%25", jane);
        await Finds("last_name=_", jane);
        await Finds("first_name=%25");
        await Finds("first_name=J_ne");
        await Finds($"company_id={company}", jane);
        await Finds("source=Web", jane);
        await Finds("source=we");
        await Finds("tags=a", jane, joe);
        await Finds("tags=b,a", jane);
        await Finds("tags=a&first_name=joe", joe);
        await Finds("custom_fields[nowhere]=x");
        (await Api.Get("/v1/contacts?company_id=acme")).IsInvalid("company_id");
    }

    [Fact]
    public async Task Companies_are_found_by_their_named_filters()
    {
        var acme = (await Api.Create(
            "companies", new { name = "Acme GmbH", domain = "acme.com", industry = "Steel works", size = "11-50", tags = new[] { "x" } })).Id;
        await Api.Create("companies", new { name = "Other", domain = "other.org", industry = "Trade", size = "1-10" });
        foreach (var query in new[] { "name=gmbh", "domain=ACME", "industry=steel", "size=11-50", "tags=x" })
            Assert.Equal([acme], (await Api.Get($"/v1/companies?{query}")).Is(200).Ids);
        Assert.Empty((await Api.Get("/v1/companies?size=11")).List);
    }

    [Fact]
    public async Task Deals_are_found_by_what_they_refer_to()
    {
        var pipeline = await NewPipeline();
        var (contact, company) = ((await Api.Create("contacts", new { })).Id, (await Api.Create("companies", new { name = "Acme" })).Id);
        var owner = Server.FreshId("usr_");
        var deal = (await Api.Create("deals",
            new
            {
                title = "T", pipeline_id = pipeline.Id, stage_id = StageId(pipeline, "Talks"), contact_id = contact, company_id = company,
                tags = new[] { "x" }
            })).Id;
        await Api.Create("deals", new { title = "U" });
        foreach (var query in new[] { $"pipeline_id={pipeline.Id}", $"stage_id={StageId(pipeline, "Talks")}", $"contact_id={contact}", $"company_id={company}",
            "tags=x" })
            Assert.Equal([deal], (await Api.Get($"/v1/deals?{query}")).Is(200).Ids);
        Assert.Empty((await Api.Get($"/v1/deals?owner_id={owner}")).Is(200).List);
    }

    [Fact]
    public async Task Operators_compare_every_filterable_field()
    {
        foreach (var (email,
            score) in new[] { ("a@x.com", 1), ("b@x.com", 2),
                ("c@y.com", 3) }) await Api.Create("contacts", new { email, custom_fields = new { score, plan = $"P{score}" } });
        await Api.Create("contacts", new { });
        async Task<int> Count(string query) => (await Api.Get($"/v1/contacts?{query}")).Is(200).List.Count;

        Assert.Equal(1, await Count("email[eq]=A@x.com"));
        Assert.Equal(3, await Count("email[neq]=A@x.com"));
        Assert.Equal(2, await Count("email[in]=a@x.com,c@y.com"));
        Assert.Equal(2, await Count("email[contains]=@x."));
        Assert.Equal(1, await Count("email[starts_with]=C"));
        Assert.Equal(1, await Count("email[exists]=false"));
        Assert.Equal(2, await Count("email[gte]=b@x.com"));
        Assert.Equal(2, await Count("custom_fields[score][gte]=2"));
        Assert.Equal(1, await Count("custom_fields[score][gt]=1&custom_fields[score][lt]=3"));
        Assert.Equal(1, await Count("custom_fields[plan]=p2"));
        Assert.Equal(4, await Count("created_at[gte]=2020-01-01&created_at[lt]=2099-01-01T00:00:00Z"));
        (await Api.Get("/v1/contacts?email[like]=x&created_at[gt]=yesterday&custom_fields[score][between]=1&email[exists]=maybe"))
            .IsInvalid("email[like]", "created_at[gt]", "custom_fields[score][between]", "email[exists]");
    }

    [Fact]
    public async Task A_large_whole_number_is_found_by_itself_alone()
    {
        var contact = await Api.Create("contacts", """{"custom_fields":{"account":9007199254740993}}""");
        await Api.Create("contacts", """{"custom_fields":{"account":9007199254740992}}""");
        Assert.Equal([contact.Id], (await Api.Get("/v1/contacts?custom_fields[account]=9007199254740993")).Is(200).Ids);
        Assert.Equal([contact.Id], (await Api.Get("/v1/contacts?custom_fields[account][gt]=9007199254740992")).Is(200).Ids);
    }

    [Theory]
    [InlineData("tags")]
    [InlineData("email[in]")]
    [InlineData("tags[in]")]
    public async Task A_comma_list_has_at_most_100_values(string parameter)
    {
        (await Api.Get($"/v1/contacts?{parameter}={string.Join(',', Enumerable.Repeat("a", 100))}")).Is(200);
        Assert.Equal("At most 100 values",
            (await Api.Get($"/v1/contacts?{parameter}={string.Join(',', Enumerable.Repeat("a", 1500))}")).IsInvalid(parameter).FaultOf(parameter));
    }

    [Theory]
    [InlineData("emial=x", "emial", "'email'")]
    [InlineData("limt=5", "limt", "'limit'")]
    [InlineData("phone=1", "phone", "Unknown query parameter")]
    [InlineData("Limit=5", "Limit", "'limit'")]
    [InlineData("email[]=x", "email[]", "")]
    [InlineData("email[eq=x", "email[eq", "Unknown")]
    [InlineData("[eq]=x", "[eq]", "Unknown")]
    [InlineData("metadata[x]=1", "metadata[x]", "Unknown")]
    [InlineData("custom_fields[]=1", "custom_fields[]", "")]
    [InlineData("custom_fields=1", "custom_fields", "Unknown")]
    [InlineData("=x", "", "Unknown")]
    [InlineData("email=a&email=b", "email", "twice")]
    [InlineData("first_name=%00", "first_name", "NUL")]
    public async Task An_unknown_or_unclear_parameter_is_refused(string query, string field, string says) =>
        Assert.Contains(says, (await Api.Get($"/v1/contacts?{query}")).IsInvalid(field).FaultOf(field), StringComparison.Ordinal);

    private static string Pad(string base64Url) => base64Url.Replace('-', '+').Replace('_', '/').PadRight((base64Url.Length + 3) / 4 * 4, '=');
}
