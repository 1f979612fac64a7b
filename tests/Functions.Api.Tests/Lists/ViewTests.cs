using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Lists;

public sealed class ViewTests(Server server) : ApiTests(server)
{
    [Fact]
    public async Task A_contact_includes_its_company_or_null()
    {
        var company = await Api.Create("companies", new { name = "Acme" });
        var (with, without) = (await Api.Create("contacts", new { company_id = company.Id }), await Api.Create("contacts", new { }));

        Assert.Equal("Acme", (await Api.Get($"/v1/contacts/{with.Id}?include=company"))["company"].GetProperty("name").GetString());
        Assert.Equal(System.Text.Json.JsonValueKind.Null, (await Api.Get($"/v1/contacts/{without.Id}?include=company"))["company"].ValueKind);
        var list = (await Api.Get("/v1/contacts?include=company&sort=created_at")).List;
        Assert.Equal([company.Id, null],
            list.Select(c => c.GetProperty("attributes").GetProperty("company") is { ValueKind: System.Text.Json.JsonValueKind.Object } o
                ? o.GetProperty("id").GetString()
                : null));
    }

    [Fact]
    public async Task A_company_includes_its_contacts_and_their_number()
    {
        var company = await Api.Create("companies", new { name = "Acme" });
        var contacts = new[] { await Api.Create("contacts", new { company_id = company.Id }), await Api.Create("contacts", new { company_id = company.Id }) };
        await Api.Create("contacts", new { });

        var reply = await Api.Get($"/v1/companies/{company.Id}?include=contacts,contact_count");
        Assert.Equal(contacts.Reverse().Select(c => c.Id), reply["contacts"].EnumerateArray().Select(c => c.GetProperty("id").GetString()));
        Assert.Equal(2, reply["contact_count"].GetInt32());
    }

    [Fact]
    public async Task A_deal_includes_what_it_links_to_and_pipelines_count_their_deals()
    {
        var pipeline = await NewPipeline();
        var deal = await Api.Create("deals", new { title = "Licence", pipeline_id = pipeline.Id, stage_id = StageId(pipeline, "Talks") });

        var reply = await Api.Get($"/v1/deals/{deal.Id}?include=contact,company,pipeline,stage");
        Assert.Equal("Renewals", reply["pipeline"].GetProperty("name").GetString());
        Assert.Equal("Talks", reply["stage"].GetProperty("name").GetString());
        Assert.Equal(System.Text.Json.JsonValueKind.Null, reply["contact"].ValueKind);

        var counted = await Api.Get($"/v1/pipelines/{pipeline.Id}?include=deal_count");
        Assert.Equal(1, counted["deal_count"].GetInt32());
        Assert.Equal([0, 1, 0, 0], counted["stages"].EnumerateArray().Select(s => s.GetProperty("deal_count").GetInt32()));
        Assert.Equal(1, (await Api.Get($"/v1/pipelines/{pipeline.Id}/stages/{StageId(pipeline, "Talks")}?include=deal_count"))["deal_count"].GetInt32());
    }

    [Fact]
    public async Task Fields_narrow_the_attributes()
    {
        var contact = await Api.Create("contacts", new { first_name = "Jane", email = "jane@example.com" });

        var reply = await Api.Get($"/v1/contacts/{contact.Id}?fields=first_name,email");
        Assert.Equal(["id", "email", "first_name"], reply.Data.GetProperty("attributes").EnumerateObject().Select(p => p.Name));
        (await Api.Get($"/v1/contacts/{contact.Id}?fields=first_nam")).IsInvalid("fields");
        (await Api.Get("/v1/webhooks?fields=hashes,secret")).IsError(400, "VALIDATION_ERROR");
        (await Api.Get($"/v1/contacts/{contact.Id}?include=deals")).IsInvalid("include");
    }

    [Fact]
    public async Task What_belongs_to_another_resource_takes_the_right_to_read_that_one()
    {
        var company = await Api.Create("companies", new { name = "Acme", industry = "Technology" });
        await Api.Create("contacts", new { company_id = company.Id });
        var narrow = await Api.WithScopes(["contacts:read"]);

        Assert.Contains(
            "companies:read", (await narrow.Get("/v1/contacts?include=company")).IsError(403, "INSUFFICIENT_SCOPE").Message, StringComparison.Ordinal);
        (await narrow.Get("/v1/contacts?company.industry=Technology")).IsError(403, "INSUFFICIENT_SCOPE");
        Assert.Single((await Api.Get("/v1/contacts?company.industry=tech&company.size[exists]=false")).List);
        Assert.Empty((await Api.Get("/v1/contacts?company.industry=banking")).List);
        (await Api.Get("/v1/contacts?company.industri=x")).IsInvalid("company.industri");
    }
}
