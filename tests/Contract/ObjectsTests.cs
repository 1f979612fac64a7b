using NodeStash.Contract.Tests.Running;

namespace NodeStash.Contract.Tests;

/// <summary>The API's contract, Custom objects: their definitions at <c>/v1/objects</c>, and their records.</summary>
public sealed class ObjectsTests(Deployment deployment) : ContractTests(deployment)
{
    private string Records => $"objects/{Unique}/records";

    [Fact]
    public async Task A_definition_is_an_object_with_these_attributes_found_by_its_slug_and_its_id()
    {
        var made = await Define();

        Assert.Matches("^obj_[0-9A-Za-z]{20}$", made.Id);
        Assert.Equal(("object", $"/v1/objects/{made.Id}"), ((string?)made.Data["type"], made.Header("Location")));
        Assert.Equal(
            ["id", "singular_name", "plural_name", "slug", "icon", "fields", "created_at", "updated_at"], made.Attributes.Select(member => member.Key));
        Assert.Equal(made.Data.Compact(), (await Api.Get($"objects/{Unique}")).Is(200).Data.Compact());
        Assert.Equal(made.Data.Compact(), (await Api.Get($"objects/{made.Id}")).Is(200).Data.Compact());
        Assert.Contains(made.Id, (await Api.Pages("objects?limit=100")).SelectMany(page => page.Ids));
    }

    [Fact]
    public async Task A_slug_is_made_of_the_plural_when_omitted_and_is_unique()
    {
        Assert.Equal($"\"support_cases_{Unique}\"", (await Define(new { singular_name = "Case", plural_name = $"Support  Cases {Unique}" }))["slug"]);

        (await Api.Post("objects", new { singular_name = "Case", plural_name = "Cases", slug = $"support_cases_{Unique}" })).IsError(409, "CONFLICT", "slug");
    }

    [Theory]
    [InlineData("Projects")]
    [InlineData("1st")]
    [InlineData("my-projects")]
    [InlineData("_projects")]
    [InlineData("")]
    [InlineData("a2345678901234567890123456789012345678901234567890123456789012345")]
    public async Task A_slug_is_a_letter_then_letters_digits_and_underscores_64_at_most(string slug) =>
        (await Api.Post("objects", new { singular_name = "Project", plural_name = "Projects", slug })).IsInvalid("slug");

    [Theory]
    [InlineData("contacts")]
    [InlineData("companies")]
    [InlineData("deals")]
    [InlineData("tasks")]
    [InlineData("contact_notes")]
    [InlineData("tags")]
    [InlineData("configuration")]
    [InlineData("automation_rules")]
    [InlineData("crm_users")]
    [InlineData("companies_summary")]
    [InlineData("schema")]
    [InlineData("merge_contacts")]
    [InlineData("bulk")]
    [InlineData("restore")]
    [InlineData("contact")]
    [InlineData("pipeline_stage")]
    [InlineData("webhook")]
    public async Task A_slug_that_is_built_in_or_a_reserved_word_is_refused(string slug) =>
        (await Api.Post("objects", new { singular_name = "Thing", plural_name = "Things", slug })).IsInvalid("slug");

    [Fact]
    public async Task Names_are_required_and_every_fault_of_a_field_is_listed_by_its_place()
    {
        (await Api.Post("objects", new { })).IsInvalid("singular_name", "plural_name");
        (await Api.Post("objects", new
        {
            singular_name = "Project", plural_name = Unique,
            fields = new object[] { new { name = "Status", field_type = "select" }, new { name = "Due", field_type = "colour" } },
        })).IsInvalid("fields[0].options", "fields[1].field_type");
    }

    [Fact]
    public async Task Names_and_icon_change_and_the_slug_never_does()
    {
        var made = await Define();

        var changed =
            (await Api.Patch($"objects/{Unique}", new { singular_name = "Plan", plural_name = "Plans", icon = "map" }, ("If-Match", made.ETag))).Is(200);

        Assert.Equal(
            ("\"Plan\"", "\"Plans\"", "\"map\"", $"\"{Unique}\""), (changed["singular_name"], changed["plural_name"], changed["icon"], changed["slug"]));
        (await Api.Patch($"objects/{Unique}", new { slug = "other" })).IsInvalid("slug");
        (await Api.Patch($"objects/{Unique}", new { icon = "x" }, ("If-Match", made.ETag))).IsError(412, "PRECONDITION_FAILED");
    }

    [Fact]
    public async Task Its_fields_are_custom_fields_whose_entity_type_is_its_slug()
    {
        await Define(new { singular_name = "Project", plural_name = Unique, fields = new[] { new { name = "Budget", field_type = "number" } } });
        await Create("custom-fields", new { entity_type = Unique, name = "Site", field_type = "url" });

        Assert.Equal(["budget", "site"],
            (await Api.Get($"custom-fields?entity_type={Unique}&sort=created_at,name")).Is(200).List.Select(f => (string?)f["attributes"]!["slug"]));
        Assert.Equal(["budget", "site"], (await Api.Get($"objects/{Unique}")).Is(200).Attributes["fields"]!.AsArray().Select(f => (string?)f!["slug"]));
        (await Api.Post("custom-fields", new { entity_type = Unique + "x", name = "Site", field_type = "url" })).IsInvalid("entity_type");
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
    [InlineData("relation", null, "\"pp_00000000000000000000\"")]
    public async Task A_field_has_one_of_these_types_and_a_value_is_checked_against_it(string type, string? right, string wrong)
    {
        await Define(new
        {
            singular_name = "Project", plural_name = Unique,
            fields = new[] { new { name = "Field", field_type = type,
                options = type.EndsWith("select", StringComparison.Ordinal) ? new[] { "a", "b" } : null } },
        });
        right ??= $"\"{(await Contact()).Id}\"";

        Assert.Equal(
            right, (await Create(Records, $$$"""{"name":"Apollo","custom_fields":{"field":{{{right}}}} }""")).Attributes["custom_fields"]!["field"].Compact());
        (await Api.Post(Records, $$$"""{"name":"Apollo","custom_fields":{"field":{{{wrong}}}} }""")).IsInvalid("custom_fields.field");
    }

    [Fact]
    public async Task A_relation_leads_to_a_record_of_any_type_that_exists_and_is_cleared_with_it()
    {
        await Define(new { singular_name = "Project", plural_name = Unique, fields = new[] { new { name = "Of", field_type = "relation" } } });
        var targets = new[] { await Contact(), await Company(), await Deal(), await Create("activities", new { type = "note" }),
            await Create(Records, new { name = "Gemini" }) };
        foreach (var (target, collection) in targets.Zip(["contacts", "companies", "deals", "activities", Records]))
        {
            var record = await Create(Records, new { name = "Apollo", custom_fields = new { of = target.Id } });
            Assert.Equal([record.Id], (await Api.Get($"{Records}?custom_fields[of]={target.Id}")).Is(200).Ids);

            (await Api.Delete($"{collection}/{target.Id}")).Is(204);

            Assert.Equal("{}", (await Api.Get($"{Records}/{record.Id}")).Is(200)["custom_fields"]);
        }

        (await Api.Post(Records, new { name = "Apollo", custom_fields = new { of = NoOne("co_") } })).IsError(422, "UNPROCESSABLE_ENTITY", "custom_fields.of");
    }

    [Fact]
    public async Task A_record_has_the_envelope_of_v1_its_objects_slug_a_name_and_custom_fields()
    {
        await Define();

        var made = await Create(Records, new { name = "Apollo", custom_fields = new { free = true } });

        Assert.Matches("^rec_[0-9A-Za-z]{20}$", made.Id);
        Assert.Equal(("record", $"/v1/{Records}/{made.Id}", "\"1\""), ((string?)made.Data["type"], made.Header("Location"), made.ETag));
        Assert.Equal(["id", "object", "name", "custom_fields", "created_at", "updated_at"], made.Attributes.Select(member => member.Key));
        Assert.Equal(($"\"{Unique}\"", "\"Apollo\"", """{"free":true}"""), (made["object"], made["name"], made["custom_fields"]));
        Assert.Equal(made.Data.Compact(), (await Api.Get($"{Records}/{made.Id}")).Is(200).Data.Compact());
        (await Api.Get($"{Records}/{made.Id}", ("If-None-Match", made.ETag))).Is(304);
        (await Api.Post(Records, new { title = "Apollo" })).IsInvalid("name", "title");
    }

    [Fact]
    public async Task A_record_is_changed_in_part_under_If_Match_and_deleted()
    {
        await Define();
        var made = await Create(Records, new { name = "Apollo", custom_fields = new { a = 1, b = 2 } });

        var changed = (await Api.Patch($"{Records}/{made.Id}", new { custom_fields = new { a = (int?)null } }, ("If-Match", made.ETag))).Is(200);

        Assert.Equal(("\"Apollo\"", """{"b":2}""", "\"2\""), (changed["name"], changed["custom_fields"], changed.ETag));
        (await Api.Delete($"{Records}/{made.Id}", ("If-Match", made.ETag))).IsError(412, "PRECONDITION_FAILED");
        (await Api.Delete($"{Records}/{made.Id}")).Is(204);
        (await Api.Get($"{Records}/{made.Id}")).IsError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task Their_list_sorts_filters_narrows_and_pages_as_the_others_do()
    {
        await Define(new { singular_name = "Project", plural_name = Unique, fields = new[] { new { name = "Budget", field_type = "number" } } });
        foreach (var (i,
            name) in new[] { "Delta", "alpha", "Charlie", "bravo" }.Index()) await Create(Records, new { name, custom_fields = new { budget = i } });
        async Task<string> Names(string query) =>
            string.Join(' ', (await Api.Pages($"{Records}?{query}")).SelectMany(page => page.List).Select(r => (string?)r["attributes"]!["name"]));

        Assert.Equal("alpha bravo Charlie Delta", await Names("sort=name&limit=3"));
        Assert.Equal("bravo Charlie", await Names("custom_fields[budget][gte]=2&sort=-custom_fields[budget]&limit=1"));
        Assert.Equal("bravo", await Names("name=RAV"));
        Assert.Equal("bravo Charlie alpha Delta", await Names("limit=2"));
        Assert.Equal(["id", "name"], (await Api.Get($"{Records}?fields=name&limit=1")).Is(200).List[0]["attributes"]!.AsObject().Select(member => member.Key));
        (await Api.Get($"{Records}?title=x")).IsInvalid("title");
        (await Api.Get($"{Records}?limit=101")).IsInvalid("limit");
        (await Api.Get($"{Records}?cursor=nonsense")).IsInvalid("cursor");
    }

    [Fact]
    public async Task The_records_of_one_object_are_not_another_ones()
    {
        var other = $"{Unique}_2";
        await Define();
        await Define(new { singular_name = "House", plural_name = other });
        var record = await Create(Records, new { name = "Apollo" });

        Assert.Empty((await Api.Get($"objects/{other}/records")).Is(200).List);
        (await Api.Get($"objects/{other}/records/{record.Id}")).IsError(404, "NOT_FOUND");
        (await Api.Get($"{Records}/{(await Contact()).Id}")).IsInvalid("id");
    }

    [Fact]
    public async Task Writes_of_records_are_repeated_safely_tried_dry_and_done_in_batches()
    {
        await Define();
        var first = Made((await Api.Post(Records, new { name = "Apollo" }, ("Idempotency-Key", Unique))).Is(201), Records);
        var again = (await Api.Post(Records, new { name = "Apollo" }, ("Idempotency-Key", Unique))).Is(201);
        Assert.Equal((first.Id, "true"), (again.Id, again.Header("Idempotency-Replayed")));

        (await Api.Post($"{Records}?dry_run=true", new { name = "Gemini" })).Is(201);
        (await Api.Delete($"{Records}/{first.Id}?dry_run=true")).Is(204);
        Assert.Equal([first.Id], (await Api.Get(Records)).Is(200).Ids);

        var batch = (await Api.Post($"{Records}/batch", new
        {
            operations = new object[] { new { op = "create", data = new { name = "Mercury" } },
                new { op = "update", id = first.Id, data = new { name = "Apollo 11" } }, new { op = "create", data = new { } },
                new { op = "delete", id = first.Id } },
        })).Is(200);
        Assert.Equal([201, 200, 400, 204], batch.List.Select(item => (int)item["status"]!));
    }

    [Fact]
    public async Task The_values_endpoint_answers_custom_field_values()
    {
        await Define(new { singular_name = "Project", plural_name = Unique, fields = new[] { new { name = "Budget", field_type = "number" } } });
        var record = await Create(Records, new { name = "Apollo" });

        var set = (await Api.Put($"{Records}/{record.Id}/custom-fields", new { budget = 5 })).Is(200);

        Assert.Equal("5", Assert.Single(set.List).Attribute("value"));
        Assert.Equal(set.Json["data"].Compact(), (await Api.Get($"{Records}/{record.Id}/custom-fields")).Is(200).Json["data"].Compact());
        (await Api.Put($"{Records}/{record.Id}/custom-fields", new { unknown = 5 })).IsInvalid("unknown");
    }

    [Fact]
    public async Task Events_of_a_record_are_named_by_the_slug_with_versions_that_rise_by_one()
    {
        await Define();
        var record = await Create(Records, new { name = "Apollo" });
        await Api.Patch($"{Records}/{record.Id}", new { name = "Apollo 11" });
        await Api.Delete($"{Records}/{record.Id}");

        var told = (await Api.Get($"events?record_id={record.Id}")).Is(200).List.Select(e => e["attributes"]!.AsObject()).ToList();

        Assert.Equal([$"{Unique}.created", $"{Unique}.updated", $"{Unique}.deleted"], told.Select(e => (string?)e["event"]));
        Assert.Equal([1, 2, 3], told.Select(e => (int)e["metadata"]!["version"]!));
        Assert.All(told, e => Assert.Equal("record", (string?)e["data"]!["type"]));
        Assert.Equal("""{"name":"Apollo"}""", told[1]["previous_attributes"].Compact());
        Assert.Single((await Api.Get($"events?type={Unique}.deleted")).Is(200).List);
    }

    [Fact]
    public async Task A_webhook_subscribes_to_events_by_the_slug()
    {
        var webhook =
            await Create("webhooks", new { url = $"https://example.com/{Unique}", events = new[] { $"{Unique}.*", $"{Unique}.deleted" }, is_enabled = false });

        Assert.Equal($"[\"{Unique}.*\",\"{Unique}.deleted\"]", webhook["events"]);
        (await Api.Post("webhooks", new { url = $"https://example.com/{Unique}", events = new[] { $"{Unique}.merged" }, is_enabled = false })).IsInvalid(
            "events[0]");
    }

    [Fact]
    public async Task Without_records_a_definition_goes_without_force()
    {
        await Define();

        (await Api.Delete($"objects/{Unique}")).Is(204);

        (await Api.Get($"objects/{Unique}")).IsError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task An_object_that_is_not_there_is_404_and_named()
    {
        foreach (var answer in new[] { await Api.Get($"objects/{Unique}"), await Api.Get(Records), await Api.Post(Records, new { name = "Apollo" }),
            await Api.Get($"{Records}/{NoOne("rec_")}") })
        {
            Assert.Contains($"'{Unique}'", answer.IsError(404, "NOT_FOUND").Message, StringComparison.Ordinal);
            Assert.Contains("/v1/objects", answer.Message, StringComparison.Ordinal);
        }

        (await Api.Get($"objects/{NoOne("ct_")}")).IsInvalid();
    }

    [Fact]
    public async Task Definitions_and_records_take_objects_read_and_objects_write()
    {
        await Define();
        var (reader, writer, other) = (await WithScopes(["objects:read"]), await WithScopes(["objects:write"]), await WithScopes(["contacts:write"]));

        foreach (var path in new[] { "objects?limit=1", $"objects/{Unique}", Records })
        {
            (await reader.Get(path)).Is(200);
            (await writer.Get(path)).Is(200);
            Assert.Contains("objects:read", (await other.Get(path)).IsError(403, "INSUFFICIENT_SCOPE").Message, StringComparison.Ordinal);
        }

        await Create(writer, Records, new { name = "Apollo" });
        Assert.Contains(
            "objects:write", (await reader.Post(Records, new { name = "Apollo" })).IsError(403, "INSUFFICIENT_SCOPE").Message, StringComparison.Ordinal);
        Assert.Contains(
            "objects:write", (await reader.Delete($"objects/{Unique}?force=true")).IsError(403, "INSUFFICIENT_SCOPE").Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_environment_has_objects_of_its_own()
    {
        var test = await WithScopes(["*"], "test");
        var made = await Define();
        var record = await Create(Records, new { name = "Apollo" });

        foreach (var path in new[] { $"objects/{Unique}", $"objects/{made.Id}", Records, $"{Records}/{record.Id}" })
            (await test.Get(path)).IsError(404, "NOT_FOUND");
        (await test.Post(Records, new { name = "Apollo" })).IsError(404, "NOT_FOUND");
        (await test.Post("custom-fields", new { entity_type = Unique, name = "Budget", field_type = "number" })).IsInvalid("entity_type");
    }

    /// <summary>An object with the unique slug, or another; it is deleted after the test with all its records.</summary>
    private async Task<Answer> Define(object? body = null)
    {
        var made = (await Api.Post("objects", body ?? new { singular_name = "Project", plural_name = Unique })).Is(201);
        MadeIds("objects", [$"{made.Id}?force=true"]);
        return made;
    }
}
