using System.Security.Cryptography;
using System.Text;
using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.ApiKeys;

public sealed class ApiKeyTests(Server server) : ApiTests(server)
{
    [Fact]
    public async Task It_is_answered_whole_and_its_secret_once()
    {
        var key = await Api.Create("api-keys", new { name = "Sync", scopes = new[] { "contacts:read", "deals:write" }, expires_at = "2099-01-01T00:00:00Z" });
        string[] shown = ["id", "name", "scopes", "environment", "prefix", "last_used_at", "expires_at", "revoked_at", "created_at", "updated_at"];
        Assert.Equal([.. shown, "secret"], key.Data.GetProperty("attributes").EnumerateObject().Select(p => p.Name));
        Assert.Equal("api_key", key.Data.GetProperty("type").GetString());
        Assert.StartsWith("key_", key.Id, StringComparison.Ordinal);
        Assert.Equal($"/v1/api-keys/{key.Id}", key.Header("Location"));
        Assert.Equal(("Sync", "live", "2099-01-01T00:00:00Z", null, null),
            (key.Text("name"), key.Text("environment"), key.Text("expires_at"), key.Text("revoked_at"), key.Text("last_used_at")));

        var secret = key.Text("secret")!;
        Assert.Matches("^nds_live_[0-9A-Za-z]{36}$", secret);
        Assert.Equal(secret[..12], key.Text("prefix"));
        Assert.Equal(shown, (await Api.Get($"/v1/api-keys/{key.Id}")).Data.GetProperty("attributes").EnumerateObject().Select(p => p.Name));
        Assert.DoesNotContain("secret", (await Api.Get("/v1/api-keys")).Raw, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_database_has_the_hash_of_a_secret_and_never_the_secret()
    {
        var secret = (await Api.Create("api-keys", new { name = "Sync", scopes = new[] { "*" } })).Text("secret")!;
        (await Api.With(secret).Get("/v1/contacts")).Is(200);
        Assert.False(Files.Contain(Server.Folder, Encoding.ASCII.GetBytes(secret["nds_live_abc".Length..])));
        Assert.True(Files.Contain(Server.Folder, Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(secret))))));
    }

    [Theory]
    [InlineData("""{}""", "name", "scopes")]
    [InlineData("""{"name":"","scopes":[]}""", "name", "scopes")]
    [InlineData("""{"name":"K","scopes":"*"}""", "scopes")]
    [InlineData("""{"name":"K","scopes":["contacts:read","contacts:admin","*:read"]}""", "scopes[1]", "scopes[2]")]
    [InlineData("""{"name":"K","scopes":["*"],"environment":"prod"}""", "environment")]
    [InlineData("""{"name":"K","scopes":["*"],"expires_at":"2020-01-01T00:00:00Z"}""", "expires_at")]
    [InlineData("""{"name":"K","scopes":["*"],"expires_at":"soon"}""", "expires_at")]
    [InlineData("""{"name":"K","scopes":["*"],"secret":"mine","prefix":"x","hashes":[],"revoked_at":null}""", "secret", "prefix", "hashes", "revoked_at")]
    public async Task A_faulty_key_is_refused(string body, params string[] fields) => (await Api.Post("/v1/api-keys", body)).IsInvalid(fields);

    [Fact]
    public async Task A_name_has_at_most_100_characters()
    {
        await Api.Create("api-keys", new { name = new string('x', 100), scopes = new[] { "*" } });
        (await Api.Post("/v1/api-keys", new { name = new string('x', 101), scopes = new[] { "*" } })).IsInvalid("name");
    }

    [Fact]
    public async Task A_secret_with_any_character_changed_is_refused()
    {
        var secret = Api.Key;
        for (var i = 0; i < secret.Length; i++)
        {
            var tampered = secret[..i] + (secret[i] == 'x' ? 'y' : 'x') + secret[(i + 1)..];
            (await Api.With(tampered).Get("/v1/contacts")).IsError(401, "INVALID_API_KEY");
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("nds_live_")]
    [InlineData("nds_live_000000000000000000000000000000000000")]
    [InlineData("nds_prod_000000000000000000000000000000000000")]
    [InlineData("not a key")]
    public async Task What_is_no_key_is_refused(string secret)
    {
        var reply = (await Api.With(secret).Get("/v1/contacts")).IsError(401, "INVALID_API_KEY");
        Assert.Equal("Missing or invalid Authorization header", reply.Message);
        Assert.Equal("Bearer", reply.Header("WWW-Authenticate"));
    }

    [Fact]
    public async Task A_scope_that_lacks_is_named_and_write_includes_read()
    {
        var reader = await Api.WithScopes(["contacts:read"]);
        var writer = await Api.WithScopes(["contacts:write"]);
        (await reader.Get("/v1/contacts")).Is(200);
        Assert.Contains("'contacts:write'", (await reader.Post("/v1/contacts", new { })).IsError(403, "INSUFFICIENT_SCOPE").Message, StringComparison.Ordinal);
        Assert.Contains("'deals:read'", (await reader.Get("/v1/deals")).IsError(403, "INSUFFICIENT_SCOPE").Message, StringComparison.Ordinal);
        (await writer.Get("/v1/contacts")).Is(200);
        (await writer.Create("contacts", new { })).Is(201);
        (await writer.Get("/v1/companies")).IsError(403, "INSUFFICIENT_SCOPE");
    }

    [Theory]
    [InlineData("custom_fields:read", 200, 403)]
    [InlineData("custom_fields", 200, 201)]
    [InlineData("custom_fields:write", 200, 201)]
    [InlineData("contacts:write", 403, 403)]
    public async Task Custom_fields_have_scopes_of_their_own(string scope, int read, int write)
    {
        var caller = await Api.WithScopes([scope]);
        (await caller.Get("/v1/custom-fields")).Is(read);
        (await caller.Post("/v1/custom-fields", new { entity_type = "contact", name = "N", field_type = "text" })).Is(write);
    }

    [Fact]
    public async Task A_key_can_not_give_what_it_lacks()
    {
        var caller = await Api.WithScopes(["api_keys:write", "contacts:read"]);
        Assert.Contains("'contacts:write'", (await caller.Post("/v1/api-keys", new { name = "K", scopes = new[] { "contacts:read", "contacts:write" } }))
            .IsError(403, "INSUFFICIENT_SCOPE").Message, StringComparison.Ordinal);
        (await caller.Post("/v1/api-keys", new { name = "K", scopes = new[] { "*" } })).IsError(403, "INSUFFICIENT_SCOPE");
        (await caller.Post("/v1/api-keys", new { name = "K", scopes = new[] { "contacts:read", "api_keys:read" } })).Is(201);
    }

    [Fact]
    public async Task A_key_can_not_rotate_one_that_may_do_more()
    {
        var strong = await Api.Create("api-keys", new { name = "Strong", scopes = new[] { "*" } });
        var caller = await Api.WithScopes(["api_keys:write"]);
        (await caller.Post($"/v1/api-keys/{strong.Id}/rotate", new { })).IsError(403, "INSUFFICIENT_SCOPE");
        (await Api.With(strong.Text("secret")).Get("/v1/contacts")).Is(200);
    }

    [Fact]
    public async Task A_revoked_key_is_refused_at_once_and_stays_listed()
    {
        var key = await Api.Create("api-keys", new { name = "Sync", scopes = new[] { "*" } });
        var caller = Api.With(key.Text("secret"));
        (await caller.Get("/v1/contacts")).Is(200);
        (await Api.Delete($"/v1/api-keys/{key.Id}")).Is(204);
        (await caller.Get("/v1/contacts")).IsError(401, "INVALID_API_KEY");
        Assert.NotNull((await Api.Get($"/v1/api-keys/{key.Id}")).Is(200).Text("revoked_at"));
        (await Api.Delete($"/v1/api-keys/{key.Id}")).Is(204);
        (await Api.Post($"/v1/api-keys/{key.Id}/rotate", new { })).IsError(409, "CONFLICT");
    }

    [Fact]
    public async Task Revoking_ends_the_secret_before_a_rotation_too()
    {
        var key = await Api.Create("api-keys", new { name = "Sync", scopes = new[] { "*" } });
        var rotated = (await Api.Post($"/v1/api-keys/{key.Id}/rotate", new { grace_seconds = 3600 })).Is(200);
        (await Api.Delete($"/v1/api-keys/{key.Id}")).Is(204);
        (await Api.With(key.Text("secret")).Get("/v1/contacts")).IsError(401, "INVALID_API_KEY");
        (await Api.With(rotated.Text("secret")).Get("/v1/contacts")).IsError(401, "INVALID_API_KEY");
    }

    [Fact]
    public async Task Test_keys_see_a_data_set_of_their_own()
    {
        var test = await Api.InTest();
        var live = await Api.Create("contacts", new { email = "jane@acme.com" });
        var tested = await test.Create("contacts", new { email = "joe@acme.com" });
        Assert.Matches("^nds_test_[0-9A-Za-z]{36}$", test.Key);
        Assert.Equal([live.Id], (await Api.Get("/v1/contacts")).Ids);
        Assert.Equal([tested.Id], (await test.Get("/v1/contacts")).Ids);
        (await test.Get($"/v1/contacts/{live.Id}")).IsNotFound();
        (await Api.Get($"/v1/contacts/{tested.Id}")).IsNotFound();
        await test.Create("custom-fields", new { entity_type = "contact", name = "N", field_type = "text", is_required = true });
        await Api.Create("contacts", new { });
        Assert.NotEqual((await DefaultPipeline()).Id, Assert.Single((await test.Get("/v1/pipelines")).Ids));
    }

    [Fact]
    public async Task Test_keys_see_all_keys_but_can_not_make_or_change_live_ones()
    {
        var (test, live) = (await Api.InTest(), await Api.Create("api-keys", new { name = "Live", scopes = new[] { "*" } }));
        Assert.Contains(live.Id, (await test.Get("/v1/api-keys?environment=live")).Ids);
        (await test.Post("/v1/api-keys", new { name = "K", scopes = new[] { "*" }, environment = "live" })).IsError(403, "INSUFFICIENT_SCOPE");
        (await test.Delete($"/v1/api-keys/{live.Id}")).IsError(403, "INSUFFICIENT_SCOPE");
        (await test.Post($"/v1/api-keys/{live.Id}/rotate", new { })).IsError(403, "INSUFFICIENT_SCOPE");
        (await Api.With(live.Text("secret")).Get("/v1/contacts")).Is(200);
        Assert.Equal("test", (await test.Create("api-keys", new { name = "K", scopes = new[] { "*" } })).Text("environment"));
    }

    [Fact]
    public async Task If_match_lets_only_the_version_it_names_be_revoked()
    {
        var key = await Api.Create("api-keys", new { name = "Sync", scopes = new[] { "*" } });
        (await Api.Delete($"/v1/api-keys/{key.Id}", ("If-Match", "\"7\""))).IsError(412, "PRECONDITION_FAILED");
        (await Api.With(key.Text("secret")).Get("/v1/contacts")).Is(200);
        var current = (await Api.Get($"/v1/api-keys/{key.Id}")).ETag;
        (await Api.Delete($"/v1/api-keys/{key.Id}", ("If-Match", current))).Is(204);
    }

    [Theory]
    [InlineData("""{"grace_seconds":-1}""", "grace_seconds")]
    [InlineData("""{"grace_seconds":604801}""", "grace_seconds")]
    [InlineData("""{"grace_seconds":"1"}""", "grace_seconds")]
    [InlineData("""{"grace":1}""", "grace")]
    public async Task A_faulty_rotation_is_refused(string body, string field)
    {
        var key = await Api.Create("api-keys", new { name = "Sync", scopes = new[] { "*" } });
        (await Api.Post($"/v1/api-keys/{key.Id}/rotate", body)).IsInvalid(field);
    }
}
