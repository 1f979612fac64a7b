using NodeStash.Contract.Tests.Running;

namespace NodeStash.Contract.Tests;

/// <summary>The API's contract, Common rules: ids, types, partial updates, views, versions.</summary>
public sealed class CommonRulesTests(Deployment deployment) : ContractTests(deployment)
{
    [Fact]
    public async Task Ids_are_a_prefix_and_20_base62_characters_and_types_are_as_listed()
    {
        var (contact, company, deal, pipeline) = (await Contact(), await Company(), await Deal(), await Pipeline());
        var activity = await Create("activities", new { type = "note" });
        var field = await Define("contact", "text");
        var webhook = await Create("webhooks", new { url = $"https://example.com/{Unique}", is_enabled = false });
        var key = await Create("api-keys", new { name = Unique, scopes = new[] { "contacts:read" } });
        var stage = (await Api.Get($"pipelines/{pipeline.Id}/stages/{StageId(pipeline, "Lead")}")).Is(200);
        await Api.Put($"contacts/{contact.Id}/custom-fields", Map((Unique, "x")));
        var value = Assert.Single((await Api.Get($"contacts/{contact.Id}/custom-fields")).Is(200).List);
        var told = (await Api.Get($"events?record_id={contact.Id}")).Is(200).List[0];

        foreach (var (resource, prefix, type) in new[]
        {
            (contact.Data, "ct_", "contact"), (company.Data, "co_", "company"), (deal.Data, "dl_", "deal"), (pipeline.Data, "pp_", "pipeline"),
            (stage.Data, "ps_", "pipeline_stage"),
            (activity.Data, "act_", "activity"), (field.Data, "cf_", "custom_field_definition"), (value, "cfv_", "custom_field_value"),
            (webhook.Data, "wh_", "webhook"), (key.Data, "key_", "api_key"),
            (told, "evt_", "event"),
        })
        {
            Assert.Matches($"^{prefix}[0-9A-Za-z]{{20}}$", (string?)resource["id"]);
            Assert.Equal(type, (string?)resource["type"]);
        }
    }

    [Fact]
    public async Task Ids_are_roughly_time_ordered()
    {
        var first = await Contact();

        // A dry run tells an id without making anything; wait until one is of a later second.
        Answer later;
        do later = (await Api.Post("contacts?dry_run=true", new { first_name = "Jane" })).Is(201);
        while (later["created_at"] == first["created_at"]);

        Assert.True(string.CompareOrdinal(first.Id, later.Id) < 0, $"{first.Id} is before {later.Id}");
    }

    [Theory]
    [InlineData("contacts", "co_")]
    [InlineData("companies", "ct_")]
    [InlineData("deals", "pp_")]
    [InlineData("activities", "dl_")]
    [InlineData("pipelines", "ps_")]
    [InlineData("custom-fields", "cfv_")]
    [InlineData("webhooks", "evt_")]
    [InlineData("api-keys", "ct_")]
    public async Task A_path_id_with_the_wrong_prefix_is_400(string collection, string prefix) =>
        (await Api.Get($"{collection}/{NoOne(prefix)}")).IsInvalid("id");

    [Theory]
    [InlineData("contacts", "company_id", "ct_")]
    [InlineData("deals", "stage_id", "pp_")]
    [InlineData("activities", "owner_id", "ct_")]
    public async Task A_query_id_with_the_wrong_prefix_is_400(string collection, string parameter, string prefix) =>
        (await Api.Get($"{collection}?{parameter}={NoOne(prefix)}")).IsInvalid(parameter);

    [Fact]
    public async Task PATCH_is_partial_absent_is_untouched_and_null_is_cleared()
    {
        var contact = await Contact(new { first_name = "Jane", last_name = "Smith", phone = "1" });

        var changed = (await Api.Patch($"contacts/{contact.Id}", """{"first_name":"Joan","phone":null}""")).Is(200);

        Assert.Equal(("\"Joan\"", "\"Smith\"", "null"), (changed["first_name"], changed["last_name"], changed["phone"]));
    }

    [Fact]
    public async Task Custom_fields_and_metadata_are_merged_and_tags_replaced()
    {
        var activity = await Create("activities", """{"type":"note","custom_fields":{"a":1,"b":2},"metadata":{"x":1,"y":2},"tags":["one","two"]}""");

        var changed =
            (await Api.Patch($"activities/{activity.Id}", """{"custom_fields":{"b":null,"c":3},"metadata":{"y":null,"z":3},"tags":["three"]}""")).Is(200);

        Assert.Equal(("""{"a":1,"c":3}""", """{"x":1,"z":3}""", """["three"]"""), (changed["custom_fields"], changed["metadata"], changed["tags"]));
    }

    [Fact]
    public async Task Include_puts_the_object_or_null_inside_attributes_on_single_GETs_and_on_lists()
    {
        var company = await Company();
        var with = await Contact(new { company_id = company.Id, source = Unique });
        var without = await Contact(new { source = Unique });

        Assert.Equal(company.Id, (string?)(await Api.Get($"contacts/{with.Id}?include=company")).Is(200).Attributes["company"]!["id"]);
        Assert.Equal("null", (await Api.Get($"contacts/{without.Id}?include=company")).Is(200)["company"]);
        var list = (await Api.Get($"contacts?source={Unique}&include=company&sort=created_at")).Is(200).List;
        Assert.Equal([company.Id, null], list.Select(c => (string?)c["attributes"]!["company"]?["id"]));
    }

    [Fact]
    public async Task Fields_narrows_attributes()
    {
        var contact = await Contact(new { email = Email(), first_name = "Jane", source = Unique });

        foreach (var attributes in new[]
        {
            (await Api.Get($"contacts/{contact.Id}?fields=first_name,email")).Is(200).Attributes,
            (await Api.Get($"contacts?source={Unique}&fields=first_name,email")).Is(200).List[0]["attributes"]!.AsObject(),
        })
            Assert.Equal(["email", "first_name"], attributes.Select(member => member.Key).Where(name => name is not "id").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task There_is_an_ETag_on_every_single_resource_the_records_version()
    {
        var pipeline = await Pipeline();
        var made = new (string Path, Answer Created)[]
        {
            ("contacts", await Contact()), ("companies", await Company()), ("deals", await Deal()), ("pipelines", pipeline),
            ("activities", await Create("activities", new { type = "note" })),
            ("custom-fields", await Define("contact", "text")),
            ("webhooks", await Create("webhooks", new { url = $"https://example.com/{Unique}", is_enabled = false })),
            ("api-keys", await Create("api-keys", new { name = Unique, scopes = new[] { "contacts:read" } })),
        };

        foreach (var (collection, created) in made)
        {
            Assert.Equal("\"1\"", created.ETag);
            Assert.Equal("\"1\"", (await Api.Get($"{collection}/{created.Id}")).Is(200).ETag);
        }

        Assert.Equal("\"1\"", (await Api.Get($"pipelines/{pipeline.Id}/stages/{StageId(pipeline, "Lead")}")).Is(200).ETag);
        Assert.Equal("\"2\"", (await Api.Patch($"contacts/{made[0].Created.Id}", new { first_name = "Joan" })).Is(200).ETag);
    }

    [Fact]
    public async Task If_Match_lets_PATCH_PUT_and_DELETE_change_only_the_version_it_names()
    {
        await Define("contact", "text");
        var contact = await Contact();
        var path = $"contacts/{contact.Id}";
        var second = (await Api.Patch(path, new { first_name = "Joan" }, ("If-Match", contact.ETag))).Is(200);

        (await Api.Patch(path, new { first_name = "Jill" }, ("If-Match", contact.ETag))).IsError(412, "PRECONDITION_FAILED");
        (await Api.Put($"{path}/custom-fields", Map((Unique, "x")), ("If-Match", contact.ETag))).IsError(412, "PRECONDITION_FAILED");
        (await Api.Delete(path, ("If-Match", contact.ETag))).IsError(412, "PRECONDITION_FAILED");
        Assert.Equal("\"Joan\"", (await Api.Get(path)).Is(200)["first_name"]);

        (await Api.Put($"{path}/custom-fields", Map((Unique, "x")), ("If-Match", second.ETag))).Is(200);
        (await Api.Delete(path, ("If-Match", "\"3\""))).Is(204);
    }

    [Fact]
    public async Task If_None_Match_answers_304_while_nothing_has_changed()
    {
        var contact = await Contact();
        var path = $"contacts/{contact.Id}";

        Assert.Empty((await Api.Get(path, ("If-None-Match", contact.ETag))).Is(304).Text);
        await Api.Patch(path, new { first_name = "Joan" });
        (await Api.Get(path, ("If-None-Match", contact.ETag))).Is(200);
    }

    [Fact]
    public async Task An_Idempotency_Key_gives_a_repeat_the_stored_answer_with_Idempotency_Replayed()
    {
        var key = ("Idempotency-Key", Unique);
        var first = await Api.Post("contacts", new { email = Email() }, key);
        Made(first.Is(201), "contacts");

        var repeat = (await Api.Post("contacts", new { email = Email() }, key)).Is(201);

        Assert.Equal((first.Text, first.ETag, first.Header("Location")), (repeat.Text, repeat.ETag, repeat.Header("Location")));
        Assert.Equal((null, "true"), (first.Header("Idempotency-Replayed"), repeat.Header("Idempotency-Replayed")));
        Assert.Single((await Api.Get($"contacts?email={Email()}")).List);
    }

    [Fact]
    public async Task An_Idempotency_Key_works_on_PATCH_PUT_and_DELETE()
    {
        await Define("contact", "number");
        var contact = await Contact();
        var path = $"contacts/{contact.Id}";

        foreach (var i in new[] { 1, 2 })
        {
            Assert.Equal("\"2\"", (await Api.Patch(path, new { first_name = "Joan" }, ("Idempotency-Key", $"{Unique}-patch"))).Is(200).ETag);
            var set = (await Api.Put($"{path}/custom-fields", Map((Unique, 1)), ("Idempotency-Key", $"{Unique}-put"))).Is(200);
            Assert.Equal(i == 2 ? "true" : null, set.Header("Idempotency-Replayed"));
        }

        foreach (var replayed in new[] { null, "true" })
            Assert.Equal(replayed, (await Api.Delete(path, ("Idempotency-Key", $"{Unique}-delete"))).Is(204).Header("Idempotency-Replayed"));
    }

    [Fact]
    public async Task IDEMPOTENCY_KEY_REUSED_when_the_same_key_comes_with_another_method_path_or_body()
    {
        var key = ("Idempotency-Key", Unique);
        var contact = Made((await Api.Post("contacts", new { first_name = "Jane" }, key)).Is(201), "contacts");

        (await Api.Post("contacts", new { first_name = "June" }, key)).IsError(422, "IDEMPOTENCY_KEY_REUSED");
        (await Api.Post("activities", new { first_name = "Jane" }, key)).IsError(422, "IDEMPOTENCY_KEY_REUSED");
        (await Api.Patch($"contacts/{contact.Id}", new { first_name = "Jane" }, key)).IsError(422, "IDEMPOTENCY_KEY_REUSED");
    }

    [Fact]
    public async Task Of_many_at_once_with_one_Idempotency_Key_one_takes_effect_and_the_others_get_its_answer_or_IDEMPOTENCY_IN_PROGRESS()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Api.Post("contacts", new { source = Unique }, ("Idempotency-Key", Unique))));
        Made(answers.First(a => a.Status == 201), "contacts");

        Assert.Single(answers.Where(a => a.Status == 201).Select(a => a.Text).Distinct());
        Assert.All(answers.Where(a => a.Status != 201), a => a.IsError(409, "IDEMPOTENCY_IN_PROGRESS"));
        Assert.Single((await Api.Get($"contacts?source={Unique}")).List);
    }

    [Fact]
    public async Task An_Idempotency_Key_has_1_to_255_characters()
    {
        (await Api.Post("contacts", new { }, ("Idempotency-Key", new string('k', 256)))).IsInvalid("Idempotency-Key");
        Made((await Api.Post("contacts", new { }, ("Idempotency-Key", Unique.PadRight(255, 'k')))).Is(201), "contacts");
    }

    [Fact]
    public async Task An_Idempotency_Key_belongs_to_one_credential()
    {
        var other = await WithScopes(["contacts:write"]);

        var first = Made((await Api.Post("contacts", new { }, ("Idempotency-Key", Unique))).Is(201), "contacts");
        var second = Made((await other.Post("contacts", new { }, ("Idempotency-Key", Unique))).Is(201), "contacts");

        Assert.NotEqual(first.Id, second.Id);
    }

    [Fact]
    public async Task A_dry_run_answers_what_would_be_and_stores_nothing()
    {
        var contact = await Contact(new { email = Email(), source = Unique });
        var path = $"contacts/{contact.Id}";

        var created = (await Api.Post("contacts?dry_run=true", new { email = Email("joan"), source = Unique })).Is(201);
        Assert.Equal(("\"Joan\"", "\"2\""),
            ((await Api.Patch($"{path}?dry_run=true", new { first_name = "Joan" })).Is(200) is var would ? would["first_name"] : "", would.ETag));
        (await Api.Delete($"{path}?dry_run=true")).Is(204);

        (await Api.Get($"contacts/{created.Id}")).IsError(404, "NOT_FOUND");
        Assert.Equal([contact.Id], (await Api.Get($"contacts?source={Unique}")).Ids);
        Assert.Equal((contact["first_name"], "\"1\""), ((await Api.Get(path)).Is(200) is var now ? now["first_name"] : "", now.ETag));
        Assert.Single((await Api.Get($"events?record_id={contact.Id}")).List);
    }

    [Fact]
    public async Task A_dry_run_runs_all_checks()
    {
        await Contact(new { email = Email() });

        (await Api.Post("contacts?dry_run=true", new { email = "nonsense" })).IsInvalid("email");
        (await Api.Post("contacts?dry_run=true", new { email = Email() })).IsError(409, "CONFLICT");
        (await Api.Post("contacts?dry_run=true", new { company_id = NoOne("co_") })).IsError(422, "UNPROCESSABLE_ENTITY", "company_id");
    }

    [Fact]
    public async Task A_dry_run_works_on_every_write()
    {
        var (pipeline, contact) = (await Pipeline(), await Contact());
        await Define("contact", "text");
        var (stages, lead) = ($"pipelines/{pipeline.Id}/stages", StageId(pipeline, "Lead"));

        (await Api.Post("companies?dry_run=true", new { name = Unique })).Is(201);
        (await Api.Post("deals?dry_run=true", new { title = Unique })).Is(201);
        (await Api.Post("activities?dry_run=true", new { type = "note" })).Is(201);
        (await Api.Post("custom-fields?dry_run=true", new { entity_type = "contact", name = "x", slug = Unique + "_2", field_type = "text" })).Is(201);
        (await Api.Post("webhooks?dry_run=true", new { url = $"https://example.com/{Unique}" })).Is(201);
        (await Api.Post("api-keys?dry_run=true", new { name = Unique, scopes = new[] { "contacts:read" } })).Is(201);
        (await Api.Put($"contacts/{contact.Id}/custom-fields?dry_run=true", Map((Unique, "x")))).Is(200);
        (await Api.Post($"{stages}?dry_run=true", new { name = "New" })).Is(201);
        (await Api.Patch($"{stages}/{lead}?dry_run=true", new { name = "Other" })).Is(200);
        (await Api.Delete($"{stages}/{lead}?dry_run=true")).Is(204);
        (await Api.Patch($"pipelines/{pipeline.Id}?dry_run=true", new { name = "Other" })).Is(200);
        (await Api.Delete($"pipelines/{pipeline.Id}?dry_run=true")).Is(204);

        Assert.Equal(pipeline.ETag, (await Api.Get($"pipelines/{pipeline.Id}")).Is(200).ETag);
        Assert.Equal(contact.ETag, (await Api.Get($"contacts/{contact.Id}")).Is(200).ETag);
    }
}
