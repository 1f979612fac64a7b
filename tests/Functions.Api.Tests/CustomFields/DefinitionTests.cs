using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.CustomFields;

public sealed class DefinitionTests(Server server) : ApiTests(server)
{
    [Fact]
    public async Task It_is_answered_whole_with_a_slug_made_of_its_name()
    {
        var field = await Api.Create("custom-fields", new { entity_type = "contact", name = "Lead Score (2026)", field_type = "number" });
        Assert.Equal("custom_field_definition", field.Data.GetProperty("type").GetString());
        Assert.StartsWith("cf_", field.Id, StringComparison.Ordinal);
        Assert.Equal(
            ["id", "entity_type", "name", "slug", "field_type", "description", "is_required", "options", "display_order", "created_at", "updated_at"],
            field.Data.GetProperty("attributes").EnumerateObject().Select(p => p.Name));
        Assert.Equal("lead_score_2026", field.Text("slug"));
        Assert.Equal(
            ("null", "false", "null", "0"), (field.Json("description"), field.Json("is_required"), field.Json("options"), field.Json("display_order")));
    }

    [Theory]
    [InlineData("""{}""", "entity_type", "name", "field_type")]
    [InlineData("""{"entity_type":"pipeline","name":"N","field_type":"color"}""", "entity_type", "field_type")]
    [InlineData("""{"entity_type":"contact","name":"N","field_type":"text","slug":"Not a slug"}""", "slug")]
    [InlineData("""{"entity_type":"contact","name":"N","field_type":"text","slug":"1st"}""", "slug")]
    [InlineData("""{"entity_type":"contact","name":"漢字","field_type":"text"}""", "slug")]
    [InlineData("""{"entity_type":"contact","name":"N","field_type":"select"}""", "options")]
    [InlineData("""{"entity_type":"contact","name":"N","field_type":"multi_select","options":[]}""", "options")]
    [InlineData("""{"entity_type":"contact","name":"N","field_type":"text","options":["a"]}""", "options")]
    [InlineData("""{"entity_type":"contact","name":"N","field_type":"select","options":["a","A"]}""", "options")]
    [InlineData("""{"entity_type":"contact","name":"N","field_type":"select","options":["a",1,null]}""", "options[1]", "options[2]")]
    [InlineData("""{"entity_type":"contact","name":"N","field_type":"text","display_order":1.5,"is_required":1}""", "display_order", "is_required")]
    public async Task A_faulty_definition_is_refused(string body, params string[] fields) => (await Api.Post("/v1/custom-fields", body)).IsInvalid(fields);

    [Fact]
    public async Task Names_slugs_and_options_have_limits()
    {
        await Api.Create("custom-fields", new { entity_type = "deal", name = new string('n', 200), slug = new string('s', 100), field_type = "text" });
        (await Api.Post("/v1/custom-fields",
            new { entity_type = "deal", name = new string('n', 201), slug = new string('s', 101), field_type = "text" })).IsInvalid("name", "slug");
        var options = Enumerable.Range(0, 200).Select(i => $"o{i}").ToArray();
        await Define("deal", "many", "select", options);
        (await Api.Post("/v1/custom-fields", new { entity_type = "deal", name = "More", field_type = "select", options = options.Append("x") })).IsInvalid(
            "options");
    }

    [Fact]
    public async Task The_same_slug_for_the_same_entity_type_is_a_conflict()
    {
        await Define("contact", "plan", "text");
        (await Api.Post("/v1/custom-fields", new { entity_type = "contact", name = "Plan", field_type = "number" })).IsError(409, "CONFLICT", "slug");
        await Define("company", "plan", "text");
    }

    [Fact]
    public async Task Entity_type_slug_and_field_type_never_change()
    {
        var field = await Define("contact", "plan", "text");
        (await Api.Patch($"/v1/custom-fields/{field.Id}", new { entity_type = "deal", slug = "other", field_type = "number" })).IsInvalid(
            "entity_type", "slug", "field_type");
        var reply = (await Api.Patch($"/v1/custom-fields/{field.Id}",
            new { entity_type = "contact", slug = "plan", field_type = "text", name = "New", description = "D", display_order = 4 })).Is(200);
        Assert.Equal(("New", "D", 4), (reply.Text("name"), reply.Text("description"), reply["display_order"].GetInt32()));
    }

    [Fact]
    public async Task The_list_is_filtered_by_entity_type_and_sorted()
    {
        var (b, a, other) = (await Define("contact", "bb", "text"), await Define("contact", "aa", "text"), await Define("deal", "cc", "text"));
        await Api.Patch($"/v1/custom-fields/{b.Id}", new { display_order = 5 });
        Assert.Equal([other.Id, a.Id, b.Id], (await Api.Get("/v1/custom-fields")).Ids);
        Assert.Equal([a.Id, b.Id], (await Api.Get("/v1/custom-fields?entity_type=contact&sort=name")).Ids);
        Assert.Equal([b.Id, a.Id], (await Api.Get("/v1/custom-fields?entity_type=contact&sort=-display_order")).Ids);
        (await Api.Get("/v1/custom-fields?entity_type=contacts")).IsInvalid("entity_type");
        (await Api.Get("/v1/custom-fields?sort=slug")).IsInvalid("sort");
    }

    [Fact]
    public async Task Defining_a_slug_later_tells_how_many_stored_values_do_not_fit()
    {
        foreach (var value in new[] { "1", "\"two\"", "3.5", "[4]", "{}" }) await Api.Create("contacts", $$$"""{"custom_fields":{"score":{{{value}}}}}""");
        var field = await Define("contact", "score", "number");
        Assert.Equal(3, field.Body.GetProperty("meta").GetProperty("values_not_fitting").GetInt64());
    }

    [Theory]
    [InlineData("[4]")]
    [InlineData("""["a",4]""")]
    [InlineData("""{"x":1}""")]
    public async Task Values_that_did_not_fit_are_deleted_with_it(string value)
    {
        var contact = await Api.Create("contacts", $$$"""{"custom_fields":{"score":{{{value}}},"free":1}}""");
        Assert.Equal([contact.Id], (await Api.Get("/v1/contacts?custom_fields[score][exists]=true")).Ids);
        var field = await Define("contact", "score", "number");
        (await Api.Delete($"/v1/custom-fields/{field.Id}")).Is(204);
        Assert.Equal("""{"free":1}""", (await Api.Get($"/v1/contacts/{contact.Id}")).Json("custom_fields"));
    }

    [Fact]
    public async Task Values_that_did_not_fit_stay_until_they_are_changed()
    {
        var contact = await Api.Create("contacts", """{"custom_fields":{"score":"high"}}""");
        await Define("contact", "score", "number");
        (await Api.Patch($"/v1/contacts/{contact.Id}", """{"custom_fields":{"other":1}}""")).Is(200);
        (await Api.Patch($"/v1/contacts/{contact.Id}", """{"custom_fields":{"score":"higher"}}""")).IsInvalid("custom_fields.score");
        (await Api.Patch($"/v1/contacts/{contact.Id}", """{"custom_fields":{"score":7}}""")).Is(200);
    }

    [Theory]
    [InlineData("select", "\"free\"", "\"pro\"", null)]
    [InlineData("multi_select", """["free"]""", """["pro"]""", null)]
    [InlineData("multi_select", """["pro","free"]""", """["pro"]""", """["pro"]""")]
    public async Task Removing_an_option_in_use_takes_force_which_clears_it(string fieldType, string used, string kept, string? left)
    {
        var field = await Define("contact", "plan", fieldType, ["free", "pro", "unused"]);
        var uses = await Api.Create("contacts", $$$"""{"custom_fields":{"plan":{{{used}}},"x":1}}""");
        var keeps = await Api.Create("contacts", $$$"""{"custom_fields":{"plan":{{{kept}}}}}""");
        var path = $"/v1/custom-fields/{field.Id}";

        (await Api.Patch(path, new { options = new[] { "free", "pro" } })).Is(200);
        var reply = (await Api.Patch(path, new { options = new[] { "pro" } })).IsError(409, "CONFLICT", "options");
        Assert.Contains("'free' is in use by 1 contacts", reply.Message, StringComparison.Ordinal);
        (await Api.Patch($"{path}?force=false", new { options = new[] { "pro" } })).IsError(409, "CONFLICT");
        (await Api.Patch($"{path}?force=perhaps", new { options = new[] { "pro" } })).IsInvalid("force");

        Assert.Equal("""["pro"]""", (await Api.Patch($"{path}?force=true", new { options = new[] { "pro" } })).Is(200).Json("options"));
        Assert.Equal(left is null ? """{"x":1}""" : $$"""{"plan":{{left}},"x":1}""", (await Api.Get($"/v1/contacts/{uses.Id}")).Json("custom_fields"));
        Assert.Equal($$$"""{"plan":{{{kept}}}}""", (await Api.Get($"/v1/contacts/{keeps.Id}")).Json("custom_fields"));
    }

    [Fact]
    public async Task A_refused_update_with_force_clears_nothing()
    {
        var field = await Define("contact", "plan", "select", ["free", "pro"]);
        var contact = await Api.Create("contacts", """{"custom_fields":{"plan":"free"}}""");
        (await Api.Patch($"/v1/custom-fields/{field.Id}?force=true", """{"options":["pro"],"name":null}""")).IsInvalid("name");
        (await Api.Patch($"/v1/custom-fields/{field.Id}?force=true", """{"options":["pro","PRO"]}""")).IsInvalid("options");
        (await Api.Patch($"/v1/custom-fields/{field.Id}?force=true", """{"options":[]}""")).IsInvalid("options");
        Assert.Equal("""{"plan":"free"}""", (await Api.Get($"/v1/contacts/{contact.Id}")).Json("custom_fields"));
    }

    [Theory]
    [InlineData("contact", "contacts", """{"custom_fields":{"plan":"a","free":1}}""")]
    [InlineData("company", "companies", """{"name":"N","custom_fields":{"plan":"a","free":1}}""")]
    [InlineData("deal", "deals", """{"title":"T","custom_fields":{"plan":"a","free":1}}""")]
    [InlineData("activity", "activities", """{"type":"note","custom_fields":{"plan":"a","free":1}}""")]
    public async Task Deleting_it_deletes_its_values_everywhere(string entityType, string collection, string body)
    {
        var field = await Define(entityType, "plan", "text");
        var records = await Task.WhenAll(Enumerable.Range(0, 45).Select(_ => Api.Create(collection, body)));
        (await Api.Delete($"/v1/custom-fields/{field.Id}")).Is(204);

        (await Api.Get($"/v1/custom-fields/{field.Id}")).IsNotFound();
        Assert.Empty((await Api.Get($"/v1/{collection}?custom_fields[plan]=a")).List);
        foreach (var record in records) Assert.Equal("""{"free":1}""", (await Api.Get($"/v1/{collection}/{record.Id}")).Json("custom_fields"));
        await Server.Settled(Workspace);
        await Define(entityType, "plan", "number");
    }

    [Fact]
    public async Task Many_options_are_taken_away_at_once()
    {
        var field = await Define("contact", "size", "select", [.. Enumerable.Range(0, 200).Select(i => $"option {i}")]);
        await Api.Create("contacts", new { custom_fields = new { size = "option 7" } });

        (await Api.Patch($"/v1/custom-fields/{field.Id}", new { options = new[] { "option 7", "option 8" } })).Is(200);
        (await Api.Patch($"/v1/custom-fields/{field.Id}", new { options = new[] { "option 8" } })).IsError(409, "CONFLICT");
        (await Api.Patch($"/v1/custom-fields/{field.Id}?force=true", new { options = new[] { "option 8" } })).Is(200);
        Assert.Empty((await Api.Get("/v1/contacts?custom_fields[size][exists]=true")).List);
    }

    [Fact]
    public async Task Force_leaves_what_never_was_an_option()
    {
        var contact = await Api.Create("contacts", new { custom_fields = new { langs = new object[] { 1, "en" } } });
        var field = await Define("contact", "langs", "multi_select", ["en", "de"]);

        (await Api.Patch($"/v1/custom-fields/{field.Id}?force=true", new { options = new[] { "de" } })).Is(200);
        Assert.Equal("""{"langs":[1]}""", (await Api.Get($"/v1/contacts/{contact.Id}"))["custom_fields"].GetRawText());
    }
}
