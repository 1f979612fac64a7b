using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Deals;

public sealed class DealTests(Server server) : ApiTests(server)
{
    [Fact]
    public async Task A_title_is_enough_the_rest_has_defaults()
    {
        var pipeline = await DefaultPipeline();
        var deal = await Api.Create("deals", new { title = "Licence" });
        Assert.Equal("deal", deal.Data.GetProperty("type").GetString());
        Assert.StartsWith("dl_", deal.Id, StringComparison.Ordinal);
        Assert.Equal(
            ["id", "title", "value", "currency", "pipeline_id", "stage_id", "contact_id", "company_id", "owner_id", "expected_close_date", "closed_at",
                "custom_fields", "tags", "created_at", "updated_at"],
            deal.Data.GetProperty("attributes").EnumerateObject().Select(p => p.Name));
        Assert.Equal(("EUR", pipeline.Id, StageId(pipeline, "Lead")), (deal.Text("currency"), deal.Text("pipeline_id"), deal.Text("stage_id")));
        Assert.Null(deal.Text("value"));
        Assert.Null(deal.Text("closed_at"));
    }

    [Fact]
    public async Task The_default_stage_is_the_first_open_one_wherever_it_stands()
    {
        var pipeline =
            await Api.Create("pipelines", """{"name":"P","stages":[{"name":"L","type":"lost"},{"name":"W","type":"won"},{"name":"O"},{"name":"O2"}]}""");
        Assert.Equal(StageId(pipeline, "O"), (await Api.Create("deals", new { title = "Licence", pipeline_id = pipeline.Id })).Text("stage_id"));
    }

    [Theory]
    [InlineData("""{}""", "title")]
    [InlineData("""{"title":" "}""", "title")]
    [InlineData("""{"title":"T","currency":"EURO"}""", "currency")]
    [InlineData("""{"title":"T","currency":"eur"}""", "currency")]
    [InlineData("""{"title":"T","currency":"ZZZ"}""", "currency")]
    [InlineData("""{"title":"T","expected_close_date":"2026-02-30"}""", "expected_close_date")]
    [InlineData("""{"title":"T","expected_close_date":"30.06.2026"}""", "expected_close_date")]
    [InlineData("""{"title":"T","expected_close_date":"2026-06-30T00:00:00Z"}""", "expected_close_date")]
    [InlineData("""{"title":"T","closed_at":"2026-06-30T00:00:00Z"}""", "closed_at")]
    [InlineData("""{"title":"T","owner_id":"ct_00000000000000000000"}""", "owner_id")]
    [InlineData("""{"title":"T","stage_id":"pp_00000000000000000000","pipeline_id":5}""", "stage_id", "pipeline_id")]
    public async Task A_faulty_deal_is_refused(string body, params string[] fields) => (await Api.Post("/v1/deals", body)).IsInvalid(fields);

    [Fact]
    public async Task A_title_has_at_most_300_characters()
    {
        await Api.Create("deals", new { title = new string('x', 300) });
        (await Api.Post("/v1/deals", new { title = new string('x', 301) })).IsInvalid("title");
    }

    [Theory]
    [InlineData("pipeline_id", "pp_")]
    [InlineData("stage_id", "ps_")]
    [InlineData("contact_id", "ct_")]
    [InlineData("company_id", "co_")]
    public async Task What_it_refers_to_must_exist(string field, string prefix)
    {
        (await Api.Post("/v1/deals", new Dictionary<string, string> { ["title"] = "T", [field] = Server.FreshId(prefix) })).IsError(
            422, "UNPROCESSABLE_ENTITY", field);
        var deal = await Api.Create("deals", new { title = "T" });
        (await Api.Patch($"/v1/deals/{deal.Id}", new Dictionary<string, string> { [field] = Server.FreshId(prefix) })).IsError(
            422, "UNPROCESSABLE_ENTITY", field);
    }

    [Fact]
    public async Task A_stage_must_be_of_the_deals_pipeline_or_of_the_one_given_with_it()
    {
        var (first, second) = (await DefaultPipeline(), await NewPipeline());
        var (lead, talks) = (StageId(first, "Lead"), StageId(second, "Talks"));
        (await Api.Post("/v1/deals", new { title = "T", stage_id = talks })).IsError(422, "UNPROCESSABLE_ENTITY", "stage_id");
        var deal = await Api.Create("deals", new { title = "T", pipeline_id = second.Id, stage_id = talks });
        var path = $"/v1/deals/{deal.Id}";

        (await Api.Patch(path, new { stage_id = lead })).IsError(422, "UNPROCESSABLE_ENTITY", "stage_id");
        Assert.Equal(lead, (await Api.Patch(path, new { stage_id = lead, pipeline_id = first.Id })).Is(200).Text("stage_id"));
        (await Api.Patch(path, new { stage_id = StageId(first, "Won"), pipeline_id = second.Id })).IsError(422, "UNPROCESSABLE_ENTITY", "stage_id");
    }

    [Fact]
    public async Task Changing_the_pipeline_alone_starts_at_its_first_open_stage()
    {
        var second = await NewPipeline();
        var deal = await Api.Create("deals", new { title = "T" });
        Assert.Equal(StageId(second, "Open"), (await Api.Patch($"/v1/deals/{deal.Id}", new { pipeline_id = second.Id })).Is(200).Text("stage_id"));
    }

    [Fact]
    public async Task Winning_or_losing_sets_closed_at_and_going_back_clears_it()
    {
        var pipeline = await DefaultPipeline();
        var deal = await Api.Create("deals", new { title = "T" });
        async Task<Reply> Enter(string stage) => (await Api.Patch($"/v1/deals/{deal.Id}", new { stage_id = StageId(pipeline, stage) })).Is(200);

        var won = await Enter("Won");
        Assert.Equal(won.Text("updated_at"), won.Text("closed_at"));
        Assert.Equal(won.Text("closed_at"), (await Enter("Lost")).Text("closed_at"));
        Assert.Null((await Enter("Lead")).Text("closed_at"));
        Assert.NotNull((await Enter("Lost")).Text("closed_at"));
        Assert.NotNull((await Api.Create("deals", new { title = "T", stage_id = StageId(pipeline, "Won") })).Text("closed_at"));
    }

    [Fact]
    public async Task A_stage_change_is_told_of_beside_the_update()
    {
        var pipeline = await DefaultPipeline();
        var deal = await Api.Create("deals", new { title = "T" });
        await Api.Patch($"/v1/deals/{deal.Id}", new { title = "U" });
        await Api.Patch($"/v1/deals/{deal.Id}", new { title = "V", stage_id = StageId(pipeline, "Won") });
        var told = await Server.EventsOf(Workspace, deal.Id);
        Assert.Equal(["deal.created", "deal.updated", "deal.updated", "deal.stage_changed"], told.Select(e => e.GetProperty("event").GetString()));
        Assert.Equal($$"""{"stage_id":"{{StageId(pipeline, "Lead")}}","closed_at":null}""", told[3].GetProperty("previous_attributes").GetRawText());
        Assert.Equal(told[2].GetProperty("data").GetRawText(), told[3].GetProperty("data").GetRawText());
        Assert.Equal([1L, 2L, 3L, 3L], told.Select(e => e.GetProperty("metadata").GetProperty("version").GetInt64()));
    }

    [Fact]
    public async Task Null_clears_or_goes_back_to_the_default()
    {
        var contact = await Api.Create("contacts", new { });
        var deal = await Api.Create("deals", new { title = "T", value = 5, currency = "USD", contact_id = contact.Id, expected_close_date = "2026-06-30" });
        var reply = (await Api.Patch($"/v1/deals/{deal.Id}", """{"value":null,"currency":null,"contact_id":null,"expected_close_date":null}""")).Is(200);
        Assert.Equal((null, "EUR", null, null), (reply.Text("value"), reply.Text("currency"), reply.Text("contact_id"), reply.Text("expected_close_date")));
        (await Api.Patch($"/v1/deals/{deal.Id}", """{"title":null}""")).IsInvalid("title");
    }

    [Fact]
    public async Task A_deleted_deal_is_gone_and_its_activities_stay()
    {
        var deal = await Api.Create("deals", new { title = "T" });
        var activity = await Api.Create("activities", new { type = "note", deal_id = deal.Id });
        (await Api.Delete($"/v1/deals/{deal.Id}")).Is(204);
        (await Api.Get($"/v1/deals/{deal.Id}")).IsNotFound();
        Assert.Null((await Api.Get($"/v1/activities/{activity.Id}")).Text("deal_id"));
    }

    [Fact]
    public async Task A_stage_given_with_another_pipeline_must_be_of_that_one()
    {
        var (one, two) = (await NewPipeline("One"), await NewPipeline("Two"));
        var deal = await Api.Create("deals", new { title = "Licence", pipeline_id = one.Id, stage_id = StageId(one, "Talks") });

        (await Api.Patch($"/v1/deals/{deal.Id}", new { pipeline_id = two.Id, stage_id = StageId(one, "Talks") })).IsError(
            422, "UNPROCESSABLE_ENTITY", "stage_id");
        Assert.Equal(StageId(two, "Open"), (await Api.Patch($"/v1/deals/{deal.Id}", new { pipeline_id = two.Id })).Is(200).Text("stage_id"));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(60)]
    public async Task A_stage_that_turns_closes_or_opens_its_deals_however_many_there_are(int count)
    {
        var pipeline = await NewPipeline();
        var (talks, stage) = (StageId(pipeline, "Talks"), $"/v1/pipelines/{pipeline.Id}/stages/{StageId(pipeline, "Talks")}");
        var deals = await Task.WhenAll(
            Enumerable.Range(0, count).Select(i => Api.Create("deals", new { title = $"Deal {i}", pipeline_id = pipeline.Id, stage_id = talks })));
        var elsewhere = await Api.Create("deals", new { title = "Elsewhere", pipeline_id = pipeline.Id });

        (await Api.Patch(stage, new { type = "won" })).Is(200);
        Assert.Equal(deals.Select(d => d.Id).Order(), (await Api.Get("/v1/deals?closed_at[exists]=true&limit=100")).Ids.Order());
        foreach (var deal in deals) Assert.NotNull((await Api.Get($"/v1/deals/{deal.Id}")).Text("closed_at"));
        Assert.Null((await Api.Get($"/v1/deals/{elsewhere.Id}")).Text("closed_at"));

        await Server.Settled(Workspace);
        var closed = await Api.Get($"/v1/deals/{deals[0].Id}");
        Assert.Equal("""{"closed_at":null}""", (await Server.EventsOf(Workspace, deals[0].Id))[^1].GetProperty("previous_attributes").GetRawText());
        (await Api.Patch(stage, new { type = "lost" })).Is(200);
        Assert.Equal(closed.Text("closed_at"), (await Api.Get($"/v1/deals/{deals[0].Id}")).Text("closed_at"));

        (await Api.Patch(stage, new { type = "open" })).Is(200);
        Assert.Empty((await Api.Get("/v1/deals?closed_at[exists]=true&limit=100")).Ids);
        await Server.Settled(Workspace);
        Assert.Empty((await Api.Get("/v1/deals?closed_at[exists]=true&limit=100")).Ids);
    }

    [Fact]
    public async Task Deals_that_come_while_their_stage_turns_are_closed_as_it_is()
    {
        var pipeline = await NewPipeline();
        var stage = $"/v1/pipelines/{pipeline.Id}/stages/{StageId(pipeline, "Talks")}";
        var coming = Task.WhenAll(
            Enumerable.Range(0, 40)
                .Select(i => Api.Post("/v1/deals", new { title = $"Deal {i}", pipeline_id = pipeline.Id, stage_id = StageId(pipeline, "Talks") })));
        (await Api.Patch(stage, new { type = "won" })).Is(200);
        Assert.All(await coming, r => r.Is(201));
        Assert.Empty((await Api.Get("/v1/deals?closed_at[exists]=false&limit=100")).Ids);
        await Server.Settled(Workspace);
        Assert.Empty((await Api.Get("/v1/deals?closed_at[exists]=false&limit=100")).Ids);
    }
}
