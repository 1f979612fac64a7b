using NodeStash.Contract.Tests.Running;

namespace NodeStash.Contract.Tests;

/// <summary>The API's contract, Pipelines and stages.</summary>
public sealed class PipelinesTests(Deployment deployment) : ContractTests(deployment)
{
    private static readonly object[] WonAndLost = [new { name = "Won", type = "won" }, new { name = "Lost", type = "lost" }];

    [Fact]
    public async Task A_pipeline_has_name_description_is_default_and_flat_stages_ordered_by_position()
    {
        var pipeline = await Create("pipelines", new
        {
            name = "Sales", description = "Ours",
            stages = new object[] { new { name = "Last", type = "lost", position = 2 }, new { name = "First", position = 0 },
                new { name = "Middle", type = "won", position = 1 } },
        });

        Assert.Equal(("\"Sales\"", "\"Ours\"", "false"), (pipeline["name"], pipeline["description"], pipeline["is_default"]));
        Assert.Equal(["0 First open", "1 Middle won", "2 Last lost"], Stages(pipeline));
        Assert.Matches("^ps_[0-9A-Za-z]{20}$", (string?)pipeline.Attributes["stages"]![0]!["id"]);
        Assert.Null(pipeline.Attributes["stages"]![0]!["attributes"]);
    }

    [Fact]
    public async Task From_stage_routes_stages_are_enveloped_as_pipeline_stage()
    {
        var pipeline = await Pipeline();

        var (one, list) = ((await Api.Get($"pipelines/{pipeline.Id}/stages/{StageId(pipeline, "Talks")}")).Is(200),
            (await Api.Get($"pipelines/{pipeline.Id}/stages")).Is(200).List);

        Assert.Equal(("pipeline_stage", "\"Talks\"", "1", "\"open\""), ((string?)one.Data["type"], one["name"], one["position"], one["type"]));
        Assert.Equal(["\"Lead\"", "\"Talks\"", "\"Won\"", "\"Lost\""], list.Select(s => s.Attribute("name")));
        Assert.All(list, stage => Assert.Equal("pipeline_stage", (string?)stage["type"]));
    }

    [Fact]
    public async Task Create_needs_a_name_and_at_least_one_won_and_one_lost_stage()
    {
        (await Api.Post("pipelines", new { stages = WonAndLost })).IsInvalid("name");
        (await Api.Post("pipelines", new { name = "Sales" })).IsInvalid("stages");
        (await Api.Post("pipelines", new { name = "Sales", stages = new object[] { new { name = "Open" }, new { name = "Won", type = "won" } } })).IsInvalid(
            "stages");
        (await Api.Post("pipelines", new { name = "Sales", stages = new object[] { new { name = "Open" }, new { name = "Lost", type = "lost" } } })).IsInvalid(
            "stages");
        (await Api.Post("pipelines",
            new
            {
                name = "Sales",
                stages = new object[] { new { name = "Open", type = "lukewarm" }, new { name = "Won", type = "won", position = -1 }, new { type = "lost" } }
            }))
            .IsInvalid("stages[0].type", "stages[1].position", "stages[2].name");
    }

    [Theory]
    [InlineData("name", 200)]
    [InlineData("description", 1000)]
    public async Task A_text_has_at_most_so_many_characters(string field, int maxLength)
    {
        object With(int length) => Map(("name", "Sales"), ("stages", WonAndLost)).Concat(Map((field, new string('x', length)))).DistinctByLast();

        await Create("pipelines", With(maxLength));
        (await Api.Post("pipelines", With(maxLength + 1))).IsInvalid(field);
    }

    [Fact]
    public async Task A_stage_name_has_at_most_100_characters() =>
        (await Api.Post($"pipelines/{(await Pipeline()).Id}/stages", new { name = new string('x', 101) })).IsInvalid("name");

    [Fact]
    public async Task There_is_one_default_pipeline_and_setting_is_default_moves_it()
    {
        var before = Assert.Single((await Api.Get("pipelines?is_default=true")).Is(200).Ids);
        var pipeline = await Pipeline();

        Assert.Equal("true", (await Api.Patch($"pipelines/{pipeline.Id}", new { is_default = true })).Is(200)["is_default"]);
        Assert.Equal([pipeline.Id], (await Api.Get("pipelines?is_default=true")).Is(200).Ids);
        Assert.Equal("false", (await Api.Get($"pipelines/{before}")).Is(200)["is_default"]);

        (await Api.Patch($"pipelines/{before}", new { is_default = true })).Is(200);
        Assert.Equal([before], (await Api.Get("pipelines?is_default=true")).Is(200).Ids);
    }

    [Fact]
    public async Task Inserting_a_stage_shifts_the_others_and_positions_stay_0_to_n_1()
    {
        var pipeline = await Pipeline();

        var stage = (await Api.Post($"pipelines/{pipeline.Id}/stages", new { name = "New", position = 1 })).Is(201);

        Assert.EndsWith($"/v1/pipelines/{pipeline.Id}/stages/{stage.Id}", stage.Header("Location"), StringComparison.Ordinal);
        Assert.Equal(["0 Lead open", "1 New open", "2 Talks open", "3 Won won", "4 Lost lost"], Stages(await Api.Get($"pipelines/{pipeline.Id}")));
    }

    [Fact]
    public async Task Moving_a_stage_shifts_the_others_and_positions_stay_0_to_n_1()
    {
        var pipeline = await Pipeline();

        (await Api.Patch($"pipelines/{pipeline.Id}/stages/{StageId(pipeline, "Lead")}", new { position = 2 })).Is(200);
        Assert.Equal(["0 Talks open", "1 Won won", "2 Lead open", "3 Lost lost"], Stages(await Api.Get($"pipelines/{pipeline.Id}")));

        (await Api.Patch($"pipelines/{pipeline.Id}/stages/{StageId(pipeline, "Lead")}", new { position = 99 })).Is(200);
        Assert.Equal(["0 Talks open", "1 Won won", "2 Lost lost", "3 Lead open"], Stages(await Api.Get($"pipelines/{pipeline.Id}")));
    }

    [Fact]
    public async Task Deleting_a_stage_leaves_no_gap()
    {
        var pipeline = await Pipeline();

        (await Api.Delete($"pipelines/{pipeline.Id}/stages/{StageId(pipeline, "Lead")}")).Is(204);

        Assert.Equal(["0 Talks open", "1 Won won", "2 Lost lost"], Stages(await Api.Get($"pipelines/{pipeline.Id}")));
    }

    [Fact]
    public async Task Refused_with_400_deleting_the_last_won_or_lost_stage_or_changing_its_type()
    {
        var pipeline = await Pipeline();
        foreach (var name in new[] { "Won", "Lost" })
        {
            var path = $"pipelines/{pipeline.Id}/stages/{StageId(pipeline, name)}";
            (await Api.Delete(path)).IsInvalid();
            (await Api.Patch(path, new { type = "open" })).IsInvalid();
        }

        Assert.Equal(pipeline.ETag, (await Api.Get($"pipelines/{pipeline.Id}")).ETag);
    }

    [Fact]
    public async Task Refused_with_400_deleting_the_last_pipeline()
    {
        // Tried dry, and where there is more than one it is not refused.
        var pipelines = (await Api.Get("pipelines")).Is(200).Ids;

        var answer = await Api.Delete($"pipelines/{pipelines[0]}?dry_run=true");

        if (pipelines.Count == 1) answer.IsInvalid();
        else Assert.Contains(answer.Status, new[] { 204, 409 });
    }

    [Fact]
    public async Task Refused_with_409_deleting_a_pipeline_or_stage_that_holds_deals()
    {
        var pipeline = await Pipeline();
        var deal = await Deal(new { title = "Licence", pipeline_id = pipeline.Id });

        (await Api.Delete($"pipelines/{pipeline.Id}")).IsError(409, "CONFLICT");
        (await Api.Delete($"pipelines/{pipeline.Id}/stages/{StageId(pipeline, "Lead")}")).IsError(409, "CONFLICT");

        await Api.Delete($"deals/{deal.Id}");
        (await Api.Delete($"pipelines/{pipeline.Id}/stages/{StageId(pipeline, "Lead")}")).Is(204);
        (await Api.Delete($"pipelines/{pipeline.Id}")).Is(204);
    }

    [Fact]
    public async Task Include_deal_count_on_pipeline_and_stages()
    {
        var pipeline = await Pipeline();
        await Deal(new { title = "Licence", pipeline_id = pipeline.Id });
        await Deal(new { title = "Licence", pipeline_id = pipeline.Id, stage_id = StageId(pipeline, "Talks") });

        var counted = (await Api.Get($"pipelines/{pipeline.Id}?include=deal_count")).Is(200).Attributes;
        var stages = (await Api.Get($"pipelines/{pipeline.Id}/stages?include=deal_count")).Is(200).List;

        Assert.Equal(2, (int)counted["deal_count"]!);
        Assert.Equal([1, 1, 0, 0], counted["stages"]!.AsArray().Select(s => (int)s!["deal_count"]!));
        Assert.Equal(["1", "1", "0", "0"], stages.Select(s => s.Attribute("deal_count")));
        Assert.Equal("1", (await Api.Get($"pipelines/{pipeline.Id}/stages/{StageId(pipeline, "Talks")}?include=deal_count")).Is(200)["deal_count"]);
    }

    [Fact]
    public async Task A_stage_of_another_pipeline_is_not_found()
    {
        var (pipeline, other) = (await Pipeline(), await Pipeline());

        (await Api.Get($"pipelines/{pipeline.Id}/stages/{StageId(other, "Lead")}")).IsError(404, "NOT_FOUND");
        (await Api.Delete($"pipelines/{pipeline.Id}/stages/{StageId(other, "Lead")}")).IsError(404, "NOT_FOUND");
        (await Api.Get($"pipelines/{pipeline.Id}/stages/nonsense")).IsInvalid();
    }

    private static IEnumerable<string> Stages(Answer pipeline) =>
        pipeline.Attributes["stages"]!.AsArray().Select(s => $"{s!["position"]} {s["name"]} {s["type"]}");
}
