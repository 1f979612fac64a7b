using System.Text.Json;
using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Contacts;

public sealed class UpdateContactTests(Server server) : ApiTests(server)
{
    [Fact]
    public async Task What_is_not_given_stays_and_null_clears()
    {
        var contact = await Api.Create("contacts", new { email = "jane@acme.com", first_name = "Jane", last_name = "Smith", tags = new[] { "a" } });
        var reply = (await Api.Patch($"/v1/contacts/{contact.Id}", """{"first_name":"Joan","last_name":null}""")).Is(200);
        Assert.Equal("jane@acme.com", reply.Text("email"));
        Assert.Equal("Joan", reply.Text("first_name"));
        Assert.Null(reply.Text("last_name"));
        Assert.Equal("""["a"]""", reply.Json("tags"));
        Assert.Equal("\"2\"", reply.ETag);
        Assert.Equal(reply.Raw.Replace(reply.Header("X-Request-Id")!, "", StringComparison.Ordinal),
            (await Api.Get($"/v1/contacts/{contact.Id}")) is var read ? read.Raw.Replace(read.Header("X-Request-Id")!, "", StringComparison.Ordinal) : "");
    }

    [Fact]
    public async Task Custom_fields_are_merged_and_tags_replaced()
    {
        var contact = await Api.Create("contacts", """{"custom_fields":{"a":1,"b":{"x":1,"y":2},"c":"keep"},"tags":["one","two"]}""");
        var reply = (await Api.Patch($"/v1/contacts/{contact.Id}", """{"custom_fields":{"a":null,"b":{"x":3},"d":[1]},"tags":["three"]}""")).Is(200);
        Assert.Equal("""{"b":{"x":3},"c":"keep","d":[1]}""", reply.Json("custom_fields"));
        Assert.Equal("""["three"]""", reply.Json("tags"));
    }

    [Fact]
    public async Task Null_clears_custom_fields_and_tags_whole()
    {
        var contact = await Api.Create("contacts", """{"custom_fields":{"a":1},"tags":["one"]}""");
        var reply = (await Api.Patch($"/v1/contacts/{contact.Id}", """{"custom_fields":null,"tags":null}""")).Is(200);
        Assert.Equal("{}", reply.Json("custom_fields"));
        Assert.Equal("[]", reply.Json("tags"));
    }

    [Fact]
    public async Task The_limits_of_custom_fields_hold_for_what_is_merged()
    {
        var contact = await Api.Create("contacts", new { custom_fields = Enumerable.Range(0, 100).ToDictionary(i => $"f{i}", i => i) });
        (await Api.Patch($"/v1/contacts/{contact.Id}", """{"custom_fields":{"one_more":1}}""")).IsInvalid("custom_fields");
        (await Api.Patch($"/v1/contacts/{contact.Id}", """{"custom_fields":{"one_more":1,"f0":null}}""")).Is(200);
    }

    [Fact]
    public async Task A_change_that_changes_nothing_makes_no_version_and_no_event()
    {
        var contact = await Api.Create("contacts", new { first_name = "Jane" });
        Assert.Equal("\"1\"", (await Api.Patch($"/v1/contacts/{contact.Id}", new { first_name = "Jane" })).Is(200).ETag);
        Assert.Equal("\"1\"", (await Api.Patch($"/v1/contacts/{contact.Id}", new { })).Is(200).ETag);
        Assert.Single(await Server.EventsOf(Workspace, contact.Id));
    }

    [Fact]
    public async Task An_email_of_another_contact_is_a_conflict_and_the_old_one_is_free_after_a_change()
    {
        await Api.Create("contacts", new { email = "taken@acme.com" });
        var contact = await Api.Create("contacts", new { email = "old@acme.com" });
        var reply = (await Api.Patch($"/v1/contacts/{contact.Id}", new { email = "Taken@acme.com" })).IsError(409, "CONFLICT", "email");
        Assert.Equal("A contact with email 'Taken@acme.com' already exists in this workspace", reply.Message);
        (await Api.Patch($"/v1/contacts/{contact.Id}", new { email = "OLD@acme.com" })).Is(200);
        (await Api.Patch($"/v1/contacts/{contact.Id}", new { email = "new@acme.com" })).Is(200);
        await Api.Create("contacts", new { email = "old@acme.com" });
    }

    [Fact]
    public async Task A_faulty_update_changes_nothing()
    {
        var contact = await Api.Create("contacts", new { first_name = "Jane" });
        (await Api.Patch($"/v1/contacts/{contact.Id}", """{"first_name":"Joan","email":"x","created_at":"2026-01-15T10:30:00Z","frist_name":1}"""))
            .IsInvalid("email", "created_at", "frist_name");
        Assert.Equal("Jane", (await Api.Get($"/v1/contacts/{contact.Id}")).Text("first_name"));
    }

    [Fact]
    public async Task A_company_that_does_not_exist_is_unprocessable()
    {
        var contact = await Api.Create("contacts", new { });
        (await Api.Patch($"/v1/contacts/{contact.Id}", new { company_id = Server.FreshId("co_") })).IsError(422, "UNPROCESSABLE_ENTITY", "company_id");
    }

    [Fact]
    public async Task If_match_lets_only_the_version_it_names_be_changed()
    {
        var contact = await Api.Create("contacts", new { first_name = "Jane" });
        var path = $"/v1/contacts/{contact.Id}";
        Assert.Equal("\"2\"", (await Api.Patch(path, new { first_name = "Joan" }, ("If-Match", contact.ETag))).Is(200).ETag);
        (await Api.Patch(path, new { first_name = "Jill" }, ("If-Match", contact.ETag))).IsError(412, "PRECONDITION_FAILED");
        (await Api.Patch(path, new { first_name = "Jill" }, ("If-Match", "*"))).Is(200);
        (await Api.Patch(path, new { first_name = "Jo" }, ("If-Match", "3"))).IsInvalid("If-Match");
        Assert.Equal("Jill", (await Api.Get(path)).Text("first_name"));
    }

    [Fact]
    public async Task Of_20_clients_with_the_same_etag_one_gets_through()
    {
        var contact = await Api.Create("contacts", new { });
        var replies = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(i => Api.Patch($"/v1/contacts/{contact.Id}", new { first_name = $"n{i}" }, ("If-Match", contact.ETag))));
        Assert.Single(replies, r => r.Status == 200);
        Assert.All(replies.Where(r => r.Status != 200), r => r.IsError(412, "PRECONDITION_FAILED"));
    }

    [Fact]
    public async Task Clients_that_change_different_fields_at_once_do_not_undo_each_other()
    {
        var contact = await Api.Create("contacts", new { });
        var changes = Enumerable.Range(0, 20).Select(i => new Dictionary<string, object> { ["custom_fields"] = new Dictionary<string, int> { [$"f{i}"] = i } })
            .Append(new() { ["first_name"] = "Jane" }).Append(new() { ["phone"] = "1" }).Append(new() { ["tags"] = new[] { "t" } });
        var replies = await Task.WhenAll(changes.Select(change => Api.Patch($"/v1/contacts/{contact.Id}", change)));
        Assert.All(replies, r => r.Is(200));

        var stored = await Api.Get($"/v1/contacts/{contact.Id}");
        Assert.Equal(Enumerable.Range(0, 20).ToDictionary(i => $"f{i}"), stored["custom_fields"].Deserialize<Dictionary<string, int>>());
        Assert.Equal(("Jane", "1", """["t"]"""), (stored.Text("first_name"), stored.Text("phone"), stored.Json("tags")));
        Assert.Equal("\"24\"", stored.ETag);

        var versions = (await Server.EventsOf(Workspace, contact.Id)).Select(e => e.GetProperty("metadata").GetProperty("version").GetInt64());
        Assert.Equal(Enumerable.Range(1, 24).Select(v => (long)v), versions);
    }

    [Fact]
    public async Task The_event_shows_the_contact_as_it_is_and_what_changed_as_it_was()
    {
        var contact = await Api.Create("contacts", new { first_name = "Jane", phone = "1" });
        var reply = await Api.Patch($"/v1/contacts/{contact.Id}", new { first_name = "Joan" });
        var told = (await Server.EventsOf(Workspace, contact.Id))[^1];
        Assert.Equal("contact.updated", told.GetProperty("event").GetString());
        Assert.Equal("""{"first_name":"Jane"}""", told.GetProperty("previous_attributes").GetRawText());
        Assert.True(JsonElement.DeepEquals(reply.Data, told.GetProperty("data")));
        Assert.Equal(reply.Header("X-Request-Id"), told.GetProperty("metadata").GetProperty("request_id").GetString());
        Assert.Equal(Workspace.Id, told.GetProperty("metadata").GetProperty("workspace_id").GetString());
    }

    [Theory]
    [InlineData("co_00000000000000000000")]
    [InlineData("ct_0000000000000000000")]
    [InlineData("ct_0000000000000000000-")]
    [InlineData("x")]
    public async Task An_id_of_another_form_is_invalid(string id) => (await Api.Patch($"/v1/contacts/{id}", new { })).IsInvalid("id");

    [Fact]
    public async Task An_unknown_contact_is_not_found()
    {
        var id = Server.FreshId("ct_");
        Assert.Equal($"No contact with id '{id}' in this workspace", (await Api.Patch($"/v1/contacts/{id}", new { })).IsNotFound().Message);
    }
}
