using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Contacts;

public sealed class GetAndDeleteContactTests(Server server) : ApiTests(server)
{
    [Fact]
    public async Task A_client_that_has_the_version_is_told_so()
    {
        var contact = await Api.Create("contacts", new { first_name = "Jane" });
        var path = $"/v1/contacts/{contact.Id}";
        foreach (var known in new[] { "\"1\"", "W/\"1\"", "\"7\", \"1\"", "*" })
        {
            var reply = (await Api.Get(path, ("If-None-Match", known))).Is(304);
            Assert.Empty(reply.Raw);
            Assert.Equal("\"1\"", reply.ETag);
            Assert.NotNull(reply.Header("X-Request-Id"));
        }

        Assert.Equal("Jane", (await Api.Get(path, ("If-None-Match", "\"2\""))).Is(200).Text("first_name"));
    }

    [Fact]
    public async Task A_query_parameter_it_does_not_take_is_refused()
    {
        var contact = await Api.Create("contacts", new { });
        (await Api.Get($"/v1/contacts/{contact.Id}?limit=1")).IsInvalid("limit");
        (await Api.Delete($"/v1/contacts/{contact.Id}?confirm=1")).IsInvalid("confirm");
        (await Api.Get($"/v1/contacts/{contact.Id}")).Is(200);
    }

    [Fact]
    public async Task A_deleted_contact_is_gone()
    {
        var contact = await Api.Create("contacts", new { email = "jane@acme.com" });
        var path = $"/v1/contacts/{contact.Id}";
        var reply = (await Api.Delete(path)).Is(204);
        Assert.Empty(reply.Raw);
        Assert.NotNull(reply.Header("X-Request-Id"));
        (await Api.Get(path)).IsNotFound();
        (await Api.Patch(path, new { })).IsNotFound();
        (await Api.Delete(path)).IsNotFound();
        Assert.Empty((await Api.Get("/v1/contacts")).List);
        Assert.Equal(["contact.created", "contact.deleted"], (await Server.EventsOf(Workspace, contact.Id)).Select(e => e.GetProperty("event").GetString()));
    }

    [Fact]
    public async Task If_match_lets_only_the_version_it_names_be_deleted()
    {
        var contact = await Api.Create("contacts", new { });
        (await Api.Delete($"/v1/contacts/{contact.Id}", ("If-Match", "\"2\""))).IsError(412, "PRECONDITION_FAILED");
        (await Api.Delete($"/v1/contacts/{contact.Id}", ("If-Match", contact.ETag))).Is(204);
    }

    [Fact]
    public async Task Deals_and_activities_of_a_deleted_contact_stay_without_it()
    {
        var contact = await Api.Create("contacts", new { });
        var deal = await Api.Create("deals", new { title = "Licence", contact_id = contact.Id });
        var activity = await Api.Create("activities", new { type = "note", contact_id = contact.Id });
        (await Api.Delete($"/v1/contacts/{contact.Id}")).Is(204);
        Assert.Null((await Api.Get($"/v1/deals/{deal.Id}")).Is(200).Text("contact_id"));
        Assert.Null((await Api.Get($"/v1/activities/{activity.Id}")).Is(200).Text("contact_id"));
    }
}
