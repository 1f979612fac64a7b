using System.Text.Json;
using NodeStash.Support.Http;

namespace NodeStash.Functions.Webhooks.Tests;

/// <summary>docs/api/webhooks.md, Events: one per state change, for every resource.</summary>
public sealed class EventTests
{
    [Theory]
    [InlineData("contacts", "contact", "contact", """{"email":"jane@example.com"}""", """{"title":"CEO"}""")]
    [InlineData("companies", "company", "company", """{"name":"Acme"}""", """{"size":"10"}""")]
    [InlineData("deals", "deal", "deal", """{"title":"Big"}""", """{"value":"12.50"}""")]
    [InlineData("activities", "activity", "activity", """{"type":"task"}""", """{"is_done":true}""")]
    [InlineData("custom-fields", "field", "custom_field_definition", """{"entity_type":"contact","name":"Plan","field_type":"text"}""",
        """{"name":"Tariff"}""")]
    public async Task Each_change_of_a_resource_is_one_event(string path, string noun, string type, string created, string changed)
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        await crm.Api.Subscribe(receiver.Address);

        var id = (await crm.Api.Create(path, JsonElement.Parse(created))).GetProperty("id").GetString();
        await crm.Api.Update($"{path}/{id}", JsonElement.Parse(changed));
        await crm.Api.Delete($"{path}/{id}");
        await receiver.Event($"{noun}.deleted");
        await crm.IsIdle();

        Assert.Equal([$"{noun}.created", $"{noun}.updated", $"{noun}.deleted"], receiver.EventNames);
        Assert.Equal([1, 2, 3], receiver.Requests.Select(request => request.Version));
        Assert.All(receiver.Requests,
            request => Assert.Equal((id, type), (request.RecordId, request.Event.GetProperty("data").GetProperty("type").GetString())));
        Assert.Equal([false, true, false], receiver.Requests.Select(request => request.Event.TryGetProperty("previous_attributes", out _)));
    }

    [Fact]
    public async Task Records_of_a_custom_object_tell_of_themselves_by_its_slug_in_order()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        await crm.Api.Subscribe(receiver.Address, "projects.*");
        foreach (var slug in new[] { "projects", "projects_of_others" }) await crm.Api.Create("objects", new { singular_name = "Project", plural_name = slug });
        await crm.Api.Create("objects/projects_of_others/records", new { name = "Mercury" });

        var id = (await crm.Api.Create("objects/projects/records", new { name = "Apollo" })).GetProperty("id").GetString();
        for (var i = 2; i < 12; i++) await crm.Api.Update($"objects/projects/records/{id}", new { name = $"Apollo {i}" });
        await crm.Api.Delete("objects/projects?force=true");
        await receiver.Event("projects.deleted");
        await crm.IsIdle();

        Assert.Equal(["projects.created", .. Enumerable.Repeat("projects.updated", 10), "projects.deleted"], receiver.EventNames);
        Assert.Equal(Enumerable.Range(1, 12), receiver.Requests.Select(request => (int)request.Version));
        Assert.All(receiver.Requests,
            request => Assert.Equal((id, "record"), (request.RecordId, request.Event.GetProperty("data").GetProperty("type").GetString())));
    }

    [Fact]
    public async Task A_deal_that_changes_its_stage_says_so_besides_the_update()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        var deal = await crm.Api.Create("deals", new { title = "Big" });
        var (id, lead) = (deal.GetProperty("id").GetString(), deal.GetProperty("stage_id").GetString());
        var pipeline = await crm.Api.Get($"pipelines/{deal.GetProperty("pipeline_id").GetString()}");
        var won = pipeline.GetProperty("stages").EnumerateArray().Single(stage => stage.GetProperty("type").GetString() == "won").GetProperty("id").GetString();
        crm.Time.Advance(TimeSpan.FromSeconds(1));
        await crm.Api.Subscribe(receiver.Address, "deal.*");

        await crm.Api.Update($"deals/{id}", new { stage_id = won });
        var requests = await receiver.Until(2);
        await crm.Api.Update($"deals/{id}", new { title = "Bigger" });
        await receiver.Until(3);

        Assert.Equal(["deal.updated", "deal.stage_changed", "deal.updated"], receiver.EventNames);
        Assert.Equal([2, 2, 3], receiver.Requests.Select(request => request.Version));
        Assert.True(JsonElement.DeepEquals(requests[0].Event.GetProperty("data"), requests[1].Event.GetProperty("data")));
        Assert.Equal(won, requests[1].Event.GetProperty("data").GetProperty("attributes").GetProperty("stage_id").GetString());
        var previous = requests[1].Event.GetProperty("previous_attributes");
        Assert.Equal($$"""{"stage_id":"{{lead}}","closed_at":null}""", previous.GetRawText());
    }

    [Fact]
    public async Task A_pipeline_and_its_stages_have_events_and_versions_of_their_own()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        await crm.Api.Subscribe(receiver.Address, "pipeline.*", "pipeline_stage.*");

        var pipeline =
            await crm.Api.Create("pipelines", JsonElement.Parse("""{"name":"P","stages":[{"name":"Won","type":"won"},{"name":"Lost","type":"lost"}]}"""));
        var id = pipeline.GetProperty("id").GetString();
        var stage = (await crm.Api.Create($"pipelines/{id}/stages", new { name = "New" })).GetProperty("id").GetString();
        await crm.Api.Update($"pipelines/{id}/stages/{stage}", new { name = "Newer" });
        await crm.Api.Delete($"pipelines/{id}/stages/{stage}");
        await crm.Api.Delete($"pipelines/{id}");
        await receiver.Event("pipeline.deleted");
        await crm.IsIdle();

        var ofPipeline = receiver.Requests.Where(request => request.RecordId == id).ToList();
        var ofStage = receiver.Requests.Where(request => request.RecordId == stage).ToList();
        Assert.Equal(["pipeline_stage.created", "pipeline_stage.updated", "pipeline_stage.deleted"], ofStage.Select(request => request.Name));
        Assert.Equal([1, 2, 3], ofStage.Select(request => request.Version));
        Assert.Equal("""{"name":"New"}""", ofStage[1].Event.GetProperty("previous_attributes").GetRawText());
        Assert.Equal(
            ["pipeline.created", "pipeline.updated", "pipeline.updated", "pipeline.updated", "pipeline.deleted"], ofPipeline.Select(request => request.Name));
        Assert.Equal([1, 2, 3, 4, 5], ofPipeline.Select(request => request.Version));
        Assert.Equal(3, receiver.EventNames.Count(name => name is "pipeline_stage.created"));
        Assert.Equal(3, receiver.EventNames.Count(name => name is "pipeline_stage.deleted"));
    }

    [Fact]
    public async Task Deleting_a_company_updates_what_was_linked_to_it()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        await crm.Api.Subscribe(receiver.Address);
        var company = (await crm.Api.Create("companies", new { name = "Acme" })).GetProperty("id").GetString();
        var contact = (await crm.Api.Create("contacts", new { email = "jane@example.com", company_id = company })).GetProperty("id").GetString();

        await crm.Api.Delete($"companies/{company}");
        var updated = await receiver.Event("contact.updated");
        await receiver.Event("company.deleted");

        Assert.Equal((contact, 2L), (updated.RecordId, updated.Version));
        Assert.Equal(company, updated.Event.GetProperty("previous_attributes").GetProperty("company_id").GetString());
        Assert.Equal(JsonValueKind.Null, updated.Event.GetProperty("data").GetProperty("attributes").GetProperty("company_id").ValueKind);
    }

    [Fact]
    public async Task The_event_log_read_page_by_page_is_what_was_sent()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        await crm.Api.Subscribe(receiver.Address);
        for (var i = 0; i < 5; i++) await crm.Api.CreateContact($"c{i}@example.com");
        var sent = await receiver.Until(5);

        var (log, cursor, hasMore) = (new List<string>(), "", true);
        while (hasMore)
        {
            using var answer = await crm.Api.Send(HttpMethod.Get, $"events?type=contact.created&limit=2{cursor}");
            var page = JsonElement.Parse(await answer.Content.ReadAsStringAsync());
            log.AddRange(page.GetProperty("data").EnumerateArray().Select(each => each.GetProperty("attributes").GetRawText()));
            var pagination = page.GetProperty("meta").GetProperty("pagination");
            (cursor, hasMore) = ("&cursor=" + pagination.GetProperty("next_cursor").GetString(), pagination.GetProperty("has_more").GetBoolean());
            Assert.InRange(log.Count, 0, 5);
        }

        Assert.Equal(sent.Select(request => request.Event.GetRawText()).Order(), log.Order());
    }

    [Theory]
    [InlineData("*", "contact.created contact.updated company.created")]
    [InlineData("contact.*", "contact.created contact.updated")]
    [InlineData("contact.updated", "contact.updated")]
    [InlineData("contact.updated company.*", "contact.updated company.created")]
    public async Task An_endpoint_gets_the_events_of_its_patterns(string patterns, string expected)
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        await using var witness = await Receiver.Start();
        await crm.Api.Subscribe(receiver.Address, patterns.Split(' '));
        await crm.Api.Subscribe(witness.Address);

        var id = await crm.Api.CreateContact("jane@example.com");
        await crm.Api.Update($"contacts/{id}", new { title = "CEO" });
        await crm.Api.Create("companies", new { name = "Acme" });
        await witness.Until(3);
        await crm.IsIdle();

        Assert.Equal(expected.Split(' ').Order(), receiver.EventNames.Order());
    }
}
