using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using NodeStash.Core.Webhooks;
using NodeStash.Support.Http;

namespace NodeStash.Functions.Webhooks.Tests;

/// <summary>docs/api/webhooks.md, Deliveries: what a receiver gets.</summary>
public sealed class DeliveryTests
{
    [Fact]
    public async Task A_delivery_is_a_signed_post_of_json()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        var endpoint = await crm.Api.Subscribe(new Uri(receiver.Address, "/in?tenant=7"));
        await crm.Api.Create("contacts", new { email = "jane@example.com", first_name = "Žluť \u2028 <&>" });

        var request = (await receiver.Until(1))[0];

        Assert.Equal(("POST", "/in?tenant=7"), (request.Method, request.Path));
        Assert.Equal("application/json", request.Headers["Content-Type"]);
        Assert.Equal("NodeStash-Webhooks/1", request.Headers["User-Agent"]);
        Assert.Equal(request.Event.GetProperty("id").GetString(), request.Id);
        Assert.Equal(crm.Time.GetUtcNow(), request.SentAt);
        Assert.Equal(Hmac(endpoint.Secret, request), request.Headers["webhook-signature"]);
        Assert.True(Verify(endpoint.Secret, request, crm.Time.GetUtcNow()));
        Assert.Equal(
            ["Content-Length", "Content-Type", "Host", "User-Agent", "webhook-id", "webhook-signature", "webhook-timestamp"],
            request.Headers.Keys.Order(StringComparer.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Every_endpoint_has_a_secret_of_its_own()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        var one = await crm.Api.Subscribe(new Uri(receiver.Address, "/one"));
        var two = await crm.Api.Subscribe(new Uri(receiver.Address, "/two"));
        await crm.Api.CreateContact("jane@example.com");

        var requests = await receiver.Until(2);
        var (first, second) = (requests.Single(r => r.Path == "/one"), requests.Single(r => r.Path == "/two"));

        Assert.Equal(first.Id, second.Id);
        Assert.True(Verify(one.Secret, first, crm.Time.GetUtcNow()));
        Assert.True(Verify(two.Secret, second, crm.Time.GetUtcNow()));
        Assert.False(Verify(one.Secret, second, crm.Time.GetUtcNow()));
    }

    [Fact]
    public async Task After_a_rotation_both_secrets_sign_until_the_grace_has_passed()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        var endpoint = await crm.Api.Subscribe(receiver.Address);
        var rotated = await Rotate(crm, endpoint, graceSeconds: 600);
        await crm.Api.CreateContact("jane@example.com");
        var during = (await receiver.Until(1))[0];
        await crm.IsNoted(during);
        crm.Time.Advance(TimeSpan.FromSeconds(601));
        await crm.Api.CreateContact("joan@example.com");
        var after = (await receiver.Until(2))[1];

        Assert.Equal(2, during.Headers["webhook-signature"].Split(' ').Length);
        Assert.True(Verify(rotated, during, during.SentAt));
        Assert.True(Verify(endpoint.Secret, during, during.SentAt));
        Assert.True(Verify(rotated, after, after.SentAt));
        Assert.False(Verify(endpoint.Secret, after, after.SentAt));
    }

    [Fact]
    public async Task After_two_rotations_within_the_grace_the_newest_secret_and_the_one_before_it_sign()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        var endpoint = await crm.Api.Subscribe(receiver.Address);
        var before = await Rotate(crm, endpoint, graceSeconds: 600);
        var newest = await Rotate(crm, endpoint, graceSeconds: 600);
        await crm.Api.CreateContact("jane@example.com");

        var request = (await receiver.Until(1))[0];

        Assert.Equal([Hmac(newest, request), Hmac(before, request)], request.Headers["webhook-signature"].Split(' '));
    }

    [Fact]
    public async Task An_event_after_a_rotation_without_grace_is_signed_with_the_new_secret_alone_however_soon_it_comes()
    {
        await using var receiver = await Receiver.Start();
        await using var crm = await Crm.Start();
        var secret = (await crm.Api.Subscribe(receiver.Address)).Secret;
        var endpoint = await crm.Api.Subscribe(receiver.Address, "company.created");

        // A worker that has just sent something is still there when the next event comes.
        for (var round = 1; round <= 5; round++)
        {
            var rotated = await Rotate(crm, endpoint, graceSeconds: 0);
            await crm.Api.Create("companies", new { name = $"Company {round}" });
            await receiver.Until(round * 2);

            Assert.Equal(1, receiver.Requests.Skip((round - 1) * 2).Count(request => Verify(rotated, request, request.SentAt)));
            Assert.Equal(1, receiver.Requests.Skip((round - 1) * 2).Count(request => Verify(secret, request, request.SentAt)));
        }
    }

    [Fact]
    public async Task The_secret_is_shown_once()
    {
        await using var crm = await Crm.Start();
        var endpoint = await crm.Api.Subscribe(new Uri("https://example.com/"));

        Assert.Equal(32, Convert.FromBase64String(endpoint.Secret["whsec_".Length..]).Length);
        Assert.DoesNotContain("whsec_", (await crm.Api.Get($"webhooks/{endpoint.Id}")).GetRawText(), StringComparison.Ordinal);
        Assert.False((await crm.Api.Get($"webhooks/{endpoint.Id}")).TryGetProperty("secret", out _));
    }

    [Fact]
    public async Task An_event_shows_the_whole_resource_and_how_it_came_about()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        await crm.Api.Subscribe(receiver.Address);
        using var answer = await crm.Api.Send(HttpMethod.Post, "contacts", new { email = "jane@example.com", custom_fields = new { plan = "pro" } });
        var body = JsonElement.Parse(await answer.Content.ReadAsStringAsync());

        var happened = (await receiver.Until(1))[0].Event;

        Assert.Equal("contact.created", happened.GetProperty("event").GetString());
        Assert.Equal("2030-01-01T00:00:00Z", happened.GetProperty("timestamp").GetString());
        Assert.True(JsonElement.DeepEquals(body.GetProperty("data"), happened.GetProperty("data")));
        Assert.False(happened.TryGetProperty("previous_attributes", out _));
        var metadata = happened.GetProperty("metadata");
        Assert.StartsWith("ws_", metadata.GetProperty("workspace_id").GetString(), StringComparison.Ordinal);
        Assert.Equal("api", metadata.GetProperty("triggered_by").GetString());
        Assert.StartsWith("key_", metadata.GetProperty("actor").GetString(), StringComparison.Ordinal);
        Assert.Equal(body.GetProperty("meta").GetProperty("request_id").GetString(), metadata.GetProperty("request_id").GetString());
        Assert.Equal(1, metadata.GetProperty("version").GetInt64());
    }

    [Fact]
    public async Task An_update_shows_what_changed_as_it_was_and_nothing_else()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        await crm.Api.Subscribe(receiver.Address, "contact.updated");
        var id = (await crm.Api.Create("contacts", new { email = "jane@example.com", first_name = "Jane", tags = new[] { "a" } })).GetProperty("id")
            .GetString();
        crm.Time.Advance(TimeSpan.FromSeconds(1));
        await crm.Api.Update($"contacts/{id}", new { first_name = "Joan", email = "jane@example.com", title = "CEO", tags = new[] { "b" } });

        var happened = (await receiver.Until(1))[0].Event;

        Assert.True(JsonElement.DeepEquals(
            JsonElement.Parse("""{"first_name":"Jane","title":null,"tags":["a"]}"""), happened.GetProperty("previous_attributes")),
            happened.GetRawText());
        Assert.Equal("Joan", happened.GetProperty("data").GetProperty("attributes").GetProperty("first_name").GetString());
    }

    [Fact]
    public async Task The_events_of_a_record_come_in_order_with_versions_without_gaps()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        await crm.Api.Subscribe(receiver.Address);
        var id = await crm.Api.CreateContact("jane@example.com");
        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => crm.Api.Update($"contacts/{id}", new { title = $"Title {i}" })));
        await crm.Api.Delete($"contacts/{id}");

        var requests = await receiver.Until(42);

        Assert.Equal(Enumerable.Range(1, 42).Select(version => (long)version), requests.Select(request => request.Version));
        Assert.Equal(["contact.created", .. Enumerable.Repeat("contact.updated", 40), "contact.deleted"], receiver.EventNames);
        Assert.Equal(42, requests.Select(request => request.Id).Distinct().Count());
    }

    [Fact]
    public async Task A_write_that_changes_nothing_or_is_refused_is_no_event()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        await crm.Api.Subscribe(receiver.Address);
        var id = await crm.Api.CreateContact("jane@example.com");
        using var same = await crm.Api.Send(HttpMethod.Patch, $"contacts/{id}", new { email = "jane@example.com" });
        using var refused = await crm.Api.Send(HttpMethod.Patch, $"contacts/{id}", new { email = "nonsense" });
        using var taken = await crm.Api.Send(HttpMethod.Post, "contacts", new { email = "JANE@example.com" });
        await crm.Api.Delete($"contacts/{id}");

        await receiver.Event("contact.deleted");

        Assert.Equal([200, 400, 409], [(int)same.StatusCode, (int)refused.StatusCode, (int)taken.StatusCode]);
        Assert.Equal(["contact.created", "contact.deleted"], receiver.EventNames);
        Assert.Equal([1, 2], receiver.Requests.Select(request => request.Version));
    }

    /// <summary>The endpoint's new secret.</summary>
    private static async Task<string> Rotate(Crm crm, Endpoint endpoint, int graceSeconds)
    {
        using var answer = await crm.Api.Send(HttpMethod.Post, $"webhooks/{endpoint.Id}/rotate-secret", new { grace_seconds = graceSeconds });
        return JsonElement.Parse(await answer.Content.ReadAsStringAsync()).GetProperty("data").GetProperty("attributes").GetProperty("secret").GetString()!;
    }

    private static bool Verify(string secret, Received request, DateTimeOffset now) => Signature.Verify(
        secret, request.Id, request.Headers["webhook-timestamp"], request.Headers["webhook-signature"], request.Body, now, TimeSpan.FromMinutes(5));

    /// <summary>By the text of Standard Webhooks, without our own code.</summary>
    private static string Hmac(string secret, Received request)
    {
        var signed = Encoding.UTF8.GetBytes($"{request.Id}.{request.Headers["webhook-timestamp"]}.").Concat(request.Body).ToArray();
        return "v1," + Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(secret["whsec_".Length..]), signed));
    }
}
