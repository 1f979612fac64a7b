using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Contacts;

public sealed class MergeContactsTests(Server server) : ApiTests(server)
{
    [Fact]
    public async Task The_target_keeps_what_it_has_and_takes_what_it_lacks_in_order()
    {
        var target = await Api.Create("contacts", """{"first_name":"Jane","tags":["a"],"custom_fields":{"plan":"pro"}}""");
        var one = await Api.Create(
            "contacts", """{"first_name":"Janet","last_name":"Doe","email":"jane@acme.com","tags":["b","a"],"custom_fields":{"plan":"free","score":1}}""");
        var two = await Api.Create("contacts", """{"last_name":"Roe","phone":"+1 555","tags":["c"],"custom_fields":{"score":2,"note":"x"}}""");

        var merged = (await Merge(target.Id, one.Id, target.Id, two.Id)).Is(200);

        Assert.Equal((target.Id, "\"2\""), (merged.Id, merged.ETag));
        Assert.Equal(
            ("Jane", "Doe", "jane@acme.com", "+1 555"), (merged.Text("first_name"), merged.Text("last_name"), merged.Text("email"), merged.Text("phone")));
        Assert.Equal("""["a","b","c"]""", merged.Json("tags"));
        Assert.Equal(("\"pro\"", "1", "\"x\""), (Custom(merged, "plan"), Custom(merged, "score"), Custom(merged, "note")));
        Assert.Equal(merged.Data.GetRawText(), (await Api.Get($"/v1/contacts/{target.Id}")).Data.GetRawText());
        (await Api.Post("/v1/contacts", new { email = "jane@acme.com" })).IsError(409, "CONFLICT");
        Assert.Equal([target.Id], (await Api.Get("/v1/contacts")).Ids);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(70)]
    public async Task Activities_and_deals_move_to_the_target_however_many_there_are(int each)
    {
        var (target, source) = (await Api.Create("contacts", "{}"), await Api.Create("contacts", "{}"));
        var activities = await Task.WhenAll(Enumerable.Range(0, each).Select(_ => Api.Create("activities", new { type = "note", contact_id = source.Id })));
        var deals = await Task.WhenAll(Enumerable.Range(0, each).Select(i => Api.Create("deals", new { title = $"Deal {i}", contact_id = source.Id })));

        (await Merge(target.Id, source.Id)).Is(200);

        foreach (var (collection, moved) in new[] { ("activities", activities), ("deals", deals) })
        {
            Assert.Equal(
                moved.Select(m => m.Id).Order(), (await Api.Pages($"/v1/{collection}?contact_id={target.Id}&limit=100")).SelectMany(p => p.Ids).Order());
            Assert.Empty((await Api.Get($"/v1/{collection}?contact_id={source.Id}")).List);
            Assert.Equal(target.Id, (await Api.Get($"/v1/{collection}/{moved[^1].Id}")).Text("contact_id"));
        }

        Assert.Equal(each,
            (await Api.Pages($"/v1/contacts/{target.Id}/timeline?limit=100")).SelectMany(p => p.List)
                .Count(e => e.GetProperty("type").GetString() is "activity"));
    }

    [Fact]
    public async Task A_merged_contact_leads_to_the_one_it_went_into()
    {
        var (first, second, third) = (await Api.Create("contacts", "{}"), await Api.Create("contacts", "{}"), await Api.Create("contacts", "{}"));
        (await Merge(second.Id, first.Id)).Is(200);
        (await Merge(third.Id, second.Id)).Is(200);

        Assert.Equal($"/v1/contacts/{second.Id}?include=company", (await Api.Get($"/v1/contacts/{first.Id}?include=company")).Is(301).Header("Location"));
        Assert.Equal($"/v1/contacts/{third.Id}", (await Api.Get($"/v1/contacts/{second.Id}")).Is(301).Header("Location"));
        (await Api.Patch($"/v1/contacts/{first.Id}", "{}")).IsNotFound();
        (await Api.Delete($"/v1/contacts/{first.Id}")).IsNotFound();
        (await (await Server.NewWorkspace()).Owner.Get($"/v1/contacts/{first.Id}")).IsNotFound();
    }

    [Fact]
    public async Task One_event_tells_of_the_merge_and_one_of_each_contact_that_goes()
    {
        var (target, one, two) = (await Api.Create("contacts", "{}"), await Api.Create("contacts", """{"phone":"1"}"""), await Api.Create("contacts", "{}"));
        var before = (await Server.EventsOf(Workspace)).Count;
        (await Merge(target.Id, one.Id, two.Id)).Is(200);

        var events = (await Server.EventsOf(Workspace)).Skip(before).ToList();
        Assert.Equal(["contact.updated", "contact.merged", "contact.deleted", "contact.deleted"], events.Select(e => e.GetProperty("event").GetString()));
        var merged = events[1].GetProperty("data");
        Assert.Equal([one.Id, two.Id], merged.GetProperty("source_ids").EnumerateArray().Select(id => id.GetString()));
        Assert.Equal((target.Id, "1"), (merged.GetProperty("id").GetString(), merged.GetProperty("attributes").GetProperty("phone").GetString()));
        Assert.Equal([one.Id, two.Id], events.Skip(2).Select(e => e.GetProperty("data").GetProperty("id").GetString()));
    }

    [Fact]
    public async Task A_target_that_takes_nothing_is_not_updated_and_old_values_are_not_checked_anew()
    {
        var (target, source) = (await Api.Create("contacts", "{}"), await Api.Create("contacts", "{}"));
        (await Merge(target.Id, source.Id)).Is(200);
        Assert.Equal(["contact.created", "contact.merged"], (await Server.EventsOf(Workspace, target.Id)).Select(e => e.GetProperty("event").GetString()));

        var unfit = await Api.Create("contacts", """{"custom_fields":{"score":"high"}}""");
        await Define("contact", "score", "number");
        Assert.Equal("\"high\"", Custom((await Merge(target.Id, unfit.Id)).Is(200), "score"));
    }

    [Fact]
    public async Task A_dry_run_shows_the_outcome_and_changes_nothing()
    {
        var (target, source) = (await Api.Create("contacts", "{}"), await Api.Create("contacts", """{"email":"jane@acme.com"}"""));
        var shown = (await Api.Post("/v1/contacts/merge?dry_run=true", new { target_id = target.Id, source_ids = new[] { source.Id } })).Is(200);
        Assert.Equal("jane@acme.com", shown.Text("email"));
        Assert.Null((await Api.Get($"/v1/contacts/{target.Id}")).Is(200).Text("email"));
        (await Api.Get($"/v1/contacts/{source.Id}")).Is(200);
    }

    [Fact]
    public async Task What_can_not_be_merged_changes_nothing()
    {
        var (target, source, unknown) = ((await Api.Create("contacts", "{}")).Id, (await Api.Create("contacts", "{}")).Id, Server.FreshId("ct_"));
        (await Merge(target, source, unknown)).IsNotFound();
        (await Merge(unknown, source)).IsNotFound();
        (await Merge(target, target)).IsInvalid("source_ids");
        (await Merge(target)).IsInvalid("source_ids");
        (await Merge(target, "co_00000000000000000000")).IsInvalid("source_ids[0]");
        (await Api.Post("/v1/contacts/merge", new { source_ids = new[] { source } })).IsInvalid("target_id");
        (await Api.Post("/v1/contacts/merge", new { target_id = target })).IsInvalid("source_ids");
        (await Api.Post("/v1/contacts/merge", new { target_id = target, source_ids = new[] { source }, loser = 1 })).IsInvalid("loser");
        Assert.Equal("\"1\"", (await Api.Get($"/v1/contacts/{target}")).ETag);
        Assert.Equal("\"1\"", (await Api.Get($"/v1/contacts/{source}")).ETag);
    }

    [Fact]
    public async Task Of_merges_both_ways_at_once_one_is_done()
    {
        var (one, other) = ((await Api.Create("contacts", "{}")).Id, (await Api.Create("contacts", "{}")).Id);
        var activity = await Api.Create("activities", new { type = "note", contact_id = one });
        var replies = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => i % 2 == 0 ? Merge(one, other) : Merge(other, one)));
        var kept = Assert.Single(replies, r => r.Status == 200).Id;
        Assert.All(replies.Where(r => r.Status != 200), r => r.IsNotFound());
        Assert.Equal(kept, (await Api.Get($"/v1/activities/{activity.Id}")).Text("contact_id"));
    }

    [Fact]
    public async Task What_was_on_its_way_to_a_contact_that_is_deleted_is_unlinked()
    {
        var (target, source) = (await Api.Create("contacts", "{}"), await Api.Create("contacts", "{}"));
        var activities = await Task.WhenAll(Enumerable.Range(0, 70).Select(_ => Api.Create("activities", new { type = "note", contact_id = source.Id })));
        (await Merge(target.Id, source.Id)).Is(200);
        (await Api.Delete($"/v1/contacts/{target.Id}")).Is(204);
        foreach (var activity in activities) Assert.Null((await Api.Get($"/v1/activities/{activity.Id}")).Text("contact_id"));
        await Server.Settled(Workspace);
        foreach (var activity in activities) Assert.Null((await Api.Get($"/v1/activities/{activity.Id}")).Text("contact_id"));
    }

    private Task<Reply> Merge(string target, params string[] sources) => Api.Post("/v1/contacts/merge", new { target_id = target, source_ids = sources });

    private static string Custom(Reply contact, string slug) => contact["custom_fields"].GetProperty(slug).GetRawText();
}
