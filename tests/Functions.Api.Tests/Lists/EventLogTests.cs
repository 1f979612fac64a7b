using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Lists;

public sealed class EventLogTests(Server server) : ApiTests(server)
{
    [Fact]
    public async Task It_tells_what_happened_oldest_first_and_goes_on_where_it_ended()
    {
        var contact = await Api.Create("contacts", new { first_name = "Jane" });
        await Api.Patch($"/v1/contacts/{contact.Id}", new { first_name = "June" });
        var log = (await Api.Get($"/v1/events?record_id={contact.Id}")).Is(200);
        Assert.Equal(["contact.created", "contact.updated"], Names(log));
        Assert.Equal("Jane", log.List[1].GetProperty("attributes").GetProperty("previous_attributes").GetProperty("first_name").GetString());

        await Api.Delete($"/v1/contacts/{contact.Id}");
        Assert.Equal(["contact.deleted"], Names(await Api.Get($"/v1/events?record_id={contact.Id}&cursor={log.NextCursor}")));
        Assert.Equal(["contact.updated"], Names(await Api.Get($"/v1/events?type=contact.updated&record_id={contact.Id}")));
    }

    [Fact]
    public async Task Its_pages_show_every_event_once()
    {
        for (var i = 0; i < 7; i++) await Api.Create("contacts", new { });
        var pages = new List<string>();
        for (var reply = await Api.Get("/v1/events?limit=3&type=contact.created"); reply.List.Count > 0; reply =
            await Api.Get($"/v1/events?limit=3&type=contact.created&cursor={reply.NextCursor}"))
            pages.AddRange(reply.Ids);

        Assert.Equal((await Api.Get("/v1/events?type=contact.created&limit=100")).Ids, pages);
        Assert.Equal(7, pages.Distinct().Count());
    }

    [Fact]
    public async Task It_is_of_one_data_set()
    {
        await Api.Create("contacts", new { });
        Assert.DoesNotContain("contact.created", Names(await (await Api.InTest()).Get("/v1/events")));
        Assert.DoesNotContain("contact.created", Names(await (await Server.NewWorkspace()).Owner.Get("/v1/events")));
        (await Api.Get("/v1/events?typ=contact.created")).IsInvalid("typ");
        (await Api.Get("/v1/events?created_at[gte]=yesterday")).IsInvalid("created_at[gte]");
        Assert.Empty((await Api.Get("/v1/events?created_at[gte]=2999-01-01")).List);
    }

    [Fact]
    public async Task A_timeline_is_activities_and_change_events_newest_first()
    {
        var contact = await Api.Create("contacts", new { first_name = "Jane" });
        var path = $"/v1/contacts/{contact.Id}";
        var note = await Api.Create("activities", new { type = "note", contact_id = contact.Id });
        await Api.Patch(path, new { first_name = "June" });
        var call = await Api.Create("activities", new { type = "call", contact_id = contact.Id });
        await Api.Create("activities", new { type = "call" });

        var whole = (await Api.Get($"{path}/timeline")).Is(200);
        Assert.Equal(["activity", "event", "activity", "event"], whole.List.Select(e => e.GetProperty("type").GetString()));
        Assert.Equal([call.Id, note.Id], whole.Ids.Where(id => id.StartsWith("act_", StringComparison.Ordinal)));
        Assert.Null(whole.NextCursor);
        foreach (var limit in new[] { 1, 2, 3 }) Assert.Equal(whole.Ids, (await Api.Pages($"{path}/timeline?limit={limit}")).SelectMany(page => page.Ids));
        (await (await Api.WithScopes(["contacts:read"])).Get($"{path}/timeline")).IsError(403, "INSUFFICIENT_SCOPE");
        (await Api.Get("/v1/contacts/ct_00000000000000000000/timeline")).IsError(404, "NOT_FOUND");
    }

    private static IEnumerable<string> Names(Reply log) => log.Is(200).List.Select(e => e.GetProperty("attributes").GetProperty("event").GetString()!);
}
