using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Objects;

/// <summary>Records of custom objects.</summary>
public sealed class RecordTests(Server server) : ApiTests(server)
{
    private const string Projects = "objects/projects/records";
    private const string Houses = "objects/houses/records";

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await Api.Create("objects", new
        {
            singular_name = "Project",
            plural_name = "Projects",
            fields = new object[]
            {
                new { name = "Budget", field_type = "number" },
                new { name = "Phase", field_type = "select", options = new[] { "plan", "build" } },
                new { name = "Due", field_type = "date" },
            },
        });
        await Api.Create("objects", new { singular_name = "House", plural_name = "Houses" });
    }

    [Fact]
    public async Task A_record_has_a_name_and_its_object_s_fields()
    {
        var made = await Api.Create(Projects, """{"name":"Apollo","custom_fields":{"budget":25000.50,"phase":"plan"}}""");

        Assert.StartsWith("rec_", made.Id, StringComparison.Ordinal);
        Assert.Equal(("record", $"/v1/{Projects}/{made.Id}", "\"1\""), (made.Data.GetProperty("type").GetString(), made.Header("Location"), made.ETag));
        Assert.Equal(
            ["id", "object", "name", "custom_fields", "created_at", "updated_at"], made.Data.GetProperty("attributes").EnumerateObject().Select(p => p.Name));
        Assert.Equal(
            ("projects", "Apollo", """{"budget":25000.50,"phase":"plan"}"""), (made.Text("object"), made.Text("name"), made["custom_fields"].GetRawText()));
        var changed = (await Api.Patch(
            $"/v1/{Projects}/{made.Id}", """{"name":"Apollo 11","custom_fields":{"phase":null,"due":"2026-07-16"}}""", ("If-Match", "\"1\""))).Is(200);
        Assert.Equal(("Apollo 11", """{"budget":25000.50,"due":"2026-07-16"}"""), (changed.Text("name"), changed["custom_fields"].GetRawText()));
        (await Api.Delete($"/v1/{Projects}/{made.Id}", ("If-Match", "\"1\""))).IsError(412, "PRECONDITION_FAILED");
        (await Api.Delete($"/v1/{Projects}/{made.Id}")).Is(204);
        (await Api.Get($"/v1/{Projects}/{made.Id}")).IsNotFound();
    }

    [Fact]
    public async Task What_does_not_fit_is_refused_and_named()
    {
        (await Api.Post($"/v1/{Projects}", "{}")).IsInvalid("name");
        (await Api.Post($"/v1/{Projects}", new { name = new string('a', 201), title = "x", @object = "houses" })).IsInvalid("name", "title", "object");
        (await Api.Post($"/v1/{Projects}", """{"name":"Apollo","custom_fields":{"budget":"much","phase":"sold","due":"soon"}}""")).IsInvalid(
            "custom_fields.budget", "custom_fields.phase", "custom_fields.due");
        (await Api.Get($"/v1/{Projects}?fields=related_types")).IsInvalid("fields");
        (await Api.Post($"/v1/{Projects}", """{"name":"Apollo","related_types":{}}""")).IsInvalid("related_types");
        await Define("projects", "owner", "text", isRequired: true);
        (await Api.Post($"/v1/{Projects}", new { name = "Apollo" })).IsInvalid("custom_fields.owner");
        await Api.Create(Houses, """{"name":"White","custom_fields":{"budget":"of another object"}}""");
    }

    [Fact]
    public async Task Records_of_one_object_are_not_found_among_another_s()
    {
        var (project, house) = (await Api.Create(Projects, new { name = "Same" }), await Api.Create(Houses, new { name = "Same" }));

        Assert.Equal([project.Id], (await Api.Get($"/v1/{Projects}?name=same")).Ids);
        Assert.Equal([house.Id], (await Api.Get($"/v1/{Houses}?sort=name")).Ids);
        (await Api.Get($"/v1/{Projects}/{house.Id}")).IsNotFound();
        (await Api.Patch($"/v1/{Projects}/{house.Id}", new { name = "Other" })).IsNotFound();
        (await Api.Delete($"/v1/{Projects}/{house.Id}")).IsNotFound();
        (await Api.Put($"/v1/{Projects}/{house.Id}/custom-fields", new { budget = 1 })).IsNotFound();
        (await Api.Get($"/v1/contacts/{house.Id}")).IsInvalid("id");
    }

    [Fact]
    public async Task Lists_filter_sort_page_and_narrow_as_others_do()
    {
        string[] names = ["Delta", "alpha", "Charlie", "bravo", "Echo"];
        foreach (var (i,
            name) in names.Index()) await Api.Create(Projects, new { name, custom_fields = new { budget = i * 10, phase = i % 2 == 0 ? "plan" : "build" } });
        foreach (var name in names) await Api.Create(Houses, new { name });
        async Task<string> Names(string query) =>
            string.Join(' ',
                (await Api.Pages($"/v1/{Projects}?{query}")).SelectMany(page => page.List)
                    .Select(r => r.GetProperty("attributes").GetProperty("name").GetString()));

        Assert.Equal("alpha bravo Charlie Delta Echo", await Names("sort=name&limit=2"));
        Assert.Equal("Echo bravo Charlie", await Names("custom_fields[budget][gte]=20&sort=-custom_fields[budget]&limit=1"));
        Assert.Equal("Delta Charlie Echo", await Names("custom_fields[phase]=plan&sort=custom_fields[budget]"));
        Assert.Equal("Charlie Echo", await Names("name[in]=charlie,echo&sort=name"));
        Assert.Equal("bravo", await Names("name=RAV"));
        Assert.Equal("Echo bravo Charlie alpha Delta", await Names("limit=3"));
        Assert.Equal(5, (await Names("sort=-updated_at&limit=2")).Split(' ').Length);
        Assert.Equal("""{"id":""", (await Api.Get($"/v1/{Projects}?fields=name&limit=1")).List[0].GetProperty("attributes").GetRawText()[..6]);
        Assert.Equal(2, (await Api.Get($"/v1/{Projects}?fields=name&limit=1")).List[0].GetProperty("attributes").EnumerateObject().Count());
        (await Api.Get($"/v1/{Houses}?sort=name&limit=1&cursor={(await Api.Get($"/v1/{Projects}?sort=name&limit=1")).NextCursor}")).IsInvalid("cursor");
        (await Api.Get($"/v1/{Projects}?include=company")).IsInvalid("include");
        (await Api.Get($"/v1/{Projects}?phase=plan")).IsInvalid("phase");
    }

    [Fact]
    public async Task Etags_idempotency_and_dry_runs_are_as_everywhere()
    {
        var first = (await Api.Post($"/v1/{Projects}", new { name = "Apollo" }, ("Idempotency-Key", "apollo"))).Is(201);
        var again = (await Api.Post($"/v1/{Projects}", new { name = "Apollo" }, ("Idempotency-Key", "apollo"))).Is(201);
        Assert.Equal((first.Id, "true"), (again.Id, again.Header("Idempotency-Replayed")));
        (await Api.Post($"/v1/{Houses}", new { name = "Apollo" }, ("Idempotency-Key", "apollo"))).IsError(422, "IDEMPOTENCY_KEY_REUSED");
        (await Api.Get($"/v1/{Projects}/{first.Id}", ("If-None-Match", first.ETag))).Is(304);
        (await Api.Post($"/v1/{Projects}?dry_run=true", new { name = "Gemini" })).Is(201);
        (await Api.Delete($"/v1/{Projects}/{first.Id}?dry_run=true")).Is(204);
        Assert.Equal([first.Id], (await Api.Get($"/v1/{Projects}")).Ids);
    }

    [Fact]
    public async Task A_batch_creates_updates_and_deletes_and_has_nothing_to_upsert_by()
    {
        var made = await Api.Create(Projects, new { name = "Apollo" });
        var batch = (await Api.Post($"/v1/{Projects}/batch", new
        {
            operations = new object[]
            {
                new { op = "create", data = new { name = "Gemini" } }, new { op = "update", id = made.Id, data = new { name = "Apollo 11" } },
                new { op = "create", data = new { } },
                new { op = "delete", id = made.Id },
            },
        })).Is(200);

        Assert.Equal([201, 200, 400, 204], batch.List.Select(item => item.GetProperty("status").GetInt32()));
        Assert.Equal("record", batch.List[0].GetProperty("data").GetProperty("type").GetString());
        var refused = (await Api.Post($"/v1/{Projects}/batch",
            new { operations = new[] { new { op = "upsert", match_on = "name", data = new { name = "Gemini" } } } })).IsInvalid("operations[0].match_on");
        Assert.Contains("no unique field", refused.FaultOf("operations[0].match_on"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Values_are_read_and_set_by_slug()
    {
        var made = await Api.Create(Projects, new { name = "Apollo" });
        var set = (await Api.Put($"/v1/{Projects}/{made.Id}/custom-fields", new { budget = 5 })).Is(200);
        Assert.Equal("budget", set.List.Single().GetProperty("attributes").GetProperty("slug").GetString());
        Assert.Equal(set.Data.GetRawText(), (await Api.Get($"/v1/{Projects}/{made.Id}/custom-fields")).Is(200).Data.GetRawText());
        (await Api.Put($"/v1/{Projects}/{made.Id}/custom-fields", new { unknown = 5 })).IsInvalid("unknown");
    }

    [Fact]
    public async Task Events_are_named_by_the_slug_and_told_of_as_records()
    {
        var made = await Api.Create(Projects, new { name = "Apollo" });
        await Api.Patch($"/v1/{Projects}/{made.Id}", new { name = "Apollo 11" });
        await Api.Delete($"/v1/{Projects}/{made.Id}");
        await Api.Create(Houses, new { name = "White" });

        var events = await Server.EventsOf(Workspace, made.Id);
        Assert.Equal(["projects.created", "projects.updated", "projects.deleted"], events.Select(e => e.GetProperty("event").GetString()!));
        Assert.All(events,
            e => Assert.Equal(("record", "projects"),
                (e.GetProperty("data").GetProperty("type").GetString(), e.GetProperty("data").GetProperty("attributes").GetProperty("object").GetString())));
        Assert.Equal("""{"name":"Apollo"}""", events[1].GetProperty("previous_attributes").GetRawText());
        Assert.DoesNotContain(events, e => e.GetRawText().Contains("related_types", StringComparison.Ordinal));
        Assert.Single((await Api.Get("/v1/events?type=projects.deleted")).Is(200).List);
        Assert.Equal(3, (await Api.Get($"/v1/events?record_id={made.Id}")).Is(200).List.Count);
        await Api.Create(
            "webhooks", new { url = "https://hooks.example.com/in", is_enabled = false, events = new[] { "projects.*", "houses.deleted", "object.*" } });
        (await Api.Post("/v1/webhooks", new { url = "https://hooks.example.com/in", events = new[] { "projects.merged" } })).IsInvalid("events[0]");
    }

    [Fact]
    public async Task They_are_searched_by_name_and_fields_alone_and_among_all_types()
    {
        var (project, house) = (await Api.Create(Projects, """{"name":"Zeppelin","custom_fields":{"note":"seen in Friedrichshafen"}}"""),
            await Api.Create(Houses, new { name = "Zeppelin hangar" }));
        var contact = await Api.Create("contacts", new { first_name = "Zeppelin" });
        await Server.Indexed();

        Assert.Equal([project.Id], (await Api.Get($"/v1/{Projects}?search=zepelin")).Is(200).Ids);
        Assert.Equal([project.Id], (await Api.Get($"/v1/{Projects}?search=friedrichshafen&name=zep")).Is(200).Ids);
        var all = (await Api.Get("/v1/search?q=zeppelin")).Is(200);
        Assert.Equal([contact.Id, house.Id, project.Id], all.Ids);
        Assert.Equal(
            """{"contact":1,"company":0,"deal":0,"activity":0,"houses":1,"projects":1}""", all.Body.GetProperty("meta").GetProperty("counts").GetRawText());
        Assert.Equal(["contact", "houses", "projects"], all.List.Select(item => item.GetProperty("attributes").GetProperty("resource_type").GetString()));
        Assert.Equal([house.Id], (await Api.Get("/v1/search?q=zeppelin&types=houses,deal")).Is(200).Ids);
        (await Api.Get("/v1/search?q=zeppelin&types=castles")).IsInvalid("types");
        var pages = await Api.Pages("/v1/search?q=zeppelin&limit=1");
        Assert.Equal(all.Ids, pages.SelectMany(page => page.Ids));

        var narrow = await Api.WithScopes(["contacts:read"]);
        Assert.Equal([contact.Id], (await narrow.Get("/v1/search?q=zeppelin")).Is(200).Ids);
        Assert.Contains(
            "objects:read", (await narrow.Get("/v1/search?q=zeppelin&types=houses")).IsError(403, "INSUFFICIENT_SCOPE").Message, StringComparison.Ordinal);

        (await Api.Post("/v1/search/reindex", "{}")).Is(202);
        await Server.Rebuilt(() => Api.Get("/v1/search?q=zeppelin"), reply => Assert.Equal(all.Ids, reply.Is(200).Ids));
        Assert.Equal(all.Ids, (await Api.Get("/v1/search?q=zeppelin")).Is(200).Ids);
    }

    [Fact]
    public async Task They_take_the_scopes_of_objects()
    {
        var (reader, writer) = (await Api.WithScopes(["objects:read"]), await Api.WithScopes(["objects:write"]));
        (await reader.Get($"/v1/{Projects}")).Is(200);
        Assert.Contains("objects:write", (await reader.Post($"/v1/{Projects}", new { name = "Apollo" })).IsError(403, "INSUFFICIENT_SCOPE").Message,
            StringComparison.Ordinal);
        var made = await writer.Create(Projects, new { name = "Apollo" });
        (await writer.Get($"/v1/{Projects}/{made.Id}")).Is(200);
    }

    [Fact]
    public async Task An_unknown_object_is_named()
    {
        foreach (var path in new[] { "", $"/{Server.FreshId("rec_")}", $"/{Server.FreshId("rec_")}/custom-fields" })
            Assert.Contains("'castles'", (await Api.Get($"/v1/objects/castles/records{path}")).IsNotFound().Message, StringComparison.Ordinal);
        (await Api.Post("/v1/objects/castles/records", new { name = "Neuschwanstein" })).IsNotFound();
    }
}
