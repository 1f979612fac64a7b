using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Activities;

public sealed class ActivityTests(Server server) : ApiTests(server)
{
    [Fact]
    public async Task A_type_is_enough_the_rest_has_defaults()
    {
        var activity = await Api.Create("activities", new { type = "note" });
        Assert.Equal("activity", activity.Data.GetProperty("type").GetString());
        Assert.StartsWith("act_", activity.Id, StringComparison.Ordinal);
        Assert.Equal(
            ["id", "type", "subject", "body", "contact_id", "company_id", "deal_id", "owner_id", "is_done", "due_date", "completed_at", "metadata",
                "custom_fields", "tags", "created_at", "updated_at"],
            activity.Data.GetProperty("attributes").EnumerateObject().Select(p => p.Name));
        Assert.False(activity["is_done"].GetBoolean());
        Assert.Null(activity.Text("completed_at"));
        Assert.Equal("{}", activity.Json("metadata"));
    }

    [Theory]
    [InlineData("note")]
    [InlineData("task")]
    [InlineData("email")]
    [InlineData("call")]
    [InlineData("meeting")]
    [InlineData("custom")]
    public async Task Every_type_is_taken(string type) => Assert.Equal(type, (await Api.Create("activities", new { type })).Text("type"));

    [Theory]
    [InlineData("""{}""", "type")]
    [InlineData("""{"type":"lunch"}""", "type")]
    [InlineData("""{"type":"Note"}""", "type")]
    [InlineData("""{"type":"note","is_done":"yes","metadata":[],"due_date":"tomorrow"}""", "is_done", "metadata", "due_date")]
    [InlineData("""{"type":"note","due_date":"2026-01-15T10:30:00"}""", "due_date")]
    [InlineData("""{"type":"note","completed_at":"2026-01-15T10:30:00Z"}""", "completed_at")]
    [InlineData("""{"type":"note","deal_id":"ct_00000000000000000000"}""", "deal_id")]
    public async Task A_faulty_activity_is_refused(string body, params string[] fields) => (await Api.Post("/v1/activities", body)).IsInvalid(fields);

    [Theory]
    [InlineData("subject", 500)]
    [InlineData("body", 100_000)]
    public async Task A_text_may_be_as_long_as_its_limit_and_no_longer(string field, int maxLength)
    {
        await Api.Create("activities", new Dictionary<string, string> { ["type"] = "note", [field] = new('x', maxLength) });
        (await Api.Post("/v1/activities", new Dictionary<string, string> { ["type"] = "note", [field] = new('x', maxLength + 1) })).IsInvalid(field);
    }

    [Theory]
    [InlineData("contact_id", "ct_")]
    [InlineData("company_id", "co_")]
    [InlineData("deal_id", "dl_")]
    public async Task What_it_refers_to_must_exist(string field, string prefix) =>
        (await Api.Post("/v1/activities", new Dictionary<string, string> { ["type"] = "note", [field] = Server.FreshId(prefix) })).IsError(
            422, "UNPROCESSABLE_ENTITY", field);

    [Fact]
    public async Task Being_done_sets_completed_at_and_not_being_done_clears_it()
    {
        var activity = await Api.Create("activities", new { type = "task", is_done = true });
        var since = activity.Text("completed_at");
        Assert.Equal(activity.Text("created_at"), since);
        var path = $"/v1/activities/{activity.Id}";
        Assert.Equal(since, (await Api.Patch(path, new { subject = "S", is_done = true })).Text("completed_at"));
        Assert.Null((await Api.Patch(path, new { is_done = false })).Is(200).Text("completed_at"));
        Assert.NotNull((await Api.Patch(path, new { is_done = true })).Text("completed_at"));
        var cleared = (await Api.Patch(path, """{"is_done":null}""")).Is(200);
        Assert.False(cleared["is_done"].GetBoolean());
        Assert.Null(cleared.Text("completed_at"));
    }

    [Theory]
    [InlineData("2026-01-15T10:30:00Z", "2026-01-15T10:30:00Z")]
    [InlineData("2026-01-15T12:30:00+02:00", "2026-01-15T10:30:00Z")]
    [InlineData("2026-01-15T10:30:00.987Z", "2026-01-15T10:30:00Z")]
    [InlineData("2026-01-15T10:30Z", "2026-01-15T10:30:00Z")]
    [InlineData("2026-01-15", "2026-01-15T00:00:00Z")]
    public async Task A_due_date_is_answered_in_utc_to_the_second(string given, string answered)
    {
        var reply = await Api.Post("/v1/activities", new { type = "task", due_date = given });
        Assert.Equal(answered, reply.Is(201).Text("due_date"));
    }

    [Fact]
    public async Task Metadata_is_merged_and_takes_any_names()
    {
        var activity = await Api.Create("activities", """{"type":"custom","metadata":{"Any name":1,"b":{"x":[]},"c":2}}""");
        var reply = (await Api.Patch($"/v1/activities/{activity.Id}", """{"metadata":{"b":null,"c":{"y":true}}}""")).Is(200);
        Assert.Equal("""{"Any name":1,"c":{"y":true}}""", reply.Json("metadata"));
        (await Api.Patch($"/v1/activities/{activity.Id}", new { metadata = new Dictionary<string, int> { [new string('n', 101)] = 1 } })).IsError(
            400, "VALIDATION_ERROR");
    }

    [Fact]
    public async Task Lists_have_25_by_default_and_are_filtered()
    {
        var (contact, deal) = ((await Api.Create("contacts", new { })).Id, (await Api.Create("deals", new { title = "T" })).Id);
        for (var i = 0; i < 24; i++) await Api.Create("activities", new { type = "note" });
        var call = (await Api.Create("activities", new { type = "call", contact_id = contact, is_done = true })).Id;
        var meeting = (await Api.Create("activities", new { type = "meeting", deal_id = deal, due_date = "2026-01-15" })).Id;

        Assert.Equal(25, (await Api.Get("/v1/activities")).List.Count);
        Assert.Equal([call], (await Api.Get("/v1/activities?type=call")).Ids);
        Assert.Equal([call], (await Api.Get($"/v1/activities?contact_id={contact}")).Ids);
        Assert.Equal([call], (await Api.Get("/v1/activities?is_done=true")).Ids);
        Assert.Equal([meeting], (await Api.Get($"/v1/activities?deal_id={deal}&is_done=false")).Ids);
        Assert.Equal(meeting, (await Api.Get("/v1/activities?sort=-due_date")).Ids[0]);
        Assert.Empty((await Api.Get($"/v1/activities?company_id={Server.FreshId("co_")}")).List);
        (await Api.Get("/v1/activities?type=lunch&is_done=maybe&contact_id=x")).IsInvalid("type", "is_done", "contact_id");
    }

    [Fact]
    public async Task A_deleted_activity_is_gone()
    {
        var activity = await Api.Create("activities", new { type = "note" });
        (await Api.Delete($"/v1/activities/{activity.Id}")).Is(204);
        (await Api.Get($"/v1/activities/{activity.Id}")).IsNotFound();
    }
}
