using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Requests;

public sealed class DryRunTests(Server server) : ApiTests(server)
{
    [Fact]
    public async Task A_write_is_answered_as_if_and_nothing_is_stored_or_sent()
    {
        var contact = await Api.Create("contacts", new { first_name = "Jane" });

        (await Api.Post("/v1/contacts?dry_run=true", new { first_name = "June" })).Is(201);
        Assert.Equal("June", (await Api.Patch($"/v1/contacts/{contact.Id}?dry_run=true", new { first_name = "June" })).Is(200).Text("first_name"));
        (await Api.Delete($"/v1/contacts/{contact.Id}?dry_run=true")).Is(204);

        Assert.Equal("Jane", (await Api.Get($"/v1/contacts/{contact.Id}")).Is(200).Text("first_name"));
        Assert.Equal([contact.Id], (await Api.Get("/v1/contacts")).Ids);
        Assert.Single((await Api.Get($"/v1/events?record_id={contact.Id}")).List);
    }

    [Fact]
    public async Task Every_check_is_made()
    {
        await Api.Create("contacts", new { email = "jane@example.com" });

        (await Api.Post("/v1/contacts?dry_run=true", new { email = "JANE@example.com" })).IsError(409, "CONFLICT");
        (await Api.Post("/v1/contacts?dry_run=true", new { email = "nonsense" })).IsInvalid("email");
        (await Api.Post("/v1/contacts?dry_run=true", new { company_id = "co_00000000000000000000" })).IsError(422, "UNPROCESSABLE_ENTITY");
        (await Api.Post("/v1/contacts?dry_run=maybe", new { })).IsInvalid("dry_run");
    }

    [Fact]
    public async Task Deleting_a_company_or_forcing_an_option_clears_nothing()
    {
        var company = await Api.Create("companies", new { name = "Acme" });
        var contact = await Api.Create("contacts", new { company_id = company.Id });
        (await Api.Delete($"/v1/companies/{company.Id}?dry_run=true")).Is(204);
        Assert.Equal(company.Id, (await Api.Get($"/v1/contacts/{contact.Id}")).Text("company_id"));

        var field = await Define("contact", "plan", "select", ["free", "pro"]);
        await Api.Create("contacts", new { custom_fields = new { plan = "pro" } });
        (await Api.Patch($"/v1/custom-fields/{field.Id}?dry_run=true", new { options = new[] { "free" } })).IsError(409, "CONFLICT");
        (await Api.Patch($"/v1/custom-fields/{field.Id}?dry_run=true&force=true", new { options = new[] { "free" } })).Is(200);
        Assert.Single((await Api.Get("/v1/contacts?custom_fields[plan]=pro")).List);
    }

    [Fact]
    public async Task No_key_is_made_or_revoked()
    {
        var made = (await Api.Post("/v1/api-keys?dry_run=true", new { name = "Nobody", scopes = new[] { "*" } })).Is(201);
        Assert.False(made.Data.GetProperty("attributes").TryGetProperty("secret", out _));

        var key = await Api.Create("api-keys", new { name = "Somebody", scopes = new[] { "*" } });
        (await Api.Delete($"/v1/api-keys/{key.Id}?dry_run=true")).Is(204);
        (await Api.With(key.Text("secret")).Get("/v1/contacts")).Is(200);
    }
}
