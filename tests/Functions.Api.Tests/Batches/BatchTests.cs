using System.Text.Json;
using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Batches;

public sealed class BatchTests(Server server) : ApiTests(server)
{
    [Fact]
    public async Task Each_operation_is_answered_in_order_with_its_own_status()
    {
        var (kept, gone) =
            (await Api.Create("contacts", new { email = "kept@acme.com", last_name = "Doe" }), await Api.Create("contacts", new { email = "gone@acme.com" }));
        var reply = await Batch(
            "contacts",
            """{"op":"create","data":{"email":"new@acme.com"}}""",
            $$$"""{"op":"update","id":"{{{kept.Id}}}","data":{"first_name":"Jane"}}""",
            """{"op":"upsert","match_on":"email","data":{"email":"KEPT@acme.com","title":"CEO"}}""",
            """{"op":"upsert","match_on":"email","data":{"email":"other@acme.com"}}""",
            $$"""{"op":"delete","id":"{{gone.Id}}"}""",
            """{"op":"create","data":{"email":"new@acme.com"}}""",
            """{"op":"create","data":{"email":"wrong","first_name":1}}""",
            $$"""{"op":"delete","id":"{{gone.Id}}"}""");

        Assert.Equal([201, 200, 200, 201, 204, 409, 400, 404], Statuses(reply.Is(200)));
        var items = Items(reply);
        Assert.Equal(("contact", "new@acme.com"), (items[0].GetProperty("data").GetProperty("type").GetString(), Attribute(items[0], "email")));
        Assert.Equal((kept.Id, "Jane", "Doe", "CEO"),
            (items[2].GetProperty("data").GetProperty("id").GetString(), Attribute(items[2], "first_name"), Attribute(items[2], "last_name"),
                Attribute(items[2], "title")));
        Assert.False(items[4].TryGetProperty("data", out _));
        Assert.Equal("CONFLICT", items[5].GetProperty("error").GetProperty("code").GetString());
        Assert.Equal(
            ["email", "first_name"], items[6].GetProperty("error").GetProperty("details").EnumerateArray().Select(d => d.GetProperty("field").GetString()));
        Assert.Equal(3, (await Api.Get("/v1/contacts")).List.Count);
    }

    [Fact]
    public async Task An_atomic_batch_is_done_whole()
    {
        var gone = await Api.Create("contacts", new { email = "jane@acme.com" });
        var reply = await Atomic("contacts", $$"""{"op":"delete","id":"{{gone.Id}}"}""", """{"op":"create","data":{"email":"jane@acme.com"}}""",
            """{"op":"upsert","match_on":"email","data":{"email":"jane@acme.com","title":"CEO"}}""");
        Assert.Equal([204, 201, 200], Statuses(reply.Is(200)));
        var contact = Assert.Single((await Api.Get("/v1/contacts")).List);
        Assert.Equal("CEO", contact.GetProperty("attributes").GetProperty("title").GetString());
        var id = contact.GetProperty("id").GetString()!;
        Assert.Equal([("contact.created", 1L), ("contact.updated", 2L)],
            (await Server.EventsOf(Workspace, id)).Select(
                e => (e.GetProperty("event").GetString()!, e.GetProperty("metadata").GetProperty("version").GetInt64())));
    }

    [Theory]
    [InlineData("""{"op":"create","data":{"email":"taken@acme.com"}}""", 409, "CONFLICT", "operations[1].data.email")]
    [InlineData("""{"op":"create","data":{"email":"first@acme.com"}}""", 409, "CONFLICT", "operations[1].data.email")]
    [InlineData("""{"op":"create","data":{"email":"x","phone":1}}""", 400, "VALIDATION_ERROR", "operations[1].data.email")]
    [InlineData("""{"op":"create","data":{"company_id":"co_00000000000000000000"}}""", 422, "UNPROCESSABLE_ENTITY", "operations[1].data.company_id")]
    [InlineData("""{"op":"update","id":"ct_00000000000000000000","data":{}}""", 404, "NOT_FOUND", "operations[1]")]
    [InlineData("""{"op":"delete","id":"ct_00000000000000000000"}""", 404, "NOT_FOUND", "operations[1]")]
    public async Task Of_an_atomic_batch_with_a_fault_nothing_is_done_and_the_first_is_answered(string operation, int status, string code, string field)
    {
        await Api.Create("contacts", new { email = "taken@acme.com" });
        var before = (await Server.EventsOf(Workspace)).Count;
        var reply = await Atomic(
            "contacts", """{"op":"create","data":{"email":"first@acme.com"}}""", operation, """{"op":"create","data":{"email":"wrong"}}""");
        Assert.Equal(field, reply.IsError(status, code).Fields[0]);
        Assert.Single((await Api.Get("/v1/contacts")).List);
        Assert.Equal(before, (await Server.EventsOf(Workspace)).Count);
    }

    [Fact]
    public async Task A_hundred_operations_are_one_commit()
    {
        var company = await Api.Create("companies", new { name = "Acme" });
        var operations = Enumerable.Range(0, 100)
            .Select(i => $$$"""{"op":"create","data":{"email":"c{{{i}}}@acme.com","company_id":"{{{company.Id}}}","custom_fields":{"n":{{{i}}} } } }""")
            .ToArray();
        Assert.All(Statuses((await Atomic("contacts", operations)).Is(200)), status => Assert.Equal(201, status));
        Assert.Equal(100, (await Api.Get($"/v1/contacts?company_id={company.Id}&limit=100")).List.Count);
        (await Atomic("contacts", [.. operations, operations[0]])).IsInvalid("operations");

        var ids = (await Api.Get("/v1/contacts?limit=100")).Ids;
        await Api.Create("activities", new { type = "note", contact_id = ids[0] });
        Assert.All(Statuses((await Atomic("contacts", [.. ids.Select(id => $$"""{"op":"delete","id":"{{id}}"}""")])).Is(200)),
            status => Assert.Equal(204, status));
        Assert.Empty((await Api.Get("/v1/contacts")).List);
        Assert.Null((await Api.Get("/v1/activities")).List[0].GetProperty("attributes").GetProperty("contact_id").GetString());
    }

    [Theory]
    [InlineData("companies", """{"name":"Acme","domain":"acme.com"}""", "domain")]
    [InlineData("tags", """{"name":"vip"}""", "name")]
    [InlineData("custom-fields", """{"entity_type":"deal","name":"Plan","slug":"plan","field_type":"text"}""", "slug")]
    public async Task Upsert_finds_by_each_unique_field(string collection, string data, string field)
    {
        var operation = $$"""{"op":"upsert","match_on":"{{field}}","data":{{data}} }""";
        var reply = await Batch(collection, operation, operation);
        Assert.Equal([201, 200], Statuses(reply.Is(200)));
        Assert.Single(Items(reply).Select(i => i.GetProperty("data").GetProperty("id").GetString()).Distinct());
        Assert.Equal([200], Statuses((await Atomic(collection, operation)).Is(200)));
    }

    [Theory]
    [InlineData("deals", """{"title":"Licence"}""")]
    [InlineData("activities", """{"type":"note"}""")]
    [InlineData("pipelines", """{"name":"Renewals","stages":[{"name":"W","type":"won"},{"name":"L","type":"lost"}]}""")]
    public async Task Other_resources_take_batches_too(string collection, string data)
    {
        foreach (var atomic in new[] { false, true })
        {
            var created = await Send(collection, atomic, $$"""{"op":"create","data":{{data}} }""", $$"""{"op":"create","data":{{data}} }""");
            Assert.Equal([201, 201], Statuses(created.Is(200)));
            var id = Items(created)[0].GetProperty("data").GetProperty("id").GetString();
            Assert.Equal([200, 204],
                Statuses((await Send(collection, atomic, $$"""{"op":"update","id":"{{id}}","data":{} }""", $$"""{"op":"delete","id":"{{id}}"}""")).Is(200)));
            (await Batch(collection, """{"op":"upsert","match_on":"title","data":{}}""")).IsInvalid("operations[0].match_on");
        }
    }

    [Theory]
    [InlineData("""{}""", "operations")]
    [InlineData("""{"operations":{}}""", "operations")]
    [InlineData("""{"operations":[]}""", "operations")]
    [InlineData("""{"operations":[{"op":"delete"}],"atomic":1}""", "atomic", "operations[0].id")]
    [InlineData("""{"operations":[{"op":"delete","id":"ct_00000000000000000000"}],"atomicc":true}""", "atomicc")]
    [InlineData("""{"operations":[1,{"op":"destroy"},{"op":1},{}]}""", "operations[0]", "operations[1].op", "operations[2].op", "operations[3].op")]
    [InlineData("""{"operations":[{"op":"create"},{"op":"create","data":[]},{"op":"create","data":{},"id":"x"}]}""", "operations[0].data", "operations[1].data",
        "operations[2].id")]
    [InlineData("""{"operations":[{"op":"update","data":{}},{"op":"update","id":"co_00000000000000000000","data":{}}]}""", "operations[0].id",
        "operations[1].id")]
    [InlineData("""{"operations":[{"op":"upsert","data":{}},{"op":"upsert","match_on":"phone","data":{}}]}""", "operations[0].match_on",
        "operations[1].match_on")]
    public async Task Its_form_is_checked_whole_before_anything_is_done(string body, params string[] fields)
    {
        (await Api.Post("/v1/contacts/batch", body)).IsError(400, "VALIDATION_ERROR", fields);
        Assert.Empty((await Api.Get("/v1/contacts")).List);
    }

    [Fact]
    public async Task Upsert_takes_the_value_it_matches_on()
    {
        var reply = await Batch(
            "contacts", """{"op":"upsert","match_on":"email","data":{"first_name":"Jane"}}""", """{"op":"upsert","match_on":"email","data":{"email":null}}""");
        Assert.Equal([400, 400], Statuses(reply.Is(200)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_dry_run_answers_the_same_and_stores_nothing(bool atomic)
    {
        string[] operations = [
            """{"op":"create","data":{"email":"a@acme.com"}}""", """{"op":"upsert","match_on":"email","data":{"email":"a@acme.com","title":"CEO"}}"""];
        var dryRun = (await Api.Post("/v1/contacts/batch?dry_run=true", Body(atomic, operations))).Is(200);
        Assert.Equal([201, 200], Statuses(dryRun));
        Assert.Equal("CEO", Attribute(Items(dryRun)[1], "title"));
        Assert.Empty((await Api.Get("/v1/contacts")).List);
        Assert.Equal([201, 200], Statuses(await Send("contacts", atomic, operations)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_repeat_gets_the_stored_answer(bool atomic)
    {
        string[] operations = ["""{"op":"create","data":{"email":"a@acme.com"}}""", """{"op":"create","data":{}}"""];
        var replies =
            await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Api.Post("/v1/contacts/batch", Body(atomic, operations), ("Idempotency-Key", "import-1"))));
        var first = Assert.Single(replies, r => r.Status == 200 && r.Header("Idempotency-Replayed") is null);
        Assert.All(replies.Where(r => r != first), r => Assert.True(r.Status == 409 || r.Raw == first.Raw, r.Raw));
        Assert.Equal(first.Raw, (await Api.Post("/v1/contacts/batch", Body(atomic, operations), ("Idempotency-Key", "import-1"))).Raw);
        Assert.Equal(2, (await Api.Get("/v1/contacts")).List.Count);
    }

    [Fact]
    public async Task Atomic_batches_that_race_are_each_done_whole_or_not_at_all()
    {
        var replies = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Atomic(
            "contacts", $$"""{"op":"create","data":{"email":"own{{i}}@acme.com"} }""", """{"op":"create","data":{"email":"shared@acme.com"}}""")));
        Assert.Single(replies, r => r.Status == 200);
        Assert.All(replies.Where(r => r.Status != 200), r => r.IsError(409, "CONFLICT"));
        Assert.Equal(2, (await Api.Get("/v1/contacts?limit=100")).List.Count);
    }

    [Fact]
    public async Task An_answer_too_large_to_be_kept_is_made_of_its_parts_again()
    {
        var activities = new List<string>();
        for (var i = 0; i < 25; i++) activities.Add((await Api.Create("activities", new { type = "note", body = new string('x', 100_000) })).Id);
        string[] operations = [.. activities.Select(id => $$"""{"op":"update","id":"{{id}}","data":{"is_done":true} }""")];

        var first = (await Api.Post("/v1/activities/batch", Body(atomic: false, operations), ("Idempotency-Key", "k"))).Is(200);
        var again = (await Api.Post("/v1/activities/batch", Body(atomic: false, operations), ("Idempotency-Key", "k"))).Is(200);

        Assert.Equal(Items(first).Select(i => i.GetRawText()), Items(again).Select(i => i.GetRawText()));
        Assert.Equal("\"2\"", (await Api.Get($"/v1/activities/{activities[24]}")).ETag);
        (await Api.Post("/v1/activities/batch", Body(atomic: false, ["""{"op":"create","data":{"type":"note"}}"""]), ("Idempotency-Key", "k"))).IsError(
            422, "IDEMPOTENCY_KEY_REUSED");
    }

    [Theory]
    [InlineData("companies", """{"name":"Acme"}""", "company_id", 70)]
    [InlineData("contacts", "{}", "contact_id", 100)]
    public async Task Records_that_others_link_to_are_deleted_together(string collection, string data, string link, int count)
    {
        var records = Items((await Atomic(collection, [.. Enumerable.Repeat($$"""{"op":"create","data":{{data}} }""", count)])).Is(200))
            .Select(i => i.GetProperty("data").GetProperty("id").GetString()).ToList();
        foreach (var (linking, body) in new[] { ("activities", "\"type\":\"note\""), ("deals", "\"title\":\"Licence\"") })
            (await Atomic(linking, [.. records.Select(id => $$"""{"op":"create","data":{ {{body}},"{{link}}":"{{id}}" } }""")])).Is(200);

        (await Atomic(collection, [.. records.Select(id => $$"""{"op":"delete","id":"{{id}}"}""")])).Is(200);

        foreach (var linking in new[] { "activities", "deals" }) Assert.Empty((await Api.Get($"/v1/{linking}?{link}[exists]=true")).List);
        await Server.Settled(Workspace);
        foreach (var linking in new[] { "activities", "deals" }) Assert.Empty((await Api.Get($"/v1/{linking}?{link}[exists]=true")).List);
    }

    [Fact]
    public async Task An_operation_sees_what_one_before_it_did_to_all_records()
    {
        var tag = await Api.Create("tags", new { name = "a" });
        var contact = await Api.Create("contacts", new { tags = new[] { "a" } });
        string Rename(string name) => $$"""{"op":"update","id":"{{tag.Id}}","data":{"name":"{{name}}"} }""";
        (await Atomic("tags", Rename("x"), Rename("y"))).Is(200);
        Assert.Equal("""["y"]""", (await Api.Get($"/v1/contacts/{contact.Id}")).Json("tags"));
        await Server.Settled(Workspace);
        Assert.Equal("""["y"]""", (await Api.Get($"/v1/contacts/{contact.Id}")).Json("tags"));
    }

    [Fact]
    public async Task The_default_pipeline_may_give_way_to_one_made_in_the_same_batch()
    {
        var pipeline = await DefaultPipeline();
        string[] operations = ["""{"op":"create","data":{"name":"N","stages":[{"name":"O"},{"name":"W","type":"won"},{"name":"L","type":"lost"}]}}""",
            $$"""{"op":"delete","id":"{{pipeline.Id}}"}"""];
        Assert.Equal([201, 204], Statuses((await Api.Post("/v1/pipelines/batch?dry_run=true", Body(atomic: false, operations))).Is(200)));
        var done = (await Atomic("pipelines", operations)).Is(200);
        Assert.Equal([Items(done)[0].GetProperty("data").GetProperty("id").GetString()!], (await Api.Get("/v1/pipelines?is_default=true")).Ids);
    }

    [Fact]
    public async Task Upserts_that_race_make_one_record()
    {
        var replies = await Task.WhenAll(
            Enumerable.Range(0, 32)
                .Select(i =>
                    Batch("contacts", $$$"""{"op":"upsert","match_on":"email","data":{"email":"jane@acme.com","custom_fields":{"c{{{i}}}":{{{i}}} } } }""")));
        Assert.Single(replies, r => Statuses(r)[0] == 201);
        Assert.Equal(31, replies.Count(r => Statuses(r)[0] == 200));
        Assert.Equal(32, Assert.Single((await Api.Get("/v1/contacts")).List).GetProperty("attributes").GetProperty("custom_fields").EnumerateObject().Count());
    }

    private Task<Reply> Batch(string collection, params string[] operations) => Send(collection, atomic: false, operations);

    private Task<Reply> Atomic(string collection, params string[] operations) => Send(collection, atomic: true, operations);

    private Task<Reply> Send(string collection, bool atomic, params string[] operations) => Api.Post($"/v1/{collection}/batch", Body(atomic, operations));

    private static string Body(bool atomic, string[] operations) =>
        $$"""{"operations":[{{string.Join(',', operations)}}],"atomic":{{(atomic ? "true" : "false")}} }""";

    private static List<JsonElement> Items(Reply reply) => [.. reply.Body.GetProperty("data").EnumerateArray()];

    private static List<int> Statuses(Reply reply) => Items(reply).ConvertAll(i => i.GetProperty("status").GetInt32());

    private static string? Attribute(JsonElement item, string name) => item.GetProperty("data").GetProperty("attributes").GetProperty(name).GetString();
}
