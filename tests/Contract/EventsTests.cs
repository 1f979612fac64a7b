using System.Text.Json.Nodes;
using NodeStash.Contract.Tests.Running;

namespace NodeStash.Contract.Tests;

/// <summary>The API's contract, Events.</summary>
public sealed class EventsTests(Deployment deployment) : ContractTests(deployment)
{
    [Fact]
    public async Task Every_change_of_a_record_is_an_event_oldest_first_whose_version_rises_by_one_and_is_the_ETag()
    {
        var contact = await Contact();
        for (var i = 0; i < 3; i++) Assert.Equal($"\"{i + 2}\"", (await Api.Patch($"contacts/{contact.Id}", new { first_name = $"n{i}" })).Is(200).ETag);
        await Api.Delete($"contacts/{contact.Id}");

        var told = await EventsOf(contact.Id);

        Assert.Equal(["contact.created", "contact.updated", "contact.updated", "contact.updated", "contact.deleted"], told.Select(Name));
        Assert.Equal([1, 2, 3, 4, 5], told.Select(Version));
    }

    [Fact]
    public async Task An_event_has_id_event_timestamp_data_and_metadata()
    {
        var contact = await Contact();

        var told = Assert.Single(await EventsOf(contact.Id));

        Assert.Matches("^evt_[0-9A-Za-z]{20}$", (string?)told["id"]);
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", (string?)told["timestamp"]);
        Assert.True(JsonNode.DeepEquals(contact.Data, told["data"]), told.Compact());
        Assert.Equal(contact.Header("X-Request-Id"), (string?)told["metadata"]!["request_id"]);
        Assert.Matches("^ws_[0-9A-Za-z]{20}$", (string?)told["metadata"]!["workspace_id"]);
        Assert.Matches("^key_[0-9A-Za-z]{20}$", (string?)told["metadata"]!["actor"]);
        Assert.Equal("api", (string?)told["metadata"]!["triggered_by"]);
        Assert.False(told.ContainsKey("previous_attributes"));
    }

    [Fact]
    public async Task Previous_attributes_are_the_changed_ones_as_they_were()
    {
        var contact = await Contact(new { first_name = "Jane", phone = "1" });
        await Api.Patch($"contacts/{contact.Id}", new { first_name = "Joan", phone = "1" });

        Assert.Equal("""{"first_name":"Jane"}""", (await EventsOf(contact.Id))[^1]["previous_attributes"].Compact());
    }

    [Fact]
    public async Task A_deal_that_changes_its_stage_tells_deal_stage_changed_besides_deal_updated()
    {
        var pipeline = await Pipeline();
        var deal = await Deal(new { title = "Licence", pipeline_id = pipeline.Id });
        await Api.Patch($"deals/{deal.Id}", new { stage_id = StageId(pipeline, "Won") });

        var told = await EventsOf(deal.Id);

        Assert.Equal(["deal.created", "deal.updated", "deal.stage_changed"], told.Select(Name));
        Assert.Equal(StageId(pipeline, "Lead"), (string?)told[2]["previous_attributes"]!["stage_id"]);
        Assert.Equal([1, 2, 2], told.Select(Version));
    }

    [Fact]
    public async Task Companies_deals_pipelines_stages_activities_and_fields_tell_of_themselves()
    {
        var (company, deal, pipeline, activity, field) =
            (await Company(), await Deal(), await Pipeline(), await Create("activities", new { type = "note" }), await Define("contact", "text"));

        foreach (var (id,
            noun) in new[] { (company.Id, "company"), (deal.Id, "deal"), (pipeline.Id, "pipeline"), (StageId(pipeline, "Lead"), "pipeline_stage"),
                (activity.Id, "activity"), (field.Id, "field") })
            Assert.Equal($"{noun}.created", Name(Assert.Single(await EventsOf(id))));
    }

    [Fact]
    public async Task A_record_whose_link_is_cleared_by_a_deletion_tells_of_it()
    {
        var company = await Company();
        var contact = await Contact(new { company_id = company.Id });
        await Api.Delete($"companies/{company.Id}");

        var told = (await EventsOf(contact.Id))[^1];

        Assert.Equal(("contact.updated", $$"""{"company_id":"{{company.Id}}"}"""), (Name(told), told["previous_attributes"].Compact()));
    }

    [Fact]
    public async Task The_log_filters_by_type_record_id_and_created_at()
    {
        var contact = await Contact();
        await Api.Patch($"contacts/{contact.Id}", new { first_name = "Joan" });
        var at = (string)contact.Attributes["created_at"]!;

        Assert.Equal(["contact.updated"], (await Log($"record_id={contact.Id}&type=contact.updated")).Select(Name));
        Assert.Equal(2, (await Log($"record_id={contact.Id}&created_at[gte]={at}")).Count);
        Assert.Empty(await Log($"record_id={contact.Id}&created_at[gte]=2199-01-01"));
    }

    [Fact]
    public async Task Its_cursor_goes_on_where_it_ended_and_misses_nothing()
    {
        var contact = await Contact();
        var end = (await Api.Get($"events?record_id={contact.Id}")).Is(200);
        Assert.False(end.HasMore);

        await Task.WhenAll(Enumerable.Range(0, 10).Select(i => Api.Patch($"contacts/{contact.Id}", new { custom_fields = Map(($"f{i}", i)) })));

        var (seen, page) = (new List<int>(), end);
        do
        {
            page = (await Api.Get($"events?record_id={contact.Id}&limit=3&cursor={page.NextCursor}")).Is(200);
            seen.AddRange(page.List.Select(e => Version(e["attributes"]!.AsObject())));
        }
        while (page.HasMore);
        Assert.Equal(Enumerable.Range(2, 10), seen);
    }

    [Fact]
    public async Task A_webhook_has_these_attributes_and_its_secret_is_answered_once()
    {
        var webhook =
            await Create("webhooks", new { url = $"https://example.com/{Unique}", events = new[] { "deal.*", "contact.created" }, is_enabled = false });

        Assert.Matches("^whsec_[0-9A-Za-z+/]{43}=$", (string?)webhook.Attributes["secret"]);
        var read = (await Api.Get($"webhooks/{webhook.Id}")).Is(200);
        Assert.Equal(
            ["id", "url", "description", "events", "is_enabled", "disabled_reason", "created_at", "updated_at"], read.Attributes.Select(member => member.Key));
        Assert.Empty((await Api.Get($"webhooks/{webhook.Id}/deliveries")).Is(200).List);
    }

    [Theory]
    [InlineData("ftp://example.com/in")]
    [InlineData("http://example.com/in")]
    [InlineData("https://user:secret@example.com/in")]
    [InlineData("nonsense")]
    public async Task A_webhook_url_is_https_without_user_info(string url) => (await Api.Post("webhooks", new { url, is_enabled = false })).IsInvalid("url");

    private static string Name(JsonObject told) => (string)told["event"]!;

    private static int Version(JsonObject told) => (int)told["metadata"]!["version"]!;

    private Task<IReadOnlyList<JsonObject>> EventsOf(string recordId) => Log($"record_id={recordId}");

    private async Task<IReadOnlyList<JsonObject>> Log(string query) =>
        [.. (await Api.Get($"events?limit=100&{query}")).Is(200).List.Select(e => e["attributes"]!.AsObject())];
}
