using System.Text.Json.Nodes;
using NodeStash.Contract.Tests.Running;

namespace NodeStash.Contract.Tests;

/// <summary>The API's contract, Envelopes.</summary>
public sealed class EnvelopesTests(Deployment deployment) : ContractTests(deployment)
{
    [Fact]
    public async Task One_is_data_with_id_type_and_attributes_and_meta_with_request_id()
    {
        var contact = await Contact();

        Assert.Equal(["data", "meta"], contact.Json.Select(member => member.Key));
        Assert.Equal(["id", "type", "attributes"], contact.Data.Select(member => member.Key));
        Assert.Matches("^req_[0-9A-Za-z]{20}$", (string?)contact.Meta["request_id"]);
    }

    [Fact]
    public async Task The_id_stands_again_in_attributes()
    {
        var contact = await Contact();

        Assert.Equal(contact.Id, (string?)contact.Attributes["id"]);
    }

    [Fact]
    public async Task A_list_is_data_and_meta_with_pagination()
    {
        await Contact(new { source = Unique });

        var list = (await Api.Get($"contacts?source={Unique}")).Is(200);

        Assert.Equal(["id", "type", "attributes"], Assert.Single(list.List).Select(member => member.Key));
        Assert.Equal(["next_cursor", "has_more"], list.Meta["pagination"]!.AsObject().Select(member => member.Key));
        Assert.NotNull(list.Meta["request_id"]);
        Assert.Equal((null, false), (list.NextCursor, list.HasMore));
    }

    [Fact]
    public async Task A_list_that_goes_on_has_a_next_cursor_and_has_more()
    {
        await Contact(new { source = Unique });
        await Contact(new { source = Unique });

        var list = (await Api.Get($"contacts?source={Unique}&limit=1")).Is(200);

        Assert.NotNull(list.NextCursor);
        Assert.True(list.HasMore);
    }

    [Fact]
    public async Task An_error_has_code_message_and_the_faulty_fields_with_a_message_each()
    {
        var refused = (await Api.Post("contacts", new { email = "nonsense" })).IsInvalid("email");

        Assert.Equal(["error", "meta"], refused.Json.Select(member => member.Key));
        Assert.Equal(["field", "message"], refused.Json["error"]!["details"]![0]!.AsObject().Select(member => member.Key));
    }

    [Fact]
    public async Task A_body_is_checked_whole_every_faulty_field_is_listed_at_once() =>
        (await Api.Post("contacts",
            new { email = "nonsense", first_name = new string('x', 101), phone = 5, tags = "vip", nonsense = 1, created_at = "2026-01-15T10:30:00Z" }))
            .IsInvalid("email", "first_name", "phone", "tags", "nonsense", "created_at");

    [Fact]
    public async Task With_Accept_problem_json_it_is_the_same_error_as_RFC_9457()
    {
        var refused = (await Api.Post("contacts", new { email = "nonsense" }, ("Accept", "application/problem+json"))).Is(400);

        Assert.StartsWith("application/problem+json", refused.Header("Content-Type"), StringComparison.Ordinal);
        Assert.Equal(400, (int)refused.Json["status"]!);
        foreach (var member in new[] { "type", "title", "detail" }) Assert.NotEmpty((string)refused.Json[member]!);
        Assert.Contains("VALIDATION_ERROR", refused.Text, StringComparison.Ordinal);
        Assert.Contains("email", refused.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Created_is_201_with_Location()
    {
        var created = await Contact();

        var location = new Uri(new Uri("http://any/"), created.Header("Location")!).AbsolutePath;
        Assert.EndsWith($"/v1/contacts/{created.Id}", location, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deleted_is_204_with_an_empty_body()
    {
        var contact = await Contact();

        Assert.Empty((await Api.Delete($"contacts/{contact.Id}")).Is(204).Text);
        (await Api.Get($"contacts/{contact.Id}")).IsError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task X_Request_Id_is_on_every_response()
    {
        var contact = await Contact();
        var answers = new[]
        {
            contact, await Api.Get($"contacts/{contact.Id}"), await Api.Get($"contacts/{contact.Id}", ("If-None-Match", contact.ETag)),
            await Api.Get("contacts?limit=1"), await Api.Get("contacts?limit=x"),
            await Api.Get("contacts/x"), await Api.Get("nowhere"), await Api.WithAuthorization(null).Get("contacts"), await Api.Post("contacts", "{"),
            await Api.Delete($"contacts/{contact.Id}"),
        };

        Assert.Equal([201, 200, 304, 200, 400, 400, 404, 401, 400, 204], answers.Select(a => a.Status));
        Assert.All(answers, answer => Assert.Matches("^req_[0-9A-Za-z]{20}$", answer.Header("X-Request-Id")));
        Assert.Equal(answers.Length, answers.Select(a => a.Header("X-Request-Id")).Distinct().Count());
    }

    [Theory]
    [InlineData("""{"email":"nonsense"}""")]
    [InlineData("""{"unknown_field":1}""")]
    [InlineData("""{"first_name":5}""")]
    [InlineData("""{"first_name":""")]
    [InlineData("""["first_name"]""")]
    [InlineData("")]
    public async Task VALIDATION_ERROR_when_the_body_is_wrong_or_unreadable_JSON(string body) => (await Api.Post("contacts", body)).IsInvalid();

    [Theory]
    [InlineData("contacts?limit=0")]
    [InlineData("contacts?limit=101")]
    [InlineData("contacts?limit=ten")]
    [InlineData("contacts?sort=phone")]
    [InlineData("contacts?cursor=nonsense")]
    [InlineData("contacts?company_id=acme")]
    [InlineData("contacts?created_at[gte]=yesterday")]
    [InlineData("contacts?include=nonsense")]
    [InlineData("contacts?fields=nonsense")]
    [InlineData("contacts/nonsense")]
    [InlineData("contacts/ct_tooshort")]
    public async Task VALIDATION_ERROR_when_query_id_pattern_or_cursor_is_wrong(string path) => (await Api.Get(path)).IsInvalid();

    [Theory]
    [InlineData("contacts?emial=x", "emial")]
    [InlineData("pipelines?nonsense=1", "nonsense")]
    [InlineData("events?nonsense=1", "nonsense")]
    public async Task VALIDATION_ERROR_when_a_query_parameter_is_unknown(string path, string parameter) => (await Api.Get(path)).IsInvalid(parameter);

    [Fact]
    public async Task NOT_FOUND_when_there_is_no_such_resource() => (await Api.Get($"contacts/{NoOne("ct_")}")).IsError(404, "NOT_FOUND");

    [Fact]
    public async Task CONFLICT_when_uniqueness_is_broken_and_the_message_says_what_and_which()
    {
        await Contact(new { email = Email() });

        var refused = (await Api.Post("contacts", new { email = Email() })).IsError(409, "CONFLICT");

        Assert.Contains("email", refused.Message, StringComparison.Ordinal);
        Assert.Contains(Email(), refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PRECONDITION_FAILED_when_If_Match_does_not_match()
    {
        var contact = await Contact();

        (await Api.Patch($"contacts/{contact.Id}", new { first_name = "Joan" }, ("If-Match", "\"99\""))).IsError(412, "PRECONDITION_FAILED");
    }

    [Fact]
    public async Task PAYLOAD_TOO_LARGE_when_the_body_is_over_1_MiB() =>
        (await Api.Post("contacts", new { first_name = new string('x', 1024 * 1024) })).IsError(413, "PAYLOAD_TOO_LARGE");

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/xml")]
    public async Task UNSUPPORTED_MEDIA_TYPE_when_the_body_is_not_JSON(string type) =>
        (await Api.Post("contacts", """{"first_name":"Jane"}""", ("Content-Type", type))).IsError(415, "UNSUPPORTED_MEDIA_TYPE");

    [Fact]
    public async Task UNPROCESSABLE_ENTITY_when_a_referenced_resource_does_not_exist()
    {
        (await Api.Post("contacts", new { company_id = NoOne("co_") })).IsError(422, "UNPROCESSABLE_ENTITY", "company_id");
        (await Api.Post("deals", new { title = "Licence", contact_id = NoOne("ct_") })).IsError(422, "UNPROCESSABLE_ENTITY", "contact_id");
        (await Api.Post("deals", new { title = "Licence", pipeline_id = NoOne("pp_") })).IsError(422, "UNPROCESSABLE_ENTITY", "pipeline_id");
        (await Api.Post("activities", new { type = "note", deal_id = NoOne("dl_") })).IsError(422, "UNPROCESSABLE_ENTITY", "deal_id");
    }

    [Fact]
    public async Task Names_are_snake_case_and_times_are_UTC_to_the_second()
    {
        var contact = await Contact();

        Assert.All(contact.Attributes, member => Assert.Matches("^[a-z][a-z0-9_]*$", member.Key));
        foreach (var time in new[] { "created_at", "updated_at" })
            Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", contact.Attributes[time]!.GetValue<string>());
    }

    [Fact]
    public async Task What_is_created_is_what_is_read()
    {
        var created = await Contact(new { email = Email(), first_name = "Jane", tags = new[] { "vip" } });

        var read = (await Api.Get($"contacts/{created.Id}")).Is(200);

        Assert.True(JsonNode.DeepEquals(created.Data, read.Data), $"{created.Text}\n{read.Text}");
    }
}
