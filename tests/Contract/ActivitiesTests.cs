using NodeStash.Contract.Tests.Running;

namespace NodeStash.Contract.Tests;

/// <summary>The API's contract, Activities.</summary>
public sealed class ActivitiesTests(Deployment deployment) : ContractTests(deployment)
{
    [Theory]
    [InlineData("note")]
    [InlineData("task")]
    [InlineData("email")]
    [InlineData("call")]
    [InlineData("meeting")]
    [InlineData("custom")]
    public async Task A_type_is_one_of_these(string type) => Assert.Equal($"\"{type}\"", (await Create("activities", new { type }))["type"]);

    [Fact]
    public async Task A_type_is_required_and_no_other_word()
    {
        (await Api.Post("activities", new { })).IsInvalid("type");
        (await Api.Post("activities", new { type = "party" })).IsInvalid("type");
    }

    [Fact]
    public async Task It_has_these_attributes_and_is_not_done_by_default()
    {
        var activity = await Create("activities", new { type = "task" });

        Assert.Equal(
            ["id", "type", "subject", "body", "contact_id", "company_id", "deal_id", "owner_id", "is_done", "due_date", "completed_at", "metadata",
                "custom_fields", "tags", "created_at", "updated_at"],
            activity.Attributes.Select(member => member.Key));
        Assert.Equal(("false", "null", "{}"), (activity["is_done"], activity["completed_at"], activity["metadata"]));
    }

    [Theory]
    [InlineData("subject", 500)]
    [InlineData("body", 100_000)]
    public async Task A_text_has_at_most_so_many_characters(string field, int maxLength)
    {
        await Create("activities", Map(("type", "note"), (field, new string('x', maxLength))));
        (await Api.Post("activities", Map(("type", "note"), (field, new string('x', maxLength + 1))))).IsInvalid(field);
    }

    [Fact]
    public async Task Completed_at_is_set_when_is_done_turns_true_and_cleared_when_it_turns_false()
    {
        var activity = await Create("activities", new { type = "task" });

        var done = (await Api.Patch($"activities/{activity.Id}", new { is_done = true })).Is(200);
        Assert.NotEqual("null", done["completed_at"]);
        Assert.Equal(done["completed_at"], (await Api.Patch($"activities/{activity.Id}", new { subject = "Call back" })).Is(200)["completed_at"]);
        Assert.Equal("null", (await Api.Patch($"activities/{activity.Id}", new { is_done = false })).Is(200)["completed_at"]);
        (await Api.Patch($"activities/{activity.Id}", new { completed_at = "2026-01-15T10:30:00Z" })).IsInvalid("completed_at");
    }

    [Fact]
    public async Task Filters_type_contact_id_company_id_deal_id_owner_id_and_is_done()
    {
        var (contact, company, deal) = (await Contact(), await Company(), await Deal());
        var activity = await Create("activities", new { type = "call", contact_id = contact.Id, company_id = company.Id, deal_id = deal.Id, is_done = true });
        await Create("activities", new { type = "note", contact_id = contact.Id, company_id = company.Id, deal_id = deal.Id });

        foreach (var filter in new[] { $"contact_id={contact.Id}&type=call", $"company_id={company.Id}&is_done=true", $"deal_id={deal.Id}&type=call" })
            Assert.Equal([activity.Id], (await Api.Get($"activities?{filter}")).Is(200).Ids);
        Assert.Equal(2, (await Api.Get($"activities?contact_id={contact.Id}&company_id={company.Id}&deal_id={deal.Id}")).Is(200).List.Count);
        Assert.Empty((await Api.Get($"activities?owner_id={NoOne("usr_")}")).Is(200).List);
    }

    [Theory]
    [InlineData("created_at")]
    [InlineData("updated_at")]
    [InlineData("due_date")]
    public async Task It_sorts_by(string field)
    {
        var company = await Company();
        var a = await Create("activities", new { type = "task", company_id = company.Id, due_date = "2026-01-15T10:30:00Z" });
        var b = await Create("activities", new { type = "task", company_id = company.Id, due_date = "2026-01-15T11:31:00+01:00" });

        Assert.Equal([a.Id, b.Id], (await Api.Get($"activities?company_id={company.Id}&sort={field}")).Is(200).Ids);
        Assert.Equal([b.Id, a.Id], (await Api.Get($"activities?company_id={company.Id}&sort=-{field}")).Is(200).Ids);
        Assert.Equal("\"2026-01-15T10:31:00Z\"", b["due_date"]);
    }

    [Theory]
    [InlineData("contacts", "contact_id")]
    [InlineData("companies", "company_id")]
    [InlineData("deals", "deal_id")]
    public async Task A_timeline_has_activities_and_change_events_of_the_record_newest_first_by_cursor_pages(string collection, string link)
    {
        var record = await Create(
            collection, new Dictionary<string, object?> { [collection switch { "contacts" => "first_name", "companies" => "name", _ => "title" }] = "One" });
        var first = await Create("activities", Map(("type", "note"), (link, record.Id)));
        (await Api.Patch($"{collection}/{record.Id}", new { tags = new[] { "vip" } })).Is(200);
        var second = await Create("activities", Map(("type", "call"), (link, record.Id)));
        await Create("activities", new { type = "note" });

        var whole = (await Api.Get($"{collection}/{record.Id}/timeline")).Is(200);
        Assert.Equal(["activity", "event", "activity", "event"], whole.List.Select(entry => (string?)entry["type"]));
        Assert.Equal((second.Id, first.Id), (whole.Ids[0], whole.Ids[2]));
        Assert.Equal(["updated", "created"], new[] { 1, 3 }.Select(i => ((string)whole.List[i]["attributes"]!["event"]!).Split('.')[1]));

        var paged = await Api.Pages($"{collection}/{record.Id}/timeline?limit=1");
        Assert.Equal(whole.Ids, paged.SelectMany(page => page.Ids));
        (await Api.Get($"{collection}/{record.Id}/timeline?cursor=nonsense")).IsInvalid("cursor");
    }
}
