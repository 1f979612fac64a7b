using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Companies;

public sealed class CompanyTests(Server server) : ApiTests(server)
{
    [Fact]
    public async Task It_is_answered_whole()
    {
        var reply = await Api.Create("companies", new { name = "Acme", domain = "acme.com", industry = "Technology", size = "11-50", tags = new[] { "a" } });
        Assert.Equal("company", reply.Data.GetProperty("type").GetString());
        Assert.StartsWith("co_", reply.Id, StringComparison.Ordinal);
        Assert.Equal($"/v1/companies/{reply.Id}", reply.Header("Location"));
        Assert.Equal(["id", "name", "domain", "industry", "size", "custom_fields", "tags", "created_at", "updated_at"],
            reply.Data.GetProperty("attributes").EnumerateObject().Select(p => p.Name));
        Assert.Equal(("Acme", "acme.com", "Technology", "11-50"), (reply.Text("name"), reply.Text("domain"), reply.Text("industry"), reply.Text("size")));
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"name":null}""")]
    [InlineData("""{"name":""}""")]
    [InlineData("""{"name":"  "}""")]
    public async Task A_name_is_required(string body) => (await Api.Post("/v1/companies", body)).IsInvalid("name");

    [Theory]
    [InlineData("name", 200)]
    [InlineData("domain", 255)]
    [InlineData("industry", 100)]
    [InlineData("size", 50)]
    public async Task A_text_may_be_as_long_as_its_limit_and_no_longer(string field, int maxLength)
    {
        var body = new Dictionary<string, string> { ["name"] = "Acme", [field] = new('x', maxLength) };
        await Api.Create("companies", body);
        (await Api.Post("/v1/companies", new Dictionary<string, string>(body) { [field] = new('x', maxLength + 1) })).IsInvalid(field);
    }

    [Fact]
    public async Task Duplicate_domain_is_a_conflict_whatever_its_case()
    {
        await Api.Create("companies", new { name = "Acme", domain = "acme.com" });
        var reply = (await Api.Post("/v1/companies", new { name = "Other", domain = "ACME.com" })).IsError(409, "CONFLICT", "domain");
        Assert.Equal("A company with domain 'ACME.com' already exists in this workspace", reply.Message);
        await Api.Create("companies", new { name = "Acme" });
        await Api.Create("companies", new { name = "Acme" });
    }

    [Fact]
    public async Task Update_and_get()
    {
        var company = await Api.Create("companies", new { name = "Acme", domain = "acme.com", size = "1" });
        (await Api.Patch($"/v1/companies/{company.Id}", """{"name":null}""")).IsInvalid("name");
        (await Api.Patch($"/v1/companies/{company.Id}", """{"domain":null,"industry":"Steel"}""")).Is(200);
        var stored = await Api.Get($"/v1/companies/{company.Id}");
        Assert.Equal(("Acme", null, "Steel", "1"), (stored.Text("name"), stored.Text("domain"), stored.Text("industry"), stored.Text("size")));
        await Api.Create("companies", new { name = "Heir", domain = "acme.com" });
    }

    [Fact]
    public async Task Deleting_it_keeps_its_contacts_deals_and_activities_however_many()
    {
        var company = (await Api.Create("companies", new { name = "Acme", domain = "acme.com" })).Id;
        var other = (await Api.Create("companies", new { name = "Other" })).Id;
        await Task.WhenAll(Enumerable.Range(0, 130).Select(i => Api.Create("contacts", new { first_name = $"n{i}", company_id = company })));
        var kept = await Api.Create("contacts", new { company_id = other });
        var deal = await Api.Create("deals", new { title = "Licence", company_id = company });
        var activity = await Api.Create("activities", new { type = "call", company_id = company });

        (await Api.Delete($"/v1/companies/{company}")).Is(204);

        (await Api.Get($"/v1/companies/{company}")).IsNotFound();
        Assert.Empty((await Api.Get($"/v1/contacts?company_id={company}")).List);
        var contacts = (await Api.Pages("/v1/contacts?limit=100")).SelectMany(p => p.List).ToList();
        Assert.Equal(131, contacts.Count);
        Assert.Equal(
            kept.Id, Assert.Single(contacts, c => c.GetProperty("attributes").GetProperty("company_id").GetString() is not null).GetProperty("id").GetString());
        Assert.Null((await Api.Get($"/v1/deals/{deal.Id}")).Text("company_id"));
        Assert.Null((await Api.Get($"/v1/activities/{activity.Id}")).Text("company_id"));
        await Api.Create("companies", new { name = "Heir", domain = "acme.com" });

        await Server.Settled(Workspace);
        var told = await Server.EventsOf(Workspace, contacts.First(c => c.GetProperty("id").GetString() != kept.Id).GetProperty("id").GetString());
        Assert.Equal($$"""{"company_id":"{{company}}"}""", told[^1].GetProperty("previous_attributes").GetRawText());
    }

    [Fact]
    public async Task Large_companies_may_be_deleted_at_the_same_time()
    {
        var companies = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Api.Create("companies", new { name = "Acme" })));
        foreach (var company in companies) await Task.WhenAll(Enumerable.Range(0, 25).Select(_ => Api.Create("contacts", new { company_id = company.Id })));
        Assert.All(await Task.WhenAll(companies.Select(c => Api.Delete($"/v1/companies/{c.Id}"))), r => r.Is(204));
        Assert.Empty((await Api.Get("/v1/contacts?company_id[exists]=true")).List);
    }

    [Fact]
    public async Task A_contact_that_joins_while_the_company_goes_is_refused_or_unlinked()
    {
        var company = (await Api.Create("companies", new { name = "Acme" })).Id;
        var joining = Task.WhenAll(Enumerable.Range(0, 30).Select(i => Api.Post("/v1/contacts", new { first_name = $"n{i}", company_id = company })));
        var gone = await Api.Delete($"/v1/companies/{company}");
        gone.Is(204);
        Assert.All(await joining, r => Assert.True(r.Status is 201 or 422, r.Raw));
        Assert.Empty((await Api.Get($"/v1/contacts?company_id={company}")).List);
        Assert.All((await Api.Get("/v1/contacts?limit=100")).List, c => Assert.Null(c.GetProperty("attributes").GetProperty("company_id").GetString()));
    }
}
