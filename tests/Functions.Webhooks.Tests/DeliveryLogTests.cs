using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using NodeStash.Support.Http;
using Endpoint = NodeStash.Support.Http.Endpoint;

namespace NodeStash.Functions.Webhooks.Tests;

/// <summary>docs/api/webhooks.md, Endpoints: what became of each delivery.</summary>
public sealed class DeliveryLogTests
{
    [Fact]
    public async Task A_delivery_shows_its_attempts_and_what_the_receiver_answered()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        receiver.Answer = async (_, context) =>
        {
            context.Response.StatusCode = receiver.Requests.Count == 1 ? 500 : 200;
            await context.Response.WriteAsync(receiver.Requests.Count == 1 ? "not today" : "thanks");
        };
        var endpoint = await crm.Api.Subscribe(receiver.Address);
        var contact = await crm.Api.CreateContact("jane@example.com");
        await receiver.Until(1);
        await crm.AdvanceTo(attempt: 2);
        await receiver.Until(2);
        await crm.IsIdle();

        var listed = Assert.Single(await List(crm.Api, endpoint, "?status=delivered"));
        Assert.Equal((contact, "contact.created", receiver.Requests[0].Id), (Text(listed, "record_id"), Text(listed, "event"), Text(listed, "event_id")));
        var delivery = await crm.Api.Get($"webhooks/{endpoint.Id}/deliveries/{Text(listed, "id")}");
        Assert.Equal(["status_5xx", "delivered"], delivery.GetProperty("attempts").EnumerateArray().Select(a => Text(a, "outcome")));
        Assert.Equal(["not today", "thanks"], delivery.GetProperty("attempts").EnumerateArray().Select(a => Text(a, "response")));
        Assert.Equal(["The endpoint failed", null], delivery.GetProperty("attempts").EnumerateArray().Select(a => Text(a, "error")));
        Assert.Equal([500, 200], delivery.GetProperty("attempts").EnumerateArray().Select(a => a.GetProperty("status_code").GetInt32()));
        Assert.Empty(await List(crm.Api, endpoint, "?status=failed"));
    }

    [Fact]
    public async Task The_log_is_paged_newest_first()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        var endpoint = await crm.Api.Subscribe(receiver.Address);
        for (var i = 0; i < 5; i++) await crm.Api.CreateContact($"jane{i}@example.com");
        await receiver.Until(5);

        var (ids, cursor) = (new List<string>(), "");
        do
        {
            using var answer = await crm.Api.Send(HttpMethod.Get, $"webhooks/{endpoint.Id}/deliveries?limit=2{cursor}");
            var page = JsonElement.Parse(await answer.Content.ReadAsStringAsync());
            ids.AddRange(page.GetProperty("data").EnumerateArray().Select(d => Text(d, "id")!));
            cursor = "&cursor=" + Text(page.GetProperty("meta").GetProperty("pagination"), "next_cursor");
        }
        while (cursor is not "&cursor=");

        Assert.Equal(5, ids.Count);
        Assert.Equal(ids.OrderDescending(StringComparer.Ordinal), ids);
    }

    [Fact]
    public async Task A_delivery_is_found_at_its_own_endpoint_only()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        var (one, two) = (await crm.Api.Subscribe(receiver.Address), await crm.Api.Subscribe(receiver.Address, "deal.*"));
        await crm.Api.CreateContact("jane@example.com");
        await receiver.Until(1);
        var id = Text(Assert.Single(await List(crm.Api, one)), "id");

        using var elsewhere = await crm.Api.Send(HttpMethod.Get, $"webhooks/{two.Id}/deliveries/{id}");
        Assert.Equal(HttpStatusCode.NotFound, elsewhere.StatusCode);
        using var wrong = await crm.Api.Send(HttpMethod.Get, $"webhooks/{one.Id}/deliveries?status=lost");
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        using var malformed = await crm.Api.Send(HttpMethod.Get, $"webhooks/{one.Id}/deliveries/1");
        Assert.Equal(HttpStatusCode.BadRequest, malformed.StatusCode);
    }

    private static async Task<IReadOnlyList<JsonElement>> List(CrmClient api, Endpoint endpoint, string query = "")
    {
        using var answer = await api.Send(HttpMethod.Get, $"webhooks/{endpoint.Id}/deliveries{query}");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return [.. JsonElement.Parse(await answer.Content.ReadAsStringAsync()).GetProperty("data").EnumerateArray().Select(d => d.GetProperty("attributes"))];
    }

    private static string? Text(JsonElement item, string name) => item.GetProperty(name).GetString();
}
