using NodeStash.Support.Contracts.Doors;
using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Doors;

/// <summary>The archive over SQLite, where the feeds run as well.</summary>
public sealed class ArchiveTests(Server server) : ArchiveContract(server)
{
    [Fact]
    public async Task An_archived_record_is_not_searched_until_it_is_restored()
    {
        var jane = await Api.Create("contacts", new { first_name = "Zeppelina" });
        var deal = await Api.Create("deals", new { title = "Zeppelina buys" });
        await Server.Indexed();
        await Archive("people", jane.Id);

        // At once, whatever the index knows yet, and once it knows as well.
        Assert.Empty((await Api.Get("/v1/contacts?search=zeppelina")).Is(200).List);
        await Server.Indexed();
        Assert.Empty((await Api.Get("/v1/contacts?search=zeppelina&sort=first_name")).Is(200).List);
        var across = (await Api.Get("/v1/search?q=zeppelina")).Is(200);
        Assert.Equal([deal.Id], across.Ids);
        Assert.Equal(0, across.Body.GetProperty("meta").GetProperty("counts").GetProperty("contact").GetInt32());

        (await Api.Post("/v1/search/reindex", new { })).Is(202);
        await Server.Rebuilt(() => Api.Get("/v1/contacts?search=zeppelina"), reply => Assert.Empty(reply.Is(200).List));
        Assert.Equal(0, (await Api.Get("/v1/search?q=zeppelina")).Body.GetProperty("meta").GetProperty("counts").GetProperty("contact").GetInt32());

        await Restore("people", jane.Id);
        await Server.Indexed();
        Assert.Equal([jane.Id], (await Api.Get("/v1/contacts?search=zeppelina")).Is(200).Ids);
    }

    [Fact]
    public async Task A_cascade_over_many_records_reaches_those_that_are_archived()
    {
        var company = await Api.Create("companies", new { name = "Acme" });
        var contacts = new List<string>();
        for (var i = 0; i < 60; i++) contacts.Add((await Api.Create("contacts", new { first_name = $"Jane {i}", company_id = company.Id })).Id);
        foreach (var id in contacts.Take(30)) await Archive("people", id);

        (await Api.Delete($"/v1/companies/{company.Id}")).Is(204);
        Assert.Null((await Restore("people", contacts[0])).GetProperty("companyId").GetString());
        await Server.Settled(Workspace);

        foreach (var id in contacts.Skip(1).Take(29)) Assert.Null((await Restore("people", id)).GetProperty("companyId").GetString());
    }

    [Fact]
    public async Task A_merge_takes_over_what_archived_records_link_to()
    {
        var target = await Api.Create("contacts", new { first_name = "Target" });
        var source = await Api.Create("contacts", new { last_name = "Source" });
        var company = await Api.Create("companies", new { name = "Acme" });
        await Api.Patch($"/v1/contacts/{source.Id}", new { company_id = company.Id });
        var note = await Api.Create("activities", new { type = "note", contact_id = source.Id });
        await Archive("activities", note.Id);
        await Archive("companies", company.Id);

        Assert.Equal(
            company.Id, (await Api.Post("/v1/contacts/merge", new { source_ids = new[] { source.Id }, target_id = target.Id })).Is(200).Text("company_id"));

        Assert.Equal(target.Id, (await Restore("activities", note.Id)).GetProperty("contactId").GetString());
    }
}
