using System.Text.Json;
using System.Text.RegularExpressions;
using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Contacts;

public sealed partial class CreateContactTests(Server server) : ApiTests(server)
{
    [Fact]
    public async Task It_is_answered_whole_in_the_envelope_of_one()
    {
        var company = (await Api.Create("companies", new { name = "Acme" })).Id;
        var reply = await Api.Create("contacts", new
        {
            email = "Jane@Acme.com", first_name = "Jane", last_name = "Smith", phone = "+49 30 1", company_id = company, title = "CTO",
            source = "website", custom_fields = new { score = 85 }, tags = new[] { "a", "b" },
        });

        Assert.Equal(["data", "meta"], reply.Body.EnumerateObject().Select(p => p.Name));
        Assert.Equal(["id", "type", "attributes"], reply.Data.EnumerateObject().Select(p => p.Name));
        Assert.Equal("contact", reply.Data.GetProperty("type").GetString());
        Assert.Matches(ContactId(), reply.Id);
        Assert.Equal(reply.Id, reply.Text("id"));
        Assert.Equal(
            ["id", "email", "first_name", "last_name", "phone", "company_id", "title", "source", "custom_fields", "tags", "created_at", "updated_at"],
            reply.Data.GetProperty("attributes").EnumerateObject().Select(p => p.Name));
        Assert.Equal("Jane@Acme.com", reply.Text("email"));
        Assert.Equal(company, reply.Text("company_id"));
        Assert.Equal("""{"score":85}""", reply.Json("custom_fields"));
        Assert.Equal("""["a","b"]""", reply.Json("tags"));
        Assert.Matches(UtcToTheSecond(), reply.Text("created_at"));
        Assert.Equal(reply.Text("created_at"), reply.Text("updated_at"));
        Assert.Equal("application/json; charset=utf-8", reply.Header("Content-Type"));
        Assert.Matches(RequestId(), reply.Header("X-Request-Id"));
        Assert.Equal(reply.Header("X-Request-Id"), reply.Body.GetProperty("meta").GetProperty("request_id").GetString());
        Assert.Equal($"/v1/contacts/{reply.Id}", reply.Header("Location"));
        Assert.Equal("\"1\"", reply.ETag);
    }

    [Fact]
    public async Task Everything_is_optional()
    {
        var reply = await Api.Create("contacts", new { });
        foreach (var attribute in new[] { "email", "first_name", "last_name", "phone", "company_id", "title", "source" })
            Assert.Equal("null", reply.Json(attribute));
        Assert.Equal("{}", reply.Json("custom_fields"));
        Assert.Equal("[]", reply.Json("tags"));
    }

    [Theory]
    [InlineData("first_name", 100)]
    [InlineData("last_name", 100)]
    [InlineData("phone", 50)]
    [InlineData("title", 200)]
    [InlineData("source", 100)]
    public async Task A_text_may_be_as_long_as_its_limit_and_no_longer(string field, int maxLength)
    {
        // Characters are code points, so a pair of surrogates counts once.
        var text = string.Concat(Enumerable.Repeat("😀", maxLength));
        Assert.Equal(text, (await Api.Create("contacts", new Dictionary<string, string> { [field] = text })).Text(field));
        (await Api.Post("/v1/contacts", new Dictionary<string, string> { [field] = text + "x" })).IsInvalid(field);
    }

    [Fact]
    public async Task Tags_are_twenty_of_fifty_characters_each_kept_once()
    {
        var tags = Enumerable.Range(10, 20).Select(i => $"{i}{new string('t', 48)}").ToArray();
        var reply = await Api.Create("contacts", new { tags = tags.Append(tags[0]) });
        Assert.Equal(tags, reply["tags"].EnumerateArray().Select(t => t.GetString()));
        (await Api.Post("/v1/contacts", new { tags = tags.Append("one more") })).IsInvalid("tags");
        (await Api.Post("/v1/contacts", new { tags = new[] { "fine", new string('t', 51), "" } })).IsInvalid("tags[1]", "tags[2]");
    }

    [Theory]
    [InlineData("jane")]
    [InlineData("jane@")]
    [InlineData("@acme.com")]
    [InlineData("jane@acme")]
    [InlineData("jane@@acme.com")]
    [InlineData("jane doe@acme.com")]
    [InlineData("Jane <jane@acme.com>")]
    [InlineData("jane@acme..com")]
    [InlineData("jane@acme.com,joe@acme.com")]
    [InlineData("")]
    public async Task An_email_must_be_one(string email)
    {
        var reply = (await Api.Post("/v1/contacts", new { email })).IsInvalid("email");
        Assert.Equal("Request validation failed", reply.Message);
        Assert.Equal("Invalid email", reply.FaultOf("email"));
    }

    [Fact]
    public async Task An_email_may_have_254_characters()
    {
        var email = $"{new string('e', 60)}@{new string('a', 63)}.{new string('b', 63)}.{new string('c', 57)}.example";
        Assert.Equal(254, email.Length);
        Assert.Equal(email, (await Api.Create("contacts", new { email })).Text("email"));
        (await Api.Post("/v1/contacts", new { email = "e" + email })).IsInvalid("email");
    }

    [Fact]
    public async Task Duplicate_email_is_a_conflict_whatever_its_case()
    {
        await Api.Create("contacts", new { email = "jane@acme.com" });
        var reply = (await Api.Post("/v1/contacts", new { email = "JANE@Acme.com" })).IsError(409, "CONFLICT", "email");
        Assert.Equal("A contact with email 'JANE@Acme.com' already exists in this workspace", reply.Message);
    }

    [Fact]
    public async Task The_same_email_is_free_in_another_workspace_and_in_test_data()
    {
        await Api.Create("contacts", new { email = "jane@acme.com" });
        await (await Server.NewWorkspace()).Owner.Create("contacts", new { email = "jane@acme.com" });
        await (await Api.InTest()).Create("contacts", new { email = "jane@acme.com" });
    }

    [Fact]
    public async Task Of_64_clients_racing_for_one_email_one_gets_it_and_it_is_free_again_after_a_delete()
    {
        for (var round = 0; round < 2; round++)
        {
            var replies =
                await Task.WhenAll(Enumerable.Range(0, 64).Select(i => Api.Post("/v1/contacts", new { email = i % 2 == 0 ? "one@race.com" : "ONE@race.com" })));
            var winner = Assert.Single(replies, r => r.Status == 201);
            Assert.All(replies.Where(r => r != winner), r => r.IsError(409, "CONFLICT", "email"));
            Assert.Equal([winner.Id], (await Api.Get("/v1/contacts")).Ids);
            (await Api.Delete($"/v1/contacts/{winner.Id}")).Is(204);
        }
    }

    [Fact]
    public async Task A_company_that_does_not_exist_is_unprocessable()
    {
        var missing = Server.FreshId("co_");
        var reply = (await Api.Post("/v1/contacts", new { company_id = missing })).IsError(422, "UNPROCESSABLE_ENTITY", "company_id");
        Assert.Equal($"No company with id '{missing}' in this workspace", reply.Message);
        Assert.Empty((await Api.Get("/v1/contacts")).List);
    }

    [Fact]
    public async Task A_company_of_another_workspace_does_not_exist()
    {
        var elsewhere = (await (await Server.NewWorkspace()).Owner.Create("companies", new { name = "Theirs" })).Id;
        (await Api.Post("/v1/contacts", new { company_id = elsewhere })).IsError(422, "UNPROCESSABLE_ENTITY", "company_id");
    }

    [Fact]
    public async Task An_id_with_the_prefix_of_something_else_is_invalid() =>
        (await Api.Post("/v1/contacts", new { company_id = Server.FreshId("ct_") })).IsInvalid("company_id");

    [Fact]
    public async Task Every_faulty_field_is_named_at_once() =>
        (await Api.Post("/v1/contacts", """{"email":"x","first_name":5,"tags":"a","company_id":"co_1","nonsense":1,"custom_fields":[],"phone":true}"""))
            .IsInvalid("email", "first_name", "tags", "company_id", "nonsense", "custom_fields", "phone");

    [Fact]
    public async Task What_the_server_sets_can_not_be_sent() =>
        (await Api.Post("/v1/contacts", """{"id":"ct_1","created_at":"2026-01-15T10:30:00Z","updated_at":null}""")).IsInvalid("id", "created_at", "updated_at");

    [Fact]
    public async Task An_unknown_field_is_refused_with_the_nearest_name()
    {
        var reply = (await Api.Post("/v1/contacts", """{"emial":"jane@acme.com"}""")).IsInvalid("emial");
        Assert.Equal("Unknown field. Did you mean 'email'?", reply.FaultOf("emial"));
    }

    [Fact]
    public async Task Custom_fields_are_stored_as_given_up_to_100_names_and_32_KiB()
    {
        var free = """{"a":[1,{"b":null}],"price":12345678901234567890.123456789,"nested":{"deep":{"er":true}},"text":"ä\"\\😀","flag":false}""";
        var reply = await Api.Create("contacts", $$"""{"custom_fields":{{free}}}""");
        var stored = (await Api.Get($"/v1/contacts/{reply.Id}"))["custom_fields"];
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(free), reply["custom_fields"]));
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(free), stored));
        Assert.Equal("12345678901234567890.123456789", stored.GetProperty("price").GetRawText());

        var hundred = Enumerable.Range(0, 100).ToDictionary(i => $"f{i}", i => i);
        await Api.Create("contacts", new { custom_fields = hundred });
        (await Api.Post("/v1/contacts", new { custom_fields = hundred.Append(new("one_more", 1)).ToDictionary() })).IsInvalid("custom_fields");
        await Api.Create("contacts", new { custom_fields = new { text = new string('x', 32_000) } });
        (await Api.Post("/v1/contacts", new { custom_fields = new { text = new string('x', 32 * 1024) } })).IsInvalid("custom_fields");
    }

    [Theory]
    [InlineData("Upper")]
    [InlineData("1st")]
    [InlineData("with-dash")]
    [InlineData("_x")]
    [InlineData("")]
    [InlineData("ä")]
    public async Task A_custom_field_is_named_by_a_slug(string name) =>
        (await Api.Post("/v1/contacts", new { custom_fields = new Dictionary<string, int> { [name] = 1 } })).IsInvalid($"custom_fields.{name}");

    [GeneratedRegex("^ct_[0-9A-Za-z]{20}$")]
    private static partial Regex ContactId();

    [GeneratedRegex("^req_[0-9A-Za-z]{20}$")]
    private static partial Regex RequestId();

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
    private static partial Regex UtcToTheSecond();
}
