using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.CustomFields;

public sealed class ValueTests(Server server) : ApiTests(server)
{
    [Theory]
    [InlineData("text", "\"any\"", "5")]
    [InlineData("number", "-1.5e3", "\"5\"")]
    [InlineData("boolean", "false", "\"true\"")]
    [InlineData("boolean", "true", "1")]
    [InlineData("date", "\"2026-02-28\"", "\"2026-02-29\"")]
    [InlineData("date", "\"2026-02-28\"", "20260228")]
    [InlineData("select", "\"a\"", "\"A\"")]
    [InlineData("select", "\"b\"", "[\"b\"]")]
    [InlineData("multi_select", "[\"b\",\"a\"]", "[\"a\",\"c\"]")]
    [InlineData("multi_select", "[]", "\"a\"")]
    [InlineData("url", "\"https://acme.com/x?y\"", "\"acme.com\"")]
    [InlineData("url", "\"http://acme.com\"", "\"javascript:alert(1)\"")]
    [InlineData("email", "\"jane@acme.com\"", "\"jane\"")]
    [InlineData("phone", "\"+49 (30) 123-45\"", "\"call me\"")]
    [InlineData("phone", "\"110\"", "110")]
    public async Task A_value_is_checked_against_its_definition(string fieldType, string fits, string doesNot)
    {
        await Define("contact", "x", fieldType, fieldType.EndsWith("select", StringComparison.Ordinal) ? ["a", "b"] : null);
        var contact = await Api.Create("contacts", $$$"""{"custom_fields":{"x":{{{fits}}}}}""");
        Assert.Equal(fits, contact["custom_fields"].GetProperty("x").GetRawText());
        (await Api.Post("/v1/contacts", $$$"""{"custom_fields":{"x":{{{doesNot}}}}}""")).IsInvalid("custom_fields.x");
        (await Api.Patch($"/v1/contacts/{contact.Id}", $$$"""{"custom_fields":{"x":{{{doesNot}}}}}""")).IsInvalid("custom_fields.x");
        (await Api.Put($"/v1/contacts/{contact.Id}/custom-fields", $$"""{"x":{{doesNot}}}""")).IsInvalid("custom_fields.x");
        Assert.Equal(fits, (await Api.Get($"/v1/contacts/{contact.Id}"))["custom_fields"].GetProperty("x").GetRawText());
    }

    [Fact]
    public async Task A_required_value_can_not_be_left_out_on_create_nor_cleared()
    {
        await Define("deal", "reason", "text", isRequired: true);
        (await Api.Post("/v1/deals", """{"title":"T"}""")).IsInvalid("custom_fields.reason");
        (await Api.Post("/v1/deals", """{"title":"T","custom_fields":{"reason":null}}""")).IsInvalid("custom_fields.reason");
        (await Api.Post("/v1/deals", """{"custom_fields":{"other":1}}""")).IsInvalid("title", "custom_fields.reason");
        var deal = await Api.Create("deals", """{"title":"T","custom_fields":{"reason":"r"}}""");
        (await Api.Patch($"/v1/deals/{deal.Id}", """{"custom_fields":{"reason":null}}""")).IsInvalid("custom_fields.reason");
        (await Api.Patch($"/v1/deals/{deal.Id}", """{"custom_fields":null}""")).IsInvalid("custom_fields.reason");
        (await Api.Patch($"/v1/deals/{deal.Id}", """{"title":"U"}""")).Is(200);
        await Api.Create("contacts", new { });
    }

    [Fact]
    public async Task The_records_own_custom_fields_and_the_values_are_the_same_data()
    {
        var field = await Define("contact", "score", "number");
        var contact = await Api.Create("contacts", """{"custom_fields":{"score":1,"free":"x"}}""");
        var path = $"/v1/contacts/{contact.Id}/custom-fields";

        var read = (await Api.Get(path)).Is(200);
        var value = Assert.Single(read.List);
        var attributes = value.GetProperty("attributes");
        Assert.Equal("custom_field_value", value.GetProperty("type").GetString());
        Assert.Matches("^cfv_[0-9A-Za-z]{20}$", value.GetProperty("id").GetString());
        Assert.Equal(["id", "field_definition_id", "slug", "name", "field_type", "value"], attributes.EnumerateObject().Select(p => p.Name));
        Assert.Equal((value.GetProperty("id").GetString(), field.Id, "score", "number", "1"), (attributes.GetProperty("id").GetString(),
            attributes.GetProperty("field_definition_id").GetString(), attributes.GetProperty("slug").GetString(),
            attributes.GetProperty("field_type").GetString(), attributes.GetProperty("value").GetRawText()));

        var written = (await Api.Put(path, new { score = 92 })).Is(200);
        Assert.Equal(read.Ids, written.Ids);
        Assert.Equal("""{"score":92,"free":"x"}""", (await Api.Get($"/v1/contacts/{contact.Id}")).Json("custom_fields"));
    }

    [Theory]
    [InlineData("contacts", "contact", """{}""")]
    [InlineData("companies", "company", """{"name":"N"}""")]
    [InlineData("deals", "deal", """{"title":"T"}""")]
    [InlineData("activities", "activity", """{"type":"note"}""")]
    public async Task Both_forms_of_the_body_change_only_the_slugs_given(string collection, string entityType, string body)
    {
        await Define(entityType, "a", "text");
        await Define(entityType, "b", "text");
        var record = await Api.Create(collection, body);
        var path = $"/v1/{collection}/{record.Id}/custom-fields";
        (await Api.Put(path, """{"fields":{"a":"1"}}""")).Is(200);
        Assert.Equal(2, (await Api.Put(path, """{"b":"2"}""")).Is(200).List.Count);
        (await Api.Put(path, """{"fields":{"a":null}}""")).Is(200);
        Assert.Equal("""{"b":"2"}""", (await Api.Get($"/v1/{collection}/{record.Id}")).Json("custom_fields"));
    }

    [Fact]
    public async Task A_field_may_be_called_fields()
    {
        await Define("contact", "fields", "text");
        var contact = await Api.Create("contacts", new { });
        (await Api.Put($"/v1/contacts/{contact.Id}/custom-fields", new { fields = "x" })).Is(200);
        Assert.Equal("""{"fields":"x"}""", (await Api.Get($"/v1/contacts/{contact.Id}")).Json("custom_fields"));
    }

    [Fact]
    public async Task An_undefined_slug_is_named_with_the_nearest_one_and_nothing_changes()
    {
        await Define("contact", "score", "number");
        var contact = await Api.Create("contacts", """{"custom_fields":{"free":1}}""");
        var path = $"/v1/contacts/{contact.Id}/custom-fields";
        Assert.Contains("'score'", (await Api.Put(path, new { scroe = 1, score = 2 })).IsInvalid("scroe").FaultOf("scroe"), StringComparison.Ordinal);
        (await Api.Put(path, new { free = 2 })).IsInvalid("free");
        (await Api.Put(path, new { fields = 2 })).IsInvalid("fields");
        Assert.Equal("""{"free":1}""", (await Api.Get($"/v1/contacts/{contact.Id}")).Json("custom_fields"));
    }

    [Fact]
    public async Task Values_are_changed_under_if_match_and_the_change_is_an_event_of_the_record()
    {
        await Define("contact", "score", "number");
        var contact = await Api.Create("contacts", new { });
        var path = $"/v1/contacts/{contact.Id}/custom-fields";
        (await Api.Put(path, new { score = 1 }, ("If-Match", "\"9\""))).IsError(412, "PRECONDITION_FAILED");
        (await Api.Put(path, new { score = 1 }, ("If-Match", contact.ETag))).Is(200);
        Assert.Equal("""{"custom_fields":{}}""", (await Server.EventsOf(Workspace, contact.Id))[^1].GetProperty("previous_attributes").GetRawText());
    }

    [Fact]
    public async Task Clients_that_set_different_values_at_once_do_not_undo_each_other()
    {
        await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Define("contact", $"f{i}", "number")));
        var contact = await Api.Create("contacts", new { });
        var replies = await Task.WhenAll(
            Enumerable.Range(0, 12).Select(i => Api.Put($"/v1/contacts/{contact.Id}/custom-fields", new Dictionary<string, int> { [$"f{i}"] = i })));
        Assert.All(replies, r => r.Is(200));
        Assert.Equal(12, (await Api.Get($"/v1/contacts/{contact.Id}/custom-fields")).List.Count);
    }
}
