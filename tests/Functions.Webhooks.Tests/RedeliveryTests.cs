using System.Net;
using System.Text.Json;
using NodeStash.Core.Webhooks;
using NodeStash.Support.Http;

namespace NodeStash.Functions.Webhooks.Tests;

/// <summary>docs/api/webhooks.md, Endpoints: retry, recover and replay.</summary>
public sealed class RedeliveryTests
{
    [Fact]
    public async Task A_delivery_that_was_made_is_made_again_with_the_same_id_and_body()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        var endpoint = await crm.Api.Subscribe(receiver.Address);
        await crm.Api.CreateContact("jane@example.com");
        var first = (await receiver.Until(1))[0];
        var delivery = await crm.Delivery(first, endpoint.Id, made => made.Status is DeliveryStatus.Delivered);
        await crm.IsIdle();

        var accepted = await Accepted(crm.Api, $"webhooks/{endpoint.Id}/deliveries/{delivery.Id}/retry");

        var again = (await receiver.Until(2))[1];
        Assert.Equal(("delivery", delivery.Id, "pending"), (Text(accepted, "type"), Text(accepted, "id"), Text(accepted.GetProperty("attributes"), "status")));
        Assert.Equal(first.Id, again.Id);
        Assert.Equal(first.Body, again.Body);
        var made = await crm.Delivery(first, endpoint.Id, made => made.Attempts.Count == 2 && made.Status is DeliveryStatus.Delivered);
        Assert.Equal([1, 2], made.Attempts.Select(attempt => attempt.Number));
    }

    [Fact]
    public async Task A_delivery_that_waits_for_its_next_attempt_is_made_at_once_and_has_the_whole_schedule_before_it()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        receiver.AnswerWith(500);
        var endpoint = await crm.Api.Subscribe(receiver.Address);
        await crm.Api.CreateContact("jane@example.com");
        await receiver.Until(1);
        await crm.AdvanceTo(attempt: 2);
        var request = (await receiver.Until(2))[0];
        var delivery = await crm.Delivery(request, endpoint.Id, made => made.Attempts.Count == 2);
        await crm.WaitsFor(attempt: 3);

        await Accepted(crm.Api, $"webhooks/{endpoint.Id}/deliveries/{delivery.Id}/retry");

        await receiver.Until(3);
        Assert.InRange(await crm.WaitsFor(attempt: 4) - crm.Time.GetUtcNow(), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5.5));
    }

    [Fact]
    public async Task What_failed_since_then_is_recovered_in_the_order_of_each_record_and_nothing_else()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        var endpoint = await crm.Api.Subscribe(receiver.Address, "contact.*");
        await crm.Api.CreateContact("delivered@example.com");
        await receiver.Until(1);
        receiver.AnswerWith(500);
        await crm.Api.CreateContact("before@example.com");
        await receiver.Until(2);
        crm.Time.Advance(TimeSpan.FromSeconds(1));
        var since = crm.Time.GetUtcNow();
        var id = await crm.Api.CreateContact("jane@example.com");
        await receiver.Until(3);
        for (var i = 1; i <= 3; i++) await crm.Api.Update($"contacts/{id}", new { title = $"Title {i}" });
        await crm.Delivery(
            receiver.Requests[0].Event.GetProperty("metadata").GetProperty("workspace_id").GetString()!, endpoint.Id, recorded => recorded.Version == 4);
        await crm.Api.Update($"webhooks/{endpoint.Id}", new { is_enabled = false });
        await Disabled(crm.Api, endpoint, since);
        await crm.Api.Update($"webhooks/{endpoint.Id}", new { is_enabled = true });
        receiver.AnswerWith(200);

        var accepted = await Accepted(crm.Api, $"webhooks/{endpoint.Id}/recover", new { since });

        await receiver.Until(7);
        await crm.IsIdle();
        Assert.Equal(("webhook_recovery", endpoint.Id), (Text(accepted, "type"), Text(accepted.GetProperty("attributes"), "webhook_id")));
        Assert.Equal([(id, 1), (id, 2), (id, 3), (id, 4)], receiver.Requests.Skip(3).Select(request => (request.RecordId, (int)request.Version)));
    }

    [Fact]
    public async Task A_replay_sends_every_event_since_then_that_the_endpoint_subscribes_to_though_it_was_made_later()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        await crm.Api.CreateContact("before@example.com");
        crm.Time.Advance(TimeSpan.FromSeconds(1));
        var since = crm.Time.GetUtcNow();
        var contacts = await Task.WhenAll(Enumerable.Range(0, 150).Select(i => crm.Api.CreateContact($"c{i}@example.com")));
        await crm.Api.Create("companies", new { name = "Acme" });
        await crm.Api.Update($"contacts/{contacts[7]}", new { title = "CEO" });
        crm.Time.Advance(TimeSpan.FromSeconds(1));
        var endpoint = await crm.Api.Subscribe(receiver.Address, "contact.*");

        await Accepted(crm.Api, $"webhooks/{endpoint.Id}/replay", new { since });

        var received = await receiver.Until(151);
        await crm.IsIdle();
        Assert.Equal(151, receiver.Requests.Count);
        Assert.Equal(contacts.Append(contacts[7]).Order(), received.Select(request => request.RecordId).Order());
        Assert.Equal([1, 2], received.Where(request => request.RecordId == contacts[7]).Select(request => request.Version));
    }

    [Fact]
    public async Task A_replay_sends_what_was_delivered_again_unless_only_what_is_missing_is_asked_for()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        var since = crm.Time.GetUtcNow();
        var endpoint = await crm.Api.Subscribe(receiver.Address, "contact.*");
        await crm.Api.CreateContact("jane@example.com");
        await receiver.Until(1);
        await crm.IsIdle();
        await crm.Api.Update($"webhooks/{endpoint.Id}", new { is_enabled = false });
        var missed = await crm.Api.CreateContact("joan@example.com");
        await crm.IsIdle();
        await crm.Api.Update($"webhooks/{endpoint.Id}", new { is_enabled = true });

        await Accepted(crm.Api, $"webhooks/{endpoint.Id}/replay", new { since, missing_only = true });
        Assert.Equal(missed, (await receiver.Until(2))[1].RecordId);
        await crm.IsIdle();
        await Accepted(crm.Api, $"webhooks/{endpoint.Id}/replay", new { since });
        await receiver.Until(4);
        await crm.IsIdle();

        Assert.Equal(4, receiver.Requests.Count);
        Assert.Equal(receiver.Requests.Take(2).Select(request => request.Id).Order(), receiver.Requests.Skip(2).Select(request => request.Id).Order());
    }

    [Theory]
    [InlineData("recover")]
    [InlineData("replay")]
    public async Task A_time_that_will_not_do_is_refused_by_name(string verb)
    {
        await using var crm = await Crm.Start();
        var path = $"webhooks/{(await crm.Api.Subscribe(new Uri("https://example.com/"))).Id}/{verb}";
        var now = crm.Time.GetUtcNow();

        Assert.Equal(["since"], await Invalid(crm.Api, path, new { }));
        Assert.Equal(["since"], await Invalid(crm.Api, path, new { since = "yesterday" }));
        Assert.Equal(["since"], await Invalid(crm.Api, path, new { since = "2029-12-31T10:00:00" }));
        Assert.Equal(["since"], await Invalid(crm.Api, path, new { since = now.AddSeconds(1) }));
        Assert.Equal(["since"], await Invalid(crm.Api, path, new { since = now.AddDays(-30).AddSeconds(-1) }));
        Assert.Equal(["since", "until"], await Invalid(crm.Api, path, new { since = 5, until = now }));
        Assert.Equal(verb is "recover" ? ["missing_only"] : [], await Invalid(crm.Api, path, new { since = now.AddDays(-30), missing_only = false }));
        if (verb is "replay") Assert.Equal(["missing_only"], await Invalid(crm.Api, path, new { since = now, missing_only = "yes" }));
    }

    [Fact]
    public async Task A_dry_run_sends_nothing_and_a_repeat_with_the_same_key_is_accepted_once()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        var since = crm.Time.GetUtcNow();
        await crm.Api.CreateContact("jane@example.com");
        var endpoint = await crm.Api.Subscribe(receiver.Address, "contact.updated");
        await crm.Api.Update($"webhooks/{endpoint.Id}", new { events = new[] { "contact.*" } });
        await crm.IsIdle();

        await Accepted(crm.Api, $"webhooks/{endpoint.Id}/replay?dry_run=true", new { since });
        await crm.IsIdle();
        Assert.Empty(receiver.Requests);

        var first = await Accepted(crm.Api, $"webhooks/{endpoint.Id}/replay", new { since }, key: "once");
        await receiver.Until(1);
        await crm.IsIdle();
        var second = await Accepted(crm.Api, $"webhooks/{endpoint.Id}/replay", new { since }, key: "once");
        await crm.IsIdle();
        Assert.Equal(Text(first, "id"), Text(second, "id"));
        Assert.Single(receiver.Requests);
    }

    private static async Task<JsonElement> Accepted(CrmClient api, string path, object? body = null, string? key = null)
    {
        using var answer = await api.Send(HttpMethod.Post, path, body, key);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode is HttpStatusCode.Accepted, $"{answer.StatusCode} {text}");
        return JsonElement.Parse(text).GetProperty("data");
    }

    private static async Task Disabled(CrmClient api, Endpoint endpoint, DateTimeOffset since)
    {
        using var answer = await api.Send(HttpMethod.Post, $"webhooks/{endpoint.Id}/recover", new { since });
        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
    }

    /// <summary>The faulty fields; none where it was accepted.</summary>
    private static async Task<IEnumerable<string?>> Invalid(CrmClient api, string path, object body)
    {
        using var answer = await api.Send(HttpMethod.Post, path, body);
        var json = JsonElement.Parse(await answer.Content.ReadAsStringAsync());
        return answer.StatusCode is HttpStatusCode.Accepted
            ? []
            : json.GetProperty("error").GetProperty("details").EnumerateArray().Select(detail => Text(detail, "field")).Order();
    }

    private static string? Text(JsonElement item, string name) => item.GetProperty(name).GetString();
}
