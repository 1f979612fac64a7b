using NodeStash.Contract.Tests.Running;

namespace NodeStash.Contract.Tests;

/// <summary>The API's contract, Deals.</summary>
public sealed class DealsTests(Deployment deployment) : ContractTests(deployment)
{
    [Fact]
    public async Task A_title_is_required_and_has_at_most_300_characters()
    {
        (await Api.Post("deals", new { })).IsInvalid("title");
        (await Api.Post("deals", new { title = new string('x', 301) })).IsInvalid("title");
        await Deal(new { title = new string('x', 300) });
    }

    [Fact]
    public async Task It_has_these_attributes() =>
        Assert.Equal(
            ["id", "title", "value", "currency", "pipeline_id", "stage_id", "contact_id", "company_id", "owner_id", "expected_close_date", "closed_at",
                "custom_fields", "tags", "created_at", "updated_at"],
            (await Deal()).Attributes.Select(member => member.Key));

    [Theory]
    [InlineData("48000", "48000.00")]
    [InlineData("48000.5", "48000.50")]
    [InlineData("\"48000.05\"", "48000.05")]
    [InlineData("0", "0.00")]
    [InlineData("-12.34", "-12.34")]
    [InlineData("9999999999999.99", "9999999999999.99")]
    [InlineData("0.1", "0.10")]
    [InlineData("1.10", "1.10")]
    [InlineData("70368744177664.07", null)]
    [InlineData("1.234", null)]
    [InlineData("\"1,5\"", null)]
    [InlineData("\"NaN\"", null)]
    [InlineData("true", null)]
    public async Task A_value_is_a_number_or_decimal_string_in_and_an_exact_decimal_string_with_2_places_out(string given, string? answered)
    {
        var deal = await Api.Post("deals", $$"""{"title":"Licence","value":{{given}}}""");

        if (answered is null) deal.IsInvalid("value");
        else Assert.Equal($"\"{answered}\"", Made(deal.Is(201), "deals")["value"]);
    }

    [Fact]
    public async Task A_currency_is_ISO_4217_and_EUR_by_default()
    {
        Assert.Equal("\"EUR\"", (await Deal())["currency"]);
        Assert.Equal("\"JPY\"", (await Deal(new { title = "Licence", currency = "JPY" }))["currency"]);
        (await Api.Post("deals", new { title = "Licence", currency = "XYZ" })).IsInvalid("currency");
    }

    [Fact]
    public async Task The_pipeline_is_the_workspace_default_and_the_stage_the_first_open_one_by_default()
    {
        var standard = Assert.Single((await Api.Get("pipelines?is_default=true")).Is(200).List);
        var first = standard["attributes"]!["stages"]!.AsArray().First(s => (string?)s!["type"] == "open")!["id"]!.ToString();
        var pipeline = await Pipeline();

        var deal = await Deal();
        Assert.Equal(((string?)standard["id"], first), ((string?)deal.Attributes["pipeline_id"], (string?)deal.Attributes["stage_id"]));
        Assert.Equal(StageId(pipeline, "Lead"), (string?)(await Deal(new { title = "Licence", pipeline_id = pipeline.Id })).Attributes["stage_id"]);
    }

    [Fact]
    public async Task An_expected_close_date_is_YYYY_MM_DD()
    {
        Assert.Equal("\"2026-03-31\"", (await Deal(new { title = "Licence", expected_close_date = "2026-03-31" }))["expected_close_date"]);
        foreach (var wrong in new[] { "31.3.2026", "2026-02-30", "2026-03-31T00:00:00Z", "" })
            (await Api.Post("deals", new { title = "Licence", expected_close_date = wrong })).IsInvalid("expected_close_date");
    }

    [Fact]
    public async Task Closed_at_is_set_by_the_server_alone() =>
        (await Api.Post("deals", new { title = "Licence", closed_at = "2026-01-15T10:30:00Z" })).IsInvalid("closed_at");

    [Fact]
    public async Task Include_contact_company_pipeline_and_stage()
    {
        var (contact, company, pipeline) = (await Contact(), await Company(), await Pipeline());
        var deal = await Deal(new { title = "Licence", contact_id = contact.Id, company_id = company.Id, pipeline_id = pipeline.Id });

        var included = (await Api.Get($"deals/{deal.Id}?include=contact,company,pipeline,stage")).Is(200).Attributes;

        Assert.Equal([contact.Id, company.Id, pipeline.Id, StageId(pipeline, "Lead")],
            new[] { "contact", "company", "pipeline", "stage" }.Select(name => (string?)included[name]!["id"]));
    }

    [Fact]
    public async Task Filters_pipeline_stage_contact_company_owner_tags_min_value_and_max_value()
    {
        var (contact, company, pipeline) = (await Contact(), await Company(), await Pipeline());
        var deal = await Deal(
            new
            {
                title = "Licence", value = 100.5, contact_id = contact.Id, company_id = company.Id, pipeline_id = pipeline.Id,
                stage_id = StageId(pipeline, "Talks"), tags = new[] { Unique }
            });
        await Deal();

        foreach (var filter in new[]
        {
            $"pipeline_id={pipeline.Id}", $"stage_id={StageId(pipeline, "Talks")}", $"contact_id={contact.Id}", $"company_id={company.Id}", $"tags={Unique}",
            $"tags={Unique}&min_value=100.50",
            $"tags={Unique}&max_value=100.5",
        })
            Assert.Equal([deal.Id], (await Api.Get($"deals?{filter}")).Is(200).Ids);
        Assert.Empty((await Api.Get($"deals?tags={Unique}&min_value=100.51")).Is(200).List);
        Assert.Empty((await Api.Get($"deals?tags={Unique}&max_value=100.49")).Is(200).List);
        Assert.Empty((await Api.Get($"deals?owner_id={NoOne("usr_")}")).Is(200).List);
    }

    [Theory]
    [InlineData("created_at")]
    [InlineData("updated_at")]
    [InlineData("value")]
    [InlineData("expected_close_date")]
    public async Task It_sorts_by(string field)
    {
        // By value: 9 is before 10.
        var a = await Deal(new { title = "Licence", value = 9, expected_close_date = "2026-01-09", tags = new[] { Unique } });
        var b = await Deal(new { title = "Licence", value = 10, expected_close_date = "2026-01-10", tags = new[] { Unique } });

        Assert.Equal([a.Id, b.Id], (await Api.Get($"deals?tags={Unique}&sort={field}")).Is(200).Ids);
        Assert.Equal([b.Id, a.Id], (await Api.Get($"deals?tags={Unique}&sort=-{field}")).Is(200).Ids);
    }

    [Fact]
    public async Task A_new_stage_id_must_be_of_the_deals_pipeline_or_of_the_pipeline_id_given_with_it()
    {
        var (pipeline, other) = (await Pipeline(), await Pipeline());
        var deal = await Deal(new { title = "Licence", pipeline_id = pipeline.Id });

        (await Api.Patch($"deals/{deal.Id}", new { stage_id = StageId(other, "Talks") })).IsError(422, "UNPROCESSABLE_ENTITY", "stage_id");
        (await Api.Patch($"deals/{deal.Id}", new { stage_id = StageId(pipeline, "Talks") })).Is(200);
        var moved = (await Api.Patch($"deals/{deal.Id}", new { pipeline_id = other.Id, stage_id = StageId(other, "Talks") })).Is(200);
        Assert.Equal((other.Id, StageId(other, "Talks")), ((string?)moved.Attributes["pipeline_id"], (string?)moved.Attributes["stage_id"]));
    }

    [Theory]
    [InlineData("Won")]
    [InlineData("Lost")]
    public async Task Entering_won_or_lost_sets_closed_at_and_going_back_to_open_clears_it(string stage)
    {
        var pipeline = await Pipeline();
        var deal = await Deal(new { title = "Licence", pipeline_id = pipeline.Id });
        Assert.Equal("null", deal["closed_at"]);

        var closed = (await Api.Patch($"deals/{deal.Id}", new { stage_id = StageId(pipeline, stage) })).Is(200);
        Assert.Matches(@"^""\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ""$", closed["closed_at"]);
        Assert.Equal("null", (await Api.Patch($"deals/{deal.Id}", new { stage_id = StageId(pipeline, "Talks") })).Is(200)["closed_at"]);
        Assert.NotEqual("null", (await Deal(new { title = "Licence", pipeline_id = pipeline.Id, stage_id = StageId(pipeline, stage) }))["closed_at"]);
    }
}
