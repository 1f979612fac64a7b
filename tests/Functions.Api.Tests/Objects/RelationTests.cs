using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Objects;

/// <summary>Fields of custom objects that hold the id of another record.</summary>
public sealed class RelationTests(Server server) : ApiTests(server)
{
    private const string Projects = "objects/projects/records";
    private const string Houses = "objects/houses/records";

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await Api.Create("objects",
            new
            {
                singular_name = "Project", plural_name = "Projects",
                fields = new[] { new { name = "Client", field_type = "relation" }, new { name = "Site", field_type = "relation" } }
            });
        await Api.Create("objects", new { singular_name = "House", plural_name = "Houses" });
    }

    [Theory]
    [InlineData("contacts", """{"first_name":"Jane"}""")]
    [InlineData("companies", """{"name":"Acme"}""")]
    [InlineData("deals", """{"title":"Licence"}""")]
    [InlineData("activities", """{"type":"note"}""")]
    [InlineData(Houses, """{"name":"White"}""")]
    [InlineData(Projects, """{"name":"Gemini"}""")]
    public async Task It_leads_to_a_record_of_any_type_and_is_cleared_when_that_is_deleted(string collection, string body)
    {
        var (target, other) = (await Api.Create(collection, body), await Api.Create(collection, body.Replace("Acme", "Other", StringComparison.Ordinal)));
        var project = await Api.Create(Projects, new { name = "Apollo", custom_fields = new { client = target.Id, site = other.Id, note = "stays" } });
        Assert.Equal([project.Id], (await Api.Get($"/v1/{Projects}?custom_fields[client]={target.Id}")).Ids);

        (await Api.Delete($"/v1/{collection}/{target.Id}")).Is(204);

        Assert.Equal($$"""{"site":"{{other.Id}}","note":"stays"}""", (await Api.Get($"/v1/{Projects}/{project.Id}"))["custom_fields"].GetRawText());
        Assert.Equal($$$"""{"custom_fields":{"client":"{{{target.Id}}}","site":"{{{other.Id}}}","note":"stays"}}""",
            (await Server.EventsOf(Workspace, project.Id))[^1].GetProperty("previous_attributes").GetRawText());
    }

    [Fact]
    public async Task What_is_no_record_of_this_workspace_is_refused()
    {
        var foreign = await (await Server.NewWorkspace()).Owner.Create("contacts", new { });
        var gone = await Api.Create(Houses, new { name = "White" });
        await Api.Delete($"/v1/{Houses}/{gone.Id}");
        foreach (var id in new[] { foreign.Id, gone.Id, Server.FreshId("act_"), Server.FreshId("rec_") })
            Assert.Contains(id,
                (await Api.Post($"/v1/{Projects}", new { name = "Apollo", custom_fields = new { client = id } })).IsError(
                    422, "UNPROCESSABLE_ENTITY", "custom_fields.client").Message, StringComparison.Ordinal);
        foreach (var value in new object[] { "ct_short", Server.FreshId("pp_"), 5, new[] { foreign.Id } })
            (await Api.Post($"/v1/{Projects}", new { name = "Apollo", custom_fields = new { client = value } })).IsInvalid("custom_fields.client");
        Assert.Empty((await Api.Get($"/v1/{Projects}")).List);
    }

    [Fact]
    public async Task Many_that_lead_to_a_deleted_record_are_cleared_at_once()
    {
        var client = await Api.Create("contacts", new { });
        for (var i = 0; i < 45; i++) await Api.Create(Projects, new { name = $"P{i}", custom_fields = new { client = client.Id } });

        (await Api.Delete($"/v1/contacts/{client.Id}")).Is(204);

        Assert.Empty((await Api.Get($"/v1/{Projects}?custom_fields[client][exists]=true")).List);
        Assert.All((await Api.Get($"/v1/{Projects}?limit=100")).List,
            item => Assert.Equal("{}", item.GetProperty("attributes").GetProperty("custom_fields").GetRawText()));
        await Server.Settled(Workspace);
        Assert.Equal(45, (await Api.Get("/v1/events?type=projects.updated&limit=100")).List.Count);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(45)]
    public async Task It_goes_over_to_the_contact_that_a_contact_is_merged_into(int many)
    {
        var (source, target) = (await Api.Create("contacts", new { }), await Api.Create("contacts", new { }));
        for (var i = 0; i < many; i++) await Api.Create(Projects, new { name = $"P{i}", custom_fields = new { client = source.Id } });

        (await Api.Post("/v1/contacts/merge", new { source_ids = new[] { source.Id }, target_id = target.Id })).Is(200);

        async Task Hold()
        {
            Assert.Equal(many, (await Api.Get($"/v1/{Projects}?custom_fields[client]={target.Id}&limit=100")).List.Count);
            Assert.Empty((await Api.Get($"/v1/{Projects}?custom_fields[client]={source.Id}")).List);
            Assert.All((await Api.Get($"/v1/{Projects}?limit=100")).List,
                item => Assert.Equal(target.Id, item.GetProperty("attributes").GetProperty("custom_fields").GetProperty("client").GetString()));
        }

        await Hold();
        await Server.Settled(Workspace);
        await Hold();
    }

    [Fact]
    public async Task A_value_from_before_the_field_was_defined_stays_until_it_is_changed()
    {
        var house = await Api.Create(Houses, new { name = "White", custom_fields = new { owner = "somebody" } });
        var field = await Define("houses", "owner", "relation");
        Assert.Equal(1, field.Body.GetProperty("meta").GetProperty("values_not_fitting").GetInt64());
        (await Api.Patch($"/v1/{Houses}/{house.Id}", new { name = "Black", custom_fields = new { colour = "black" } })).Is(200);
        (await Api.Patch($"/v1/{Houses}/{house.Id}", new { custom_fields = new { owner = "somebody else" } })).IsInvalid("custom_fields.owner");
    }

    [Fact]
    public async Task A_batch_relates_what_it_makes()
    {
        var client = await Api.Create("contacts", new { });
        var batch = (await Api.Post($"/v1/{Projects}/batch", new
        {
            atomic = true,
            operations = new object[] { new { op = "create", data = new { name = "Apollo", custom_fields = new { client = client.Id } } },
                new { op = "create", data = new { name = "Gemini", custom_fields = new { client = Server.FreshId("ct_") } } } },
        })).IsError(422, "UNPROCESSABLE_ENTITY", "operations[1].data.custom_fields.client");
        Assert.Empty((await Api.Get($"/v1/{Projects}")).List);
        Assert.NotNull(batch);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_batch_relates_and_deletes_is_related_to_no_more(bool atomic)
    {
        var (target, other) = (await Api.Create(Projects, new { name = "Apollo" }), await Api.Create(Projects, new { name = "Gemini" }));
        var batch = (await Api.Post($"/v1/{Projects}/batch", new
        {
            atomic,
            operations = new object[]
            {
                new { op = "create", data = new { name = "Mercury", custom_fields = new { client = target.Id } } },
                new { op = "update", id = other.Id, data = new { custom_fields = new { site = target.Id } } },
                new { op = "delete", id = target.Id },
            },
        })).Is(200);

        Assert.Equal([201, 200, 204], batch.List.Select(item => item.GetProperty("status").GetInt32()));
        Assert.All((await Api.Get($"/v1/{Projects}")).List,
            item => Assert.Equal("{}", item.GetProperty("attributes").GetProperty("custom_fields").GetRawText()));
        await Server.Settled(Workspace);
        Assert.All((await Api.Get($"/v1/{Projects}")).List,
            item => Assert.Equal("{}", item.GetProperty("attributes").GetProperty("custom_fields").GetRawText()));
    }
}
