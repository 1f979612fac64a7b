using NodeStash.Contract.Tests.Running;

namespace NodeStash.Contract.Tests;

/// <summary>The API's contract, Access: API keys and what they open.</summary>
public sealed class AccessTests(Deployment deployment) : ContractTests(deployment)
{
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Bearer")]
    [InlineData("Bearer nonsense")]
    [InlineData("Basic bmRzOm5kcw==")]
    [InlineData("Bearer nds_live_0123456789012345678901234567890123456")]
    public async Task INVALID_API_KEY_when_the_credential_is_missing_malformed_or_unknown(string? authorization) =>
        Assert.Equal(
            "Missing or invalid Authorization header", (await Api.WithAuthorization(authorization).Get("contacts")).IsError(401, "INVALID_API_KEY").Message);

    [Fact]
    public async Task INVALID_API_KEY_when_the_credential_is_revoked()
    {
        var key = (await Api.Post("api-keys", new { name = Unique, scopes = new[] { "contacts:read" } })).Is(201);
        var caller = Api.WithKey((string)key.Attributes["secret"]!);
        (await caller.Get("contacts?limit=1")).Is(200);

        (await Api.Delete($"api-keys/{key.Id}")).Is(204);

        (await caller.Get("contacts?limit=1")).IsError(401, "INVALID_API_KEY");
    }

    [Fact]
    public async Task INVALID_API_KEY_when_the_credential_has_expired()
    {
        var soon = TimeProvider.System.GetUtcNow().AddSeconds(3);
        var key = await Create(
            "api-keys", new { name = Unique, scopes = new[] { "contacts:read" }, expires_at = soon.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", null) });
        var caller = Api.WithKey((string)key.Attributes["secret"]!);

        var answer = await caller.Get("contacts?limit=1");
        while (answer.Status == 200) answer = await caller.Get("contacts?limit=1");

        answer.IsError(401, "INVALID_API_KEY");
        Assert.True(TimeProvider.System.GetUtcNow() >= soon.AddSeconds(-1), "It expired before its time.");
    }

    [Fact]
    public async Task INSUFFICIENT_SCOPE_when_the_credential_lacks_the_scope_and_the_message_names_it()
    {
        var reader = await WithScopes(["contacts:read"]);

        (await reader.Get("contacts?limit=1")).Is(200);
        Assert.Contains("contacts:write", (await reader.Post("contacts", new { })).IsError(403, "INSUFFICIENT_SCOPE").Message, StringComparison.Ordinal);
        Assert.Contains("deals:read", (await reader.Get("deals")).IsError(403, "INSUFFICIENT_SCOPE").Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("contacts")]
    [InlineData("companies")]
    [InlineData("deals")]
    [InlineData("pipelines")]
    [InlineData("activities")]
    [InlineData("webhooks")]
    [InlineData("objects")]
    public async Task Write_includes_read(string collection)
    {
        var writer = await WithScopes([$"{collection}:write"]);

        (await writer.Get($"{collection}?limit=1")).Is(200);
    }

    [Theory]
    [InlineData("custom_fields")]
    [InlineData("custom_fields:write")]
    public async Task Custom_fields_are_written_with_custom_fields_and_with_custom_fields_write_the_same(string scope)
    {
        var writer = await WithScopes([scope]);

        var field = await Create(writer, "custom-fields", new { entity_type = "contact", name = "Plan", slug = Unique, field_type = "text" });

        (await writer.Get($"custom-fields/{field.Id}")).Is(200);
    }

    [Fact]
    public async Task Events_are_read_with_events_read()
    {
        (await (await WithScopes(["events:read"])).Get("events?limit=1")).Is(200);
        (await (await WithScopes(["contacts:read"])).Get("events?limit=1")).IsError(403, "INSUFFICIENT_SCOPE");
    }

    [Fact]
    public async Task A_secret_is_its_environment_30_random_and_6_check_characters_and_is_shown_once()
    {
        foreach (var environment in new[] { "live", "test" })
        {
            var key = await Create("api-keys", new { name = Unique, scopes = new[] { "contacts:read" }, environment });

            var secret = (string)key.Attributes["secret"]!;
            Assert.Matches($"^nds_{environment}_[0-9A-Za-z]{{36}}$", secret);
            Assert.Equal(secret[..12], (string?)key.Attributes["prefix"]);
            Assert.DoesNotContain(secret, (await Api.Get($"api-keys/{key.Id}")).Is(200).Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_key_has_name_scopes_environment_prefix_last_used_at_expires_at_and_revoked_at()
    {
        var key = (await Api.Get($"api-keys/{(await Create("api-keys", new { name = Unique, scopes = new[] { "contacts:read", "deals:write" } })).Id}")).Is(
            200);

        Assert.Equal("api_key", (string?)key.Data["type"]);
        Assert.Equal(($"\"{Unique}\"", """["contacts:read","deals:write"]""", "\"live\"", "null", "null"),
            (key["name"], key["scopes"], key["environment"], key["expires_at"], key["revoked_at"]));
        Assert.True(key.Attributes.ContainsKey("last_used_at") && key.Attributes.ContainsKey("prefix"), key.Text);
    }

    [Fact]
    public async Task A_key_cannot_create_a_key_with_scopes_it_lacks()
    {
        var narrow = await WithScopes(["api_keys:write", "contacts:read"]);

        (await narrow.Post("api-keys", new { name = Unique, scopes = new[] { "contacts:write" } })).IsError(403, "INSUFFICIENT_SCOPE");
        Made((await narrow.Post("api-keys", new { name = Unique, scopes = new[] { "contacts:read" } })).Is(201), "api-keys");
    }

    [Fact]
    public async Task An_unknown_scope_is_refused() => (await Api.Post("api-keys", new { name = Unique, scopes = new[] { "contacts:delete" } })).IsInvalid();

    [Fact]
    public async Task A_rotated_key_has_a_new_secret_and_the_old_one_works_until_its_grace_ends()
    {
        var key = await Create("api-keys", new { name = Unique, scopes = new[] { "contacts:read" } });
        var old = (string)key.Attributes["secret"]!;

        var graceful = (string)(await Api.Post($"api-keys/{key.Id}/rotate", new { grace_seconds = 600 })).Is(200).Attributes["secret"]!;
        (await Api.WithKey(old).Get("contacts?limit=1")).Is(200);
        (await Api.WithKey(graceful).Get("contacts?limit=1")).Is(200);

        var last = (string)(await Api.Post($"api-keys/{key.Id}/rotate", new { grace_seconds = 0 })).Is(200).Attributes["secret"]!;
        (await Api.WithKey(graceful).Get("contacts?limit=1")).IsError(401, "INVALID_API_KEY");
        (await Api.WithKey(last).Get("contacts?limit=1")).Is(200);
    }

    [Fact]
    public async Task Live_and_test_are_data_sets_that_never_see_each_other()
    {
        var test = await WithScopes(["*"], "test");
        var contact = await Contact(new { email = Email(), source = Unique });
        var field = await Define("contact", "text");
        var webhook = await Create("webhooks", new { url = $"https://example.com/{Unique}", is_enabled = false });

        foreach (var path in new[] { $"contacts/{contact.Id}", $"custom-fields/{field.Id}", $"webhooks/{webhook.Id}" })
        {
            (await Api.Get(path)).Is(200);
            (await test.Get(path)).IsError(404, "NOT_FOUND");
            (await test.Patch(path, new { })).IsError(404, "NOT_FOUND");
            (await test.Delete(path)).IsError(404, "NOT_FOUND");
        }

        Assert.Empty((await test.Get($"contacts?source={Unique}")).Is(200).List);
        Assert.Empty((await test.Get($"events?record_id={contact.Id}")).Is(200).List);
        (await test.Post("deals", new { title = "Licence", contact_id = contact.Id })).IsError(422, "UNPROCESSABLE_ENTITY", "contact_id");
        await Create(test, "contacts", new { email = Email() });
        await Create(test, "custom-fields", new { entity_type = "contact", name = "Field", slug = Unique, field_type = "number" });
    }

    [Fact]
    public async Task Keys_belong_to_the_workspace_whatever_their_environment()
    {
        var key = await Create("api-keys", new { name = Unique, scopes = new[] { "contacts:read" }, environment = "test" });

        (await Api.Get($"api-keys/{key.Id}")).Is(200);
    }
}
