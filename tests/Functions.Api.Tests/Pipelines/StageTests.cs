using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Pipelines;

public sealed class StageTests(Server server) : ApiTests(server)
{
    [Fact]
    public async Task A_stage_from_its_own_route_is_enveloped()
    {
        var pipeline = await NewPipeline();
        var reply = (await Api.Post($"/v1/pipelines/{pipeline.Id}/stages", new { name = "Closing" })).Is(201);
        Assert.Equal("pipeline_stage", reply.Data.GetProperty("type").GetString());
        Assert.Equal(["id", "pipeline_id", "name", "position", "type", "created_at", "updated_at"],
            reply.Data.GetProperty("attributes").EnumerateObject().Select(p => p.Name));
        Assert.Equal((pipeline.Id, "Closing", 4, "open"), (reply.Text("pipeline_id"), reply.Text("name"), reply["position"].GetInt32(), reply.Text("type")));
        Assert.Equal($"/v1/pipelines/{pipeline.Id}/stages/{reply.Id}", reply.Header("Location"));
        Assert.Equal("\"1\"", reply.ETag);

        var read = (await Api.Get(reply.Header("Location")!)).Is(200);
        Assert.Equal(reply.Data.GetRawText(), read.Data.GetRawText());
        (await Api.Get(reply.Header("Location")!, ("If-None-Match", read.ETag))).Is(304);
    }

    [Fact]
    public async Task The_list_is_ordered_by_position()
    {
        var pipeline = await NewPipeline();
        var list = (await Api.Get($"/v1/pipelines/{pipeline.Id}/stages")).Is(200);
        Assert.Equal(["Open", "Talks", "Won", "Lost"], list.List.Select(s => s.GetProperty("attributes").GetProperty("name").GetString()));
        Assert.All(list.List, s => Assert.Equal("pipeline_stage", s.GetProperty("type").GetString()));
        Assert.Null(list.NextCursor);
    }

    [Theory]
    [InlineData(0, "0 New open", "1 Open open", "2 Talks open", "3 Won won", "4 Lost lost")]
    [InlineData(2, "0 Open open", "1 Talks open", "2 New open", "3 Won won", "4 Lost lost")]
    [InlineData(99, "0 Open open", "1 Talks open", "2 Won won", "3 Lost lost", "4 New open")]
    public async Task Inserting_shifts_the_others(int position, params string[] stages)
    {
        var pipeline = await NewPipeline();
        (await Api.Post($"/v1/pipelines/{pipeline.Id}/stages", new { name = "New", position })).Is(201);
        Assert.Equal(stages, StagesOf(await Api.Get($"/v1/pipelines/{pipeline.Id}")));
    }

    [Theory]
    [InlineData("Open", 2, "0 Talks open", "1 Won won", "2 Open open", "3 Lost lost")]
    [InlineData("Lost", 0, "0 Lost lost", "1 Open open", "2 Talks open", "3 Won won")]
    [InlineData("Talks", 50, "0 Open open", "1 Won won", "2 Lost lost", "3 Talks open")]
    public async Task Moving_shifts_the_others(string name, int position, params string[] stages)
    {
        var pipeline = await NewPipeline();
        (await Api.Patch($"/v1/pipelines/{pipeline.Id}/stages/{StageId(pipeline, name)}", new { position })).Is(200);
        Assert.Equal(stages, StagesOf(await Api.Get($"/v1/pipelines/{pipeline.Id}")));
    }

    [Fact]
    public async Task Deleting_closes_the_gap()
    {
        var pipeline = await NewPipeline();
        var path = $"/v1/pipelines/{pipeline.Id}/stages/{StageId(pipeline, "Talks")}";
        Assert.Empty((await Api.Delete(path)).Is(204).Raw);
        (await Api.Get(path)).IsNotFound();
        (await Api.Delete(path)).IsNotFound();
        Assert.Equal(["0 Open open", "1 Won won", "2 Lost lost"], StagesOf(await Api.Get($"/v1/pipelines/{pipeline.Id}")));
    }

    [Fact]
    public async Task Positions_stay_whole_however_many_insert_at_once()
    {
        var pipeline = await NewPipeline();
        await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Api.Post($"/v1/pipelines/{pipeline.Id}/stages", new { name = $"N{i}", position = i % 3 })));
        var stages = (await Api.Get($"/v1/pipelines/{pipeline.Id}"))["stages"].EnumerateArray().ToList();
        Assert.Equal(Enumerable.Range(0, 20), stages.Select(s => s.GetProperty("position").GetInt32()));
        Assert.Equal(20, stages.Select(s => s.GetProperty("name").GetString()).Distinct().Count());
    }

    [Fact]
    public async Task Name_and_type_are_updated_and_the_rest_stays()
    {
        var pipeline = await NewPipeline();
        var id = StageId(pipeline, "Talks");
        var reply = (await Api.Patch($"/v1/pipelines/{pipeline.Id}/stages/{id}", new { name = "Signed", type = "won" })).Is(200);
        Assert.Equal((id, "Signed", "won", 1), (reply.Id, reply.Text("name"), reply.Text("type"), reply["position"].GetInt32()));
        Assert.Equal("\"2\"", reply.ETag);
        (await Api.Patch($"/v1/pipelines/{pipeline.Id}/stages/{id}", new { name = "X" }, ("If-Match", "\"1\""))).IsError(412, "PRECONDITION_FAILED");
        (await Api.Delete($"/v1/pipelines/{pipeline.Id}/stages/{id}", ("If-Match", "\"1\""))).IsError(412, "PRECONDITION_FAILED");
    }

    [Theory]
    [InlineData("""{}""", "name")]
    [InlineData("""{"name":""}""", "name")]
    [InlineData("""{"name":"N","type":"open","position":1.5}""", "position")]
    [InlineData("""{"name":"N","position":-1}""", "position")]
    [InlineData("""{"name":"N","position":"0"}""", "position")]
    [InlineData("""{"name":"N","type":"draw"}""", "type")]
    [InlineData("""{"name":"N","typ":"won"}""", "typ")]
    [InlineData("""{"name":"N","id":"ps_1","pipeline_id":"pp_1"}""", "id", "pipeline_id")]
    public async Task A_faulty_stage_is_refused(string body, params string[] fields) =>
        (await Api.Post($"/v1/pipelines/{(await DefaultPipeline()).Id}/stages", body)).IsInvalid(fields);

    [Theory]
    [InlineData("Won")]
    [InlineData("Lost")]
    public async Task The_last_won_and_the_last_lost_stage_stay_what_they_are(string name)
    {
        var pipeline = await NewPipeline();
        var path = $"/v1/pipelines/{pipeline.Id}/stages/{StageId(pipeline, name)}";
        (await Api.Delete(path)).IsError(400, "VALIDATION_ERROR");
        (await Api.Patch(path, new { type = "open" })).IsInvalid("type");
        (await Api.Patch(path, new { name = "Renamed" })).Is(200);
        (await Api.Post($"/v1/pipelines/{pipeline.Id}/stages", new { name = "Second", type = name == "Won" ? "won" : "lost" })).Is(201);
        (await Api.Patch(path, new { type = "open" })).Is(200);
    }

    [Fact]
    public async Task A_stage_that_holds_deals_stays()
    {
        var pipeline = await NewPipeline();
        var talks = StageId(pipeline, "Talks");
        var deal = await Api.Create("deals", new { title = "Licence", pipeline_id = pipeline.Id, stage_id = talks });
        var reply = (await Api.Delete($"/v1/pipelines/{pipeline.Id}/stages/{talks}")).IsError(409, "CONFLICT");
        Assert.Contains("deals", reply.Message, StringComparison.Ordinal);
        (await Api.Patch($"/v1/deals/{deal.Id}", new { stage_id = StageId(pipeline, "Open") })).Is(200);
        (await Api.Delete($"/v1/pipelines/{pipeline.Id}/stages/{talks}")).Is(204);
        (await Api.Patch($"/v1/deals/{deal.Id}", new { stage_id = talks })).IsError(422, "UNPROCESSABLE_ENTITY", "stage_id");
    }

    [Fact]
    public async Task A_stage_of_another_pipeline_is_not_found_in_this_one()
    {
        var (pipeline, other) = (await NewPipeline(), await DefaultPipeline());
        var path = $"/v1/pipelines/{other.Id}/stages/{StageId(pipeline, "Talks")}";
        (await Api.Get(path)).IsNotFound();
        (await Api.Patch(path, new { name = "X" })).IsNotFound();
        (await Api.Delete(path)).IsNotFound();
        (await Api.Get($"/v1/pipelines/{other.Id}/stages/{other.Id}")).IsInvalid("stage_id");
    }

    [Fact]
    public async Task Events_tell_of_the_stages_that_came_moved_and_went()
    {
        var pipeline = await NewPipeline();
        var added = (await Api.Post($"/v1/pipelines/{pipeline.Id}/stages", new { name = "New", position = 2 })).Is(201);
        (await Api.Delete($"/v1/pipelines/{pipeline.Id}/stages/{added.Id}")).Is(204);

        Assert.Equal(
            ["pipeline_stage.created", "pipeline_stage.deleted"], (await Server.EventsOf(Workspace, added.Id)).Select(e => e.GetProperty("event").GetString()));
        var won = await Server.EventsOf(Workspace, StageId(pipeline, "Won"));
        Assert.Equal(["pipeline_stage.created", "pipeline_stage.updated", "pipeline_stage.updated"], won.Select(e => e.GetProperty("event").GetString()));
        Assert.Equal(["""{"position":2}""", """{"position":3}"""], won.Skip(1).Select(e => e.GetProperty("previous_attributes").GetRawText()));
        Assert.Equal([1L, 2L, 3L], won.Select(e => e.GetProperty("metadata").GetProperty("version").GetInt64()));
        Assert.Single(await Server.EventsOf(Workspace, StageId(pipeline, "Open")));
        Assert.Equal("pipeline.updated", (await Server.EventsOf(Workspace, pipeline.Id))[^1].GetProperty("event").GetString());
    }
}
