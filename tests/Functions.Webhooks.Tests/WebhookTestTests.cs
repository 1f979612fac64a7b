using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using NodeStash.Core.Webhooks;
using NodeStash.Support.Http;
using Endpoint = NodeStash.Support.Http.Endpoint;

namespace NodeStash.Functions.Webhooks.Tests;

/// <summary>docs/api/webhooks.md, Endpoints: POST /v1/webhooks/{id}/test.</summary>
public sealed class WebhookTestTests
{
    [Fact]
    public async Task A_test_is_a_signed_event_and_answers_what_came_of_it()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        receiver.Answer = (_, context) => context.Response.WriteAsync("thanks");
        var endpoint = await crm.Api.Subscribe(receiver.Address, "deal.*");

        var tested = await Test(crm.Api, endpoint);

        var request = Assert.Single(receiver.Requests);
        Assert.Equal(("webhook.test", endpoint.Id, request.Id), (request.Name, request.RecordId, tested.GetProperty("id").GetString()));
        Assert.True(Signature.Verify(
            endpoint.Secret, request.Id, request.Headers["webhook-timestamp"], request.Headers["webhook-signature"], request.Body, crm.Time.GetUtcNow(),
            TimeSpan.Zero));
        Assert.Equal(
            ("delivered", 200, "thanks", null),
            (Text(tested, "outcome"), tested.GetProperty("status_code").GetInt32(), Text(tested, "response"), Text(tested, "error")));
        Assert.DoesNotContain("secret", request.Event.GetRawText(), StringComparison.Ordinal);
        using var log = await crm.Api.Send(HttpMethod.Get, "events?type=webhook.test");
        Assert.Empty(JsonElement.Parse(await log.Content.ReadAsStringAsync()).GetProperty("data").EnumerateArray());
        using var deliveries = await crm.Api.Send(HttpMethod.Get, $"webhooks/{endpoint.Id}/deliveries");
        Assert.Empty(JsonElement.Parse(await deliveries.Content.ReadAsStringAsync()).GetProperty("data").EnumerateArray());
    }

    [Fact]
    public async Task A_disabled_endpoint_can_be_tested_and_a_test_disables_none()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        receiver.AnswerWith(410);
        var endpoint = await crm.Api.Subscribe(receiver.Address);

        Assert.Equal("gone", Text(await Test(crm.Api, endpoint), "outcome"));
        Assert.True((await crm.Api.Get($"webhooks/{endpoint.Id}")).GetProperty("is_enabled").GetBoolean());
        await crm.Api.Update($"webhooks/{endpoint.Id}", new { is_enabled = false });
        Assert.Equal("gone", Text(await Test(crm.Api, endpoint), "outcome"));
        Assert.Equal(2, receiver.Requests.Count);
    }

    [Fact]
    public async Task A_test_of_an_address_that_may_not_be_called_says_so()
    {
        await using var crm = await Crm.Start();
        var endpoint = await crm.Api.Subscribe(new Uri("https://10.0.0.1/"));

        var tested = await Test(crm.Api, endpoint);

        Assert.Equal(("refused_address", JsonValueKind.Null), (Text(tested, "outcome"), tested.GetProperty("status_code").ValueKind));
        Assert.Equal("The host's address is not public", Text(tested, "error"));
    }

    [Fact]
    public async Task A_test_is_sent_at_once_though_a_record_waits_for_its_retry()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        receiver.AnswerWith(500);
        var endpoint = await crm.Api.Subscribe(receiver.Address);
        await crm.Api.CreateContact("jane@example.com");
        await crm.WaitsFor(attempt: 2);

        Assert.Equal("status_5xx", Text(await Test(crm.Api, endpoint), "outcome"));
        Assert.Equal(["contact.created", "webhook.test"], receiver.EventNames);
    }

    private static async Task<JsonElement> Test(CrmClient api, Endpoint endpoint)
    {
        using var answer = await api.Send(HttpMethod.Post, $"webhooks/{endpoint.Id}/test");
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode is HttpStatusCode.OK, $"{answer.StatusCode} {text}");
        return JsonElement.Parse(text).GetProperty("data").GetProperty("attributes");
    }

    private static string? Text(JsonElement item, string name) => item.GetProperty(name).GetString();
}
