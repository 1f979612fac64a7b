using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Pipelines;

public sealed class PipelineTests(Server server) : ApiTests(server)
{
    private const string Stages = """[{"name":"Won","type":"won"},{"name":"Lost","type":"lost"}]""";

    [Fact]
    public async Task A_new_workspace_has_one_default_pipeline_in_both_its_data_sets()
    {
        foreach (var caller in new[] { Api, await Api.InTest() })
        {
            var pipeline = Assert.Single((await caller.Get("/v1/pipelines")).List).GetProperty("attributes");
            Assert.True(pipeline.GetProperty("is_default").GetBoolean());
            Assert.Contains(pipeline.GetProperty("stages").EnumerateArray(), s => s.GetProperty("type").GetString() == "won");
            Assert.Contains(pipeline.GetProperty("stages").EnumerateArray(), s => s.GetProperty("type").GetString() == "lost");
        }
    }

    [Fact]
    public async Task Its_stages_are_flat_objects_ordered_by_position()
    {
        var reply = await Api.Create("pipelines", """
            {"name":"Renewals","description":"Yearly","stages":[{"name":"Last","type":"lost","position":9},{"name":"First","position":0},{"name":"Second","type":"won","position":0}]}
            """);
        Assert.Equal(["id", "name", "description", "is_default", "stages", "created_at", "updated_at"],
            reply.Data.GetProperty("attributes").EnumerateObject().Select(p => p.Name));
        Assert.Equal(["0 First open", "1 Second won", "2 Last lost"], StagesOf(reply));
        Assert.Equal(["id", "name", "position", "type", "created_at", "updated_at"], reply["stages"][0].EnumerateObject().Select(p => p.Name));
        Assert.Equal($"/v1/pipelines/{reply.Id}", reply.Header("Location"));
        Assert.False(reply["is_default"].GetBoolean());
    }

    [Theory]
    [InlineData("""{"name":"P"}""", "stages")]
    [InlineData("""{"name":"P","stages":null}""", "stages")]
    [InlineData("""{"name":"P","stages":{}}""", "stages")]
    [InlineData("""{"name":"P","stages":[]}""", "stages")]
    [InlineData("""{"name":"P","stages":[{"name":"W","type":"won"}]}""", "stages")]
    [InlineData("""{"name":"P","stages":[{"name":"L","type":"lost"}]}""", "stages")]
    [InlineData("""{"name":"P","stages":[{"type":"won"},{"name":null,"type":"lost"},5]}""", "stages[0].name", "stages[1].name", "stages[2]")]
    [InlineData("""{"name":"P","stages":[{"name":"W","type":"wont"},{"name":"L","type":"lost","position":-1,"colour":"red","id":"x"}]}""",
        "stages[0].type", "stages[1].position", "stages[1].colour", "stages[1].id")]
    [InlineData("""{"name":"P","is_default":"yes","stages":[{"name":"W","type":"won"},{"name":"L","type":"lost"}]}""", "is_default")]
    public async Task It_needs_sound_stages_one_won_and_one_lost_at_least(string body, params string[] fields) =>
        (await Api.Post("/v1/pipelines", body)).IsInvalid(fields);

    [Theory]
    [InlineData("name", 200)]
    [InlineData("description", 1000)]
    public async Task A_text_may_be_as_long_as_its_limit_and_no_longer(string field, int maxLength)
    {
        string Body(int length) => field is "name"
            ? $$"""{"name":"{{new string('x', length)}}","stages":{{Stages}}}"""
            : $$"""{"name":"P","description":"{{new string('x', length)}}","stages":{{Stages}}}""";
        await Api.Create("pipelines", Body(maxLength));
        (await Api.Post("/v1/pipelines", Body(maxLength + 1))).IsInvalid(field);
    }

    [Fact]
    public async Task A_stage_name_has_at_most_100_characters()
    {
        await Api.Create(
            "pipelines", new { name = "P", stages = new[] { new { name = new string('x', 100), type = "won" }, new { name = "L", type = "lost" } } });
        (await Api.Post(
            "/v1/pipelines", new { name = "P", stages = new[] { new { name = new string('x', 101), type = "won" }, new { name = "L", type = "lost" } } }))
            .IsInvalid("stages[0].name");
    }

    [Fact]
    public async Task Setting_is_default_moves_it()
    {
        var first = await DefaultPipeline();
        var second = await Api.Create("pipelines", $$"""{"name":"Second","is_default":true,"stages":{{Stages}}}""");
        Assert.False((await Api.Get($"/v1/pipelines/{first.Id}"))["is_default"].GetBoolean());
        (await Api.Patch($"/v1/pipelines/{first.Id}", new { is_default = true })).Is(200);
        Assert.False((await Api.Get($"/v1/pipelines/{second.Id}"))["is_default"].GetBoolean());
        Assert.Equal([first.Id], (await Api.Get("/v1/pipelines?is_default=true")).Ids);
        (await Api.Patch($"/v1/pipelines/{first.Id}", new { is_default = false })).IsInvalid("is_default");
    }

    [Fact]
    public async Task However_many_ask_at_once_one_is_the_default()
    {
        var pipelines = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => NewPipeline($"P{i}")));
        var replies = await Task.WhenAll(pipelines.Select(p => Api.Patch($"/v1/pipelines/{p.Id}", new { is_default = true })));
        Assert.All(replies, r => r.Is(200));
        Assert.Single((await Api.Get("/v1/pipelines?is_default=true")).List);
    }

    [Fact]
    public async Task Name_and_description_are_updated_and_the_stages_stay()
    {
        var pipeline = await NewPipeline();
        var reply = (await Api.Patch($"/v1/pipelines/{pipeline.Id}", new { name = "Other", description = "D" })).Is(200);
        Assert.Equal(("Other", "D"), (reply.Text("name"), reply.Text("description")));
        Assert.Equal(pipeline.Json("stages"), reply.Json("stages"));
        (await Api.Patch($"/v1/pipelines/{pipeline.Id}", $$"""{"stages":{{Stages}}}""")).IsInvalid("stages");
        (await Api.Patch($"/v1/pipelines/{pipeline.Id}", """{"name":null}""")).IsInvalid("name");
    }

    [Fact]
    public async Task The_last_pipeline_stays()
    {
        var first = await DefaultPipeline();
        (await Api.Delete($"/v1/pipelines/{first.Id}")).IsInvalid("id");
        (await Api.Get($"/v1/pipelines/{first.Id}")).Is(200);
    }

    [Fact]
    public async Task Deleting_the_default_makes_another_one_the_default()
    {
        var (first, second) = (await DefaultPipeline(), await NewPipeline());
        (await Api.Delete($"/v1/pipelines/{first.Id}")).Is(204);
        Assert.Equal([second.Id], (await Api.Get("/v1/pipelines?is_default=true")).Ids);
        Assert.Equal(second.Id, (await Api.Create("deals", new { title = "Licence" })).Text("pipeline_id"));
    }

    [Fact]
    public async Task Of_all_pipelines_deleted_at_once_one_stays_and_is_the_default()
    {
        var ids = (await Task.WhenAll(Enumerable.Range(0, 5).Select(i => NewPipeline($"P{i}")))).Select(p => p.Id).Append((await DefaultPipeline()).Id);
        var replies = await Task.WhenAll(ids.Select(id => Api.Delete($"/v1/pipelines/{id}")));
        Assert.Single(replies, r => r.Status == 400);
        Assert.True(Assert.Single((await Api.Get("/v1/pipelines")).List).GetProperty("attributes").GetProperty("is_default").GetBoolean());
    }

    [Fact]
    public async Task A_pipeline_that_holds_deals_stays()
    {
        var pipeline = await NewPipeline();
        var deal = await Api.Create("deals", new { title = "Licence", pipeline_id = pipeline.Id });
        var reply = (await Api.Delete($"/v1/pipelines/{pipeline.Id}")).IsError(409, "CONFLICT");
        Assert.Contains("deals", reply.Message, StringComparison.Ordinal);
        (await Api.Delete($"/v1/deals/{deal.Id}")).Is(204);
        (await Api.Delete($"/v1/pipelines/{pipeline.Id}")).Is(204);
        (await Api.Get($"/v1/pipelines/{pipeline.Id}")).IsNotFound();
        (await Api.Get($"/v1/pipelines/{pipeline.Id}/stages")).IsNotFound();
    }

    [Fact]
    public async Task A_pipeline_and_its_stages_are_told_of_as_events()
    {
        var pipeline = await NewPipeline();
        Assert.Equal(["pipeline.created"], (await Server.EventsOf(Workspace, pipeline.Id)).Select(e => e.GetProperty("event").GetString()));
        (await Api.Delete($"/v1/pipelines/{pipeline.Id}")).Is(204);
        foreach (var stage in pipeline["stages"].EnumerateArray())
            Assert.Equal(["pipeline_stage.created", "pipeline_stage.deleted"],
                (await Server.EventsOf(Workspace, stage.GetProperty("id").GetString())).Select(e => e.GetProperty("event").GetString()));
    }
}
