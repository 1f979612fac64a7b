using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Objects;

/// <summary>Definitions of custom objects.</summary>
public sealed class DefinitionTests(Server server) : ApiTests(server)
{
    [Fact]
    public async Task It_is_found_by_its_slug_which_is_made_of_the_plural_and_by_its_id()
    {
        var made = await Api.Create("objects", new { singular_name = "Support case", plural_name = "Support cases", icon = "lifebuoy" });

        Assert.Equal(("object", "support_cases", "lifebuoy", $"/v1/objects/{made.Id}"),
            (made.Data.GetProperty("type").GetString(), made.Text("slug"), made.Text("icon"), made.Header("Location")));
        Assert.Equal(made.Data.GetRawText(), (await Api.Get("/v1/objects/support_cases")).Is(200).Data.GetRawText());
        Assert.Equal(made.Data.GetRawText(), (await Api.Get($"/v1/objects/{made.Id}")).Is(200).Data.GetRawText());
        Assert.Equal([made.Id], (await Api.Get("/v1/objects?slug=support_cases")).Ids);
    }

    [Fact]
    public async Task Its_fields_are_made_with_it_and_shown_with_it()
    {
        var made = await Api.Create("objects", new
        {
            singular_name = "Project",
            plural_name = "Projects",
            fields = new object[]
            {
                new { name = "Status", field_type = "select", options = new[] { "open", "done" }, is_required = true },
                new { name = "Due", slug = "due_on", field_type = "date" },
                new { name = "Client", field_type = "relation" },
            },
        });

        Assert.Equal(["status select True", "due_on date False", "client relation False"], FieldsOf(made));
        var listed = (await Api.Get("/v1/custom-fields?entity_type=projects&sort=created_at")).List;
        Assert.Equal(made["fields"].EnumerateArray().Select(f => f.GetRawText()).Order(StringComparer.Ordinal),
            listed.Select(f => f.GetProperty("attributes").GetRawText()).Order(StringComparer.Ordinal));
        Assert.Equal(["field.created", "field.created", "field.created", "object.created"],
            (await Server.EventsOf(Workspace)).Select(e => e.GetProperty("event").GetString()!).Where(e => !e.StartsWith("pipeline", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Faults_of_its_fields_are_all_named_and_nothing_is_made()
    {
        var refused = await Api.Post("/v1/objects", new
        {
            singular_name = "",
            plural_name = "Projects",
            fields = new object[]
            {
                new { name = "Status", field_type = "select" },
                new { name = "Due", slug = "Due On", field_type = "date" },
                new { name = "Due", field_type = "date" },
                new { name = "due", field_type = "number" },
                new { field_type = "colour", is_required = "yes" },
                new { name = "Of another", field_type = "text", entity_type = "contact" },
                "text",
                new { name = "!", field_type = "text" },
            },
        });

        refused.IsInvalid(
            "singular_name", "fields[0].options", "fields[1].slug", "fields[3].slug", "fields[4].name", "fields[4].field_type", "fields[4].is_required",
            "fields[5].entity_type", "fields[6]", "fields[7].slug");
        Assert.Empty((await Api.Get("/v1/objects")).List);
        Assert.Empty((await Api.Get("/v1/custom-fields")).List);
    }

    [Fact]
    public async Task Fields_come_and_go_as_custom_fields_and_change_its_version()
    {
        var made = await Define("projects");
        var budget = await Define("projects", "budget", "number");
        var shown = (await Api.Get("/v1/objects/projects")).Is(200);
        Assert.Equal(["budget number False"], FieldsOf(shown));
        Assert.Equal("\"2\"", shown.ETag);
        (await Api.Get("/v1/objects/projects", ("If-None-Match", made.ETag))).Is(200);

        (await Api.Patch($"/v1/custom-fields/{budget.Id}", new { name = "Budget in EUR", is_required = true })).Is(200);
        Assert.Equal("Budget in EUR", (await Api.Get("/v1/objects/projects"))["fields"][0].GetProperty("name").GetString());
        Assert.Equal((await Api.Get($"/v1/custom-fields/{budget.Id}")).Data.GetProperty("attributes").GetRawText(),
            (await Api.Get("/v1/objects/projects"))["fields"][0].GetRawText());
        (await Api.Patch($"/v1/custom-fields/{budget.Id}", new { name = "Budget in EUR" })).Is(200);
        Assert.Equal("\"3\"", (await Api.Get("/v1/objects/projects")).ETag);

        (await Api.Delete($"/v1/custom-fields/{budget.Id}")).Is(204);
        Assert.Empty(FieldsOf(await Api.Get("/v1/objects/projects")));
    }

    [Fact]
    public async Task A_field_of_no_object_and_a_relation_of_a_built_in_resource_are_refused()
    {
        var refused = (await Api.Post("/v1/custom-fields", new { entity_type = "projects", name = "Budget", field_type = "number" })).IsInvalid("entity_type");
        Assert.Contains("'projects'", refused.FaultOf("entity_type"), StringComparison.Ordinal);
        (await Api.Post("/v1/custom-fields", new { entity_type = "Not a slug", name = "Budget", field_type = "number" })).IsInvalid("entity_type");
        (await Api.Post("/v1/custom-fields", new { entity_type = "contact", name = "Manager", field_type = "relation" })).IsInvalid("field_type");
    }

    [Theory]
    [InlineData("contact")]
    [InlineData("contacts")]
    [InlineData("schema")]
    [InlineData("merge_contacts")]
    [InlineData("object_config")]
    [InlineData("bulk")]
    [InlineData("restore")]
    [InlineData("tasks")]
    [InlineData("field")]
    [InlineData("tag")]
    [InlineData("webhook")]
    [InlineData("records")]
    [InlineData("custom_fields")]
    [InlineData("obj_aaaaaaaaaaaaaaaaaaaa")]
    [InlineData("Projects")]
    [InlineData("1st")]
    [InlineData("")]
    public async Task A_slug_that_is_reserved_or_none_is_refused(string slug) =>
        (await Api.Post("/v1/objects", new { singular_name = "Thing", plural_name = "Things", slug })).IsInvalid("slug");

    [Fact]
    public async Task A_plural_that_makes_a_reserved_slug_or_none_asks_for_one()
    {
        (await Api.Post("/v1/objects", new { singular_name = "Task", plural_name = "Tasks" })).IsInvalid("slug");
        (await Api.Post("/v1/objects", new { singular_name = "計画", plural_name = "計画" })).IsInvalid("slug");
        (await Api.Post("/v1/objects", new { singular_name = "Thing", plural_name = "Things", slug = new string('a', 65) })).IsInvalid("slug");
        await Api.Create("objects", new { singular_name = "Thing", plural_name = "Things", slug = new string('a', 64) });
    }

    [Fact]
    public async Task A_slug_is_there_once_and_never_changes_and_names_do()
    {
        var made = await Define("projects");
        (await Api.Post("/v1/objects", new { singular_name = "Project", plural_name = "Projects" })).IsError(409, "CONFLICT", "slug");
        (await Api.Patch("/v1/objects/projects", new { slug = "plans", fields = new[] { new { name = "X", field_type = "text" } } })).IsInvalid(
            "slug", "fields");

        var changed =
            (await Api.Patch("/v1/objects/projects", new { singular_name = "Plan", plural_name = "Plans", icon = "map" }, ("If-Match", made.ETag))).Is(200);
        Assert.Equal(
            ("Plan", "Plans", "map", "projects"), (changed.Text("singular_name"), changed.Text("plural_name"), changed.Text("icon"), changed.Text("slug")));
        (await Api.Patch($"/v1/objects/{made.Id}", new { icon = (string?)null }, ("If-Match", made.ETag))).IsError(412, "PRECONDITION_FAILED");
    }

    [Fact]
    public async Task An_unknown_one_is_not_found_and_named()
    {
        Assert.Contains("'projects'", (await Api.Get("/v1/objects/projects")).IsNotFound().Message, StringComparison.Ordinal);
        (await Api.Get($"/v1/objects/{Server.FreshId("obj_")}")).IsNotFound();
        (await Api.Get("/v1/objects/Not-a-slug")).IsInvalid("slug");
    }

    [Fact]
    public async Task Each_environment_and_workspace_has_its_own()
    {
        var (test, other) = (await Api.InTest(), (await Server.NewWorkspace()).Owner);
        await Define("projects");
        foreach (var elsewhere in new[] { test, other })
        {
            (await elsewhere.Get("/v1/objects/projects")).IsNotFound();
            (await elsewhere.Get("/v1/objects/projects/records")).IsNotFound();
            (await elsewhere.Post("/v1/objects/projects/records", new { name = "Apollo" })).IsNotFound();
            (await elsewhere.Post("/v1/custom-fields", new { entity_type = "projects", name = "Budget", field_type = "number" })).IsInvalid("entity_type");
            await elsewhere.Create("objects", new { singular_name = "Project", plural_name = "Projects" });
            await elsewhere.Create("objects/projects/records", new { name = "Apollo" });
        }

        Assert.Empty((await Api.Get("/v1/objects/projects/records")).Is(200).List);
    }

    [Fact]
    public async Task A_dry_run_makes_nothing()
    {
        Assert.Equal(["budget number False"],
            FieldsOf((await Api.Post("/v1/objects?dry_run=true",
                new { singular_name = "Project", plural_name = "Projects", fields = new[] { new { name = "Budget", field_type = "number" } } })).Is(201)));
        Assert.Empty((await Api.Get("/v1/objects")).List);
    }

    [Fact]
    public async Task A_batch_makes_several_and_their_fields_as_one()
    {
        var batch = (await Api.Post("/v1/objects/batch", new
        {
            atomic = true,
            operations = new object[]
            {
                new { op = "create",
                    data = new { singular_name = "Project", plural_name = "Projects", fields = new[] { new { name = "Budget", field_type = "number" } } } },
                new { op = "upsert", match_on = "slug", data = new { singular_name = "House", plural_name = "Houses", slug = "houses" } },
            },
        })).Is(200);

        Assert.All(batch.List, item => Assert.Equal(201, item.GetProperty("status").GetInt32()));
        Assert.Equal(["budget number False"], FieldsOf(await Api.Get("/v1/objects/projects")));
        var fields = (await Api.Post("/v1/custom-fields/batch", new
        {
            atomic = true,
            operations = new[] { "A", "B" }.Select(name => new { op = "create", data = new { entity_type = "houses", name, field_type = "text" } }),
        })).Is(200);
        Assert.Equal(["a text False", "b text False"], FieldsOf(await Api.Get("/v1/objects/houses")));
        Assert.Equal(2, fields.List.Count);
    }

    [Fact]
    public async Task It_has_at_most_a_hundred_fields()
    {
        static object[] Fields(int count) => [.. Enumerable.Range(0, count).Select(i => new { name = $"F {i}", field_type = "text" })];
        (await Api.Post("/v1/objects", new { singular_name = "Project", plural_name = "Projects", fields = Fields(101) })).IsInvalid("fields");
        await Api.Create("objects", new { singular_name = "Project", plural_name = "Projects", fields = Fields(100) });
        (await Api.Post("/v1/custom-fields", new { entity_type = "projects", name = "One more", field_type = "text" })).IsInvalid("entity_type");
    }

    private Task<Reply> Define(string slug) => Api.Create("objects", new { singular_name = "Project", plural_name = slug });

    private static string[] FieldsOf(Reply definition) =>
        [.. definition["fields"].EnumerateArray().Select(f => $"{f.GetProperty("slug")} {f.GetProperty("field_type")} {f.GetProperty("is_required")}")];
}
