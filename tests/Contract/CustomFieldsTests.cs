using System.Text.Json.Nodes;
using NodeStash.Contract.Tests.Running;

namespace NodeStash.Contract.Tests;

/// <summary>The API's contract, Custom fields.</summary>
public sealed class CustomFieldsTests(Deployment deployment) : ContractTests(deployment)
{
    [Fact]
    public async Task A_definition_has_these_attributes() =>
        Assert.Equal(
            ["id", "entity_type", "name", "slug", "field_type", "description", "is_required", "options", "display_order", "created_at", "updated_at"],
            (await Define("contact", "text")).Attributes.Select(member => member.Key));

    [Theory]
    [InlineData("contact")]
    [InlineData("company")]
    [InlineData("deal")]
    [InlineData("activity")]
    public async Task An_entity_type_is_one_of_these(string entityType) => Assert.Equal($"\"{entityType}\"", (await Define(entityType, "text"))["entity_type"]);

    [Fact]
    public async Task A_slug_is_made_from_the_name_when_omitted()
    {
        var field = await Create("custom-fields", new { entity_type = "contact", name = $"Lead  Score {Unique}", field_type = "number" });

        Assert.Equal($"\"lead_score_{Unique}\"", field["slug"]);
    }

    [Theory]
    [InlineData("Lead")]
    [InlineData("1st")]
    [InlineData("lead-score")]
    [InlineData("_lead")]
    [InlineData("")]
    public async Task A_slug_is_a_letter_then_letters_digits_and_underscores(string slug) =>
        (await Api.Post("custom-fields", new { entity_type = "contact", name = "Field", slug, field_type = "text" })).IsInvalid("slug");

    [Fact]
    public async Task A_slug_has_at_most_100_characters_and_a_name_200()
    {
        (await Api.Post("custom-fields", new { entity_type = "contact", name = "Field", slug = new string('a', 101), field_type = "text" })).IsInvalid("slug");
        (await Api.Post("custom-fields", new { entity_type = "contact", name = new string('a', 201), slug = Unique, field_type = "text" })).IsInvalid("name");
        await Create("custom-fields", new { entity_type = "contact", name = new string('a', 200), slug = Unique.PadRight(100, 'a'), field_type = "text" });
    }

    [Fact]
    public async Task Options_are_required_for_select_and_multi_select_and_null_otherwise()
    {
        foreach (var type in new[] { "select", "multi_select" })
        {
            (await Api.Post("custom-fields", new { entity_type = "contact", name = "Field", slug = Unique, field_type = type })).IsInvalid("options");
            (await Api.Post("custom-fields",
                new { entity_type = "contact", name = "Field", slug = Unique, field_type = type, options = Array.Empty<string>() })).IsInvalid("options");
        }

        (await Api.Post("custom-fields",
            new { entity_type = "contact", name = "Field", slug = Unique, field_type = "text", options = new[] { "a" } })).IsInvalid("options");
        (await Api.Post("custom-fields",
            new
            {
                entity_type = "contact", name = "Field", slug = Unique, field_type = "select",
                options = Enumerable.Range(0, 201).Select(i => $"o{i}")
            })).IsInvalid("options");
        Assert.Equal("null", (await Define("contact", "text"))["options"]);
    }

    [Fact]
    public async Task Entity_type_slug_and_field_type_never_change()
    {
        var field = await Define("contact", "text");

        (await Api.Patch($"custom-fields/{field.Id}", new { entity_type = "deal", slug = Unique + "x", field_type = "number" })).IsInvalid(
            "entity_type", "slug", "field_type");
        Assert.Equal("\"Other\"", (await Api.Patch($"custom-fields/{field.Id}", new { name = "Other" })).Is(200)["name"]);
    }

    [Fact]
    public async Task Entity_type_and_slug_are_unique_together()
    {
        await Define("contact", "text");

        (await Api.Post("custom-fields", new { entity_type = "contact", name = "Field", slug = Unique, field_type = "number" })).IsError(409, "CONFLICT");
        await Define("deal", "text");
    }

    [Fact]
    public async Task Definitions_filter_by_entity_type_and_sort_by_created_at_updated_at_name_and_display_order()
    {
        await Create("custom-fields", new { entity_type = "activity", name = "b", slug = $"{Unique}_b", field_type = "text", display_order = 1 });
        await Create("custom-fields", new { entity_type = "activity", name = "a", slug = $"{Unique}_a", field_type = "text", display_order = 2 });
        async Task<string> Order(string sort) =>
            string.Join(' ', (await Api.Pages($"custom-fields?entity_type=activity&limit=100&sort={sort}")).SelectMany(p => p.List)
            .Select(f => (string)f["attributes"]!["slug"]!).Where(slug => slug.StartsWith(Unique, StringComparison.Ordinal)).Select(slug => slug[^1..]));

        Assert.Equal(("a b", "b a", "b a", "a b"), (await Order("name"), await Order("display_order"), await Order("created_at"), await Order("-updated_at")));
        Assert.All((await Api.Get("custom-fields?entity_type=activity")).List, f => Assert.Equal("\"activity\"", f.Attribute("entity_type")));
    }

    [Theory]
    [InlineData("text", "\"any text\"", "5")]
    [InlineData("number", "4.5", "\"4.5\"")]
    [InlineData("boolean", "true", "\"true\"")]
    [InlineData("date", "\"2026-03-31\"", "\"31.3.2026\"")]
    [InlineData("select", "\"a\"", "\"c\"")]
    [InlineData("multi_select", "[\"a\",\"b\"]", "[\"a\",\"c\"]")]
    [InlineData("url", "\"https://example.com/x\"", "\"example\"")]
    [InlineData("email", "\"jane@example.com\"", "\"jane\"")]
    [InlineData("phone", "\"+49 30 1234\"", "\"call me\"")]
    public async Task A_value_is_checked_against_its_definition(string type, string right, string wrong)
    {
        await Define("contact", type, type.EndsWith("select", StringComparison.Ordinal) ? ["a", "b"] : null);

        var contact = await Contact($$"""{"custom_fields":{"{{Unique}}":{{right}} } }""");
        Assert.Equal(right, contact.Attributes["custom_fields"]![Unique].Compact());
        (await Api.Post("contacts", $$"""{"custom_fields":{"{{Unique}}":{{wrong}} } }""")).IsInvalid($"custom_fields.{Unique}");
        (await Api.Put($"contacts/{contact.Id}/custom-fields", $$"""{"{{Unique}}":{{wrong}}}""")).IsInvalid($"custom_fields.{Unique}");
    }

    [Fact]
    public async Task A_required_one_missing_on_create_is_400()
    {
        // On activities, and deleted at once: what is required holds for all of the workspace.
        var field = await Define("activity", "text", isRequired: true);

        var refused = await Api.Post("activities", new { type = "note" });
        var created = await Api.Post("activities", new { type = "note", custom_fields = Map((Unique, "x")) });
        (await Api.Delete($"custom-fields/{field.Id}")).Is(204);

        refused.IsInvalid($"custom_fields.{Unique}");
        Made(created.Is(201), "activities");
    }

    [Fact]
    public async Task Free_form_ones_are_stored_as_given_any_JSON()
    {
        const string Values = """{"a":"text","b":1.50,"c":true,"d":{"x":[1,null,{"y":"z"}]},"e":[],"f":"漢字 😀"}""";

        var contact = await Contact($$"""{"custom_fields":{{Values}}}""");

        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Values), (await Api.Get($"contacts/{contact.Id}")).Attributes["custom_fields"]), contact.Text);
    }

    [Fact]
    public async Task There_are_at_most_100_keys_and_32_KiB_in_all_with_the_slug_pattern()
    {
        await Contact(new { custom_fields = Enumerable.Range(0, 100).ToDictionary(i => $"f{i}", i => i) });
        (await Api.Post("contacts", new { custom_fields = Enumerable.Range(0, 101).ToDictionary(i => $"f{i}", i => i) })).IsInvalid("custom_fields");
        (await Api.Post("contacts", new { custom_fields = new { a = new string('x', 33 * 1024) } })).IsInvalid("custom_fields");
        (await Api.Post("contacts", """{"custom_fields":{"Not A Slug":1}}""")).IsInvalid("custom_fields.Not A Slug");
    }

    [Fact]
    public async Task Free_form_ones_are_filtered_and_sorted_by_their_JSON_type()
    {
        foreach (var score in new object[] { 9, 10, "10", "9" }) await Contact(new { source = Unique, custom_fields = new { score } });
        async Task<string> Found(string query) =>
            string.Join(' ',
                (await Api.Get($"contacts?source={Unique}&{query}")).Is(200).List.Select(c => c["attributes"]!["custom_fields"]!["score"].Compact()));

        Assert.Equal("9 10", await Found("custom_fields[score][gte]=9&custom_fields[score][lt]=11&sort=custom_fields[score]"));
        Assert.Equal("10 \"10\"", string.Join(' ', (await Found("custom_fields[score]=10")).Split(' ').Order(StringComparer.Ordinal).Reverse()));
        var sorted = await Found("sort=custom_fields[score]");
        Assert.Contains("9 10", sorted, StringComparison.Ordinal);
        Assert.Contains("\"10\" \"9\"", sorted, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Defining_a_slug_later_checks_from_then_on_and_answers_how_many_stored_values_do_not_fit()
    {
        var fits = await Contact(new { custom_fields = Map((Unique, 5)) });
        var unfit = await Contact(new { custom_fields = Map((Unique, "five")) });

        var field = await Define("contact", "number");

        Assert.Equal(1, (int)field.Meta["values_not_fitting"]!);
        Assert.Equal("\"five\"", (await Api.Get($"contacts/{unfit.Id}")).Attributes["custom_fields"]![Unique].Compact());
        (await Api.Patch($"contacts/{fits.Id}", new { custom_fields = Map((Unique, "six")) })).IsInvalid($"custom_fields.{Unique}");
    }

    [Fact]
    public async Task Deleting_a_definition_deletes_all_its_values_everywhere_however_many()
    {
        var field = await Define("contact", "number");
        var contacts =
            await Task.WhenAll(Enumerable.Range(0, 110).Select(i => Contact(new { source = Unique, custom_fields = Map((Unique, i), ("other", 1)) })));

        (await Api.Delete($"custom-fields/{field.Id}")).Is(204);

        foreach (var page in await Api.Pages($"contacts?source={Unique}&limit=100"))
            Assert.All(page.List, c => Assert.Equal("""{"other":1}""", c.Attribute("custom_fields")));
        Assert.Empty((await Api.Get($"contacts?custom_fields[{Unique}][exists]=true")).Is(200).List);
        Assert.Equal(110, contacts.Length);
    }

    [Fact]
    public async Task Removing_an_option_in_use_is_409_unless_force_which_clears_it()
    {
        var field = await Define("contact", "select", ["a", "b", "c"]);
        var contact = await Contact(new { custom_fields = Map((Unique, "a")) });

        (await Api.Patch($"custom-fields/{field.Id}", new { options = new[] { "a", "c" } })).Is(200);
        (await Api.Patch($"custom-fields/{field.Id}", new { options = new[] { "c" } })).IsError(409, "CONFLICT");
        Assert.Equal("""["c"]""", (await Api.Patch($"custom-fields/{field.Id}?force=true", new { options = new[] { "c" } })).Is(200)["options"]);
        Assert.Equal("{}", (await Api.Get($"contacts/{contact.Id}")).Is(200)["custom_fields"]);
    }

    [Theory]
    [InlineData("contacts", "contact")]
    [InlineData("companies", "company")]
    [InlineData("deals", "deal")]
    [InlineData("activities", "activity")]
    public async Task The_values_endpoint_answers_an_array_of_custom_field_values_the_same_data_as_the_records_custom_fields(
        string collection, string entityType)
    {
        var field = await Define(entityType, "number");
        var record = await Create(collection,
            entityType switch
            {
                "contact" => new { },
                "company" => new { name = "Acme" },
                "deal" => new { title = "Licence" },
                _ => (object)new { type = "note" }
            });

        var set = (await Api.Put($"{collection}/{record.Id}/custom-fields", Map((Unique, 5)))).Is(200);
        var read = (await Api.Get($"{collection}/{record.Id}/custom-fields")).Is(200);

        Assert.Equal(set.Json["data"].Compact(), read.Json["data"].Compact());
        var value = Assert.Single(read.List);
        Assert.Equal(["id", "field_definition_id", "slug", "name", "field_type", "value"], value["attributes"]!.AsObject().Select(member => member.Key));
        Assert.Equal(($"\"{field.Id}\"", $"\"{Unique}\"", "\"number\"", "5"),
            (value.Attribute("field_definition_id"), value.Attribute("slug"), value.Attribute("field_type"), value.Attribute("value")));
        Assert.Equal("5", (await Api.Get($"{collection}/{record.Id}")).Attributes["custom_fields"]![Unique].Compact());
    }

    [Fact]
    public async Task PUT_takes_fields_or_the_bare_map_and_changes_only_the_slugs_given()
    {
        await Define("contact", "number");
        await Create("custom-fields", new { entity_type = "contact", name = "Other", slug = Unique + "_2", field_type = "text" });
        var contact = await Contact(new { custom_fields = Map((Unique, 1), (Unique + "_2", "x"), ("free", true)) });

        (await Api.Put($"contacts/{contact.Id}/custom-fields", new { fields = Map((Unique, 2)) })).Is(200);
        (await Api.Put($"contacts/{contact.Id}/custom-fields", Map((Unique + "_2", null)))).Is(200);

        Assert.True(JsonNode.DeepEquals(
            JsonNode.Parse($$"""{"{{Unique}}":2,"free":true}"""), (await Api.Get($"contacts/{contact.Id}")).Attributes["custom_fields"]));
    }

    [Fact]
    public async Task The_values_endpoint_takes_defined_slugs_only_and_names_an_unknown_one() =>
        (await Api.Put($"contacts/{(await Contact()).Id}/custom-fields", Map((Unique, 1)))).IsInvalid(Unique);
}
