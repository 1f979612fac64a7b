using System.Text.Json;
using NodeStash.Core.Webhooks;
using NodeStash.Support.Http;

namespace NodeStash.Functions.Webhooks.Tests;

/// <summary>docs/api/webhooks.md, Endpoints: which of them get what, and what becomes of deliveries when an endpoint changes.</summary>
public sealed class EndpointTests
{
    [Fact]
    public async Task An_endpoint_gets_nothing_of_the_time_before_it_was_made()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => crm.Api.CreateContact($"c{i}@example.com")));
        crm.Time.Advance(TimeSpan.FromMilliseconds(1));
        await crm.Api.Subscribe(receiver.Address);
        var id = await crm.Api.CreateContact("jane@example.com");

        await receiver.Until(1);
        await crm.IsIdle();

        Assert.Equal([id], receiver.Requests.Select(request => request.RecordId));
    }

    [Fact]
    public async Task A_deleted_endpoint_gets_nothing_more_not_even_what_it_failed_to_take()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        receiver.AnswerWith(500);
        var endpoint = await crm.Api.Subscribe(receiver.Address);
        var id = await crm.Api.CreateContact("jane@example.com");
        var request = (await receiver.Until(1))[0];
        var due = await crm.WaitsFor(attempt: 2);

        await crm.Api.Delete($"webhooks/{endpoint.Id}");
        await crm.Api.Update($"contacts/{id}", new { title = "CEO" });
        crm.Time.Advance(due - crm.Time.GetUtcNow());
        await crm.IsIdle();

        await crm.Delivery(request, endpoint.Id, delivery => delivery.Status is DeliveryStatus.Canceled);
        Assert.Single(receiver.Requests);
    }

    [Fact]
    public async Task A_disabled_endpoint_gets_nothing_and_keeps_what_it_failed_to_take()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        receiver.AnswerWith(500);
        var endpoint = await crm.Api.Subscribe(receiver.Address);
        var id = await crm.Api.CreateContact("jane@example.com");
        var request = (await receiver.Until(1))[0];
        var due = await crm.WaitsFor(attempt: 2);

        await crm.Api.Update($"webhooks/{endpoint.Id}", new { is_enabled = false });

        await crm.Delivery(request, endpoint.Id, delivery => delivery.Status is DeliveryStatus.Failed);
        await crm.Api.Update($"contacts/{id}", new { title = "CEO" });
        crm.Time.Advance(due - crm.Time.GetUtcNow());
        await crm.IsIdle();
        Assert.Single(receiver.Requests);
    }

    [Fact]
    public async Task An_endpoint_enabled_again_gets_what_happens_then_at_once_though_the_record_had_failed()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        receiver.AnswerWith(500);
        var endpoint = await crm.Api.Subscribe(receiver.Address);
        var id = await crm.Api.CreateContact("jane@example.com");
        await receiver.Until(1);
        await crm.AdvanceTo(attempt: 2);
        await receiver.Until(2);
        var due = await crm.WaitsFor(attempt: 3);
        receiver.AnswerWith(200);

        await crm.Api.Update($"webhooks/{endpoint.Id}", new { is_enabled = false });
        await crm.Api.Update($"webhooks/{endpoint.Id}", new { is_enabled = true });
        await crm.Api.Update($"contacts/{id}", new { title = "CEO" });
        await crm.IsNoted((await receiver.Until(3))[2]);
        crm.Time.Advance(due - crm.Time.GetUtcNow());
        await crm.IsIdle();

        Assert.Equal(["contact.created", "contact.created", "contact.updated"], receiver.EventNames);
    }

    [Fact]
    public async Task A_record_whose_retry_came_while_the_endpoint_was_disabled_is_not_held_up_afterwards()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        receiver.AnswerWith(500);
        var endpoint = await crm.Api.Subscribe(receiver.Address);
        var id = await crm.Api.CreateContact("jane@example.com");
        await receiver.Until(1);
        var due = await crm.WaitsFor(attempt: 2);
        await crm.Api.Update($"webhooks/{endpoint.Id}", new { is_enabled = false });
        crm.Time.Advance(due - crm.Time.GetUtcNow());
        await crm.IsIdle();
        receiver.AnswerWith(200);

        await crm.Api.Update($"webhooks/{endpoint.Id}", new { is_enabled = true });
        await crm.Api.Update($"contacts/{id}", new { title = "CEO" });

        await receiver.Until(2);
        Assert.Equal(["contact.created", "contact.updated"], receiver.EventNames);
    }

    [Fact]
    public async Task A_new_address_is_where_the_next_attempt_goes()
    {
        await using var crm = await Crm.Start();
        await using var old = await Receiver.Start();
        await using var moved = await Receiver.Start();
        old.AnswerWith(500);
        var endpoint = await crm.Api.Subscribe(old.Address);
        await crm.Api.CreateContact("jane@example.com");
        await old.Until(1);
        var due = await crm.WaitsFor(attempt: 2);
        await crm.Api.Update($"webhooks/{endpoint.Id}", new { url = moved.Address.ToString() });

        crm.Time.Advance(due - crm.Time.GetUtcNow());

        Assert.Equal(old.Requests[0].Id, (await moved.Until(1))[0].Id);
    }

    [Fact]
    public async Task Test_data_and_live_data_have_endpoints_of_their_own()
    {
        await using var crm = await Crm.Start();
        await using var live = await Receiver.Start();
        await using var test = await Receiver.Start();
        using var testData = await crm.TestData();
        await crm.Api.Subscribe(live.Address);
        await testData.Subscribe(test.Address);

        var inLive = await crm.Api.CreateContact("jane@example.com");
        var inTest = await testData.CreateContact("jane@example.com");
        await live.Until(1);
        await test.Until(1);
        await crm.IsIdle();

        Assert.Equal([inLive], live.Requests.Select(request => request.RecordId));
        Assert.Equal([inTest], test.Requests.Select(request => request.RecordId));
    }

    [Fact]
    public async Task Another_workspaces_endpoints_get_nothing()
    {
        await using var crm = await Crm.Start();
        await using var ours = await Receiver.Start();
        await using var theirs = await Receiver.Start();
        using var another = await crm.NewWorkspace();
        await crm.Api.Subscribe(ours.Address);
        await another.Subscribe(theirs.Address);

        var id = await crm.Api.CreateContact("jane@example.com");
        var other = await another.CreateContact("joan@example.com");
        await ours.Until(1);
        await theirs.Until(1);
        await crm.IsIdle();

        Assert.Equal([id], ours.Requests.Select(request => request.RecordId));
        Assert.Equal([other], theirs.Requests.Select(request => request.RecordId));
    }

    [Theory]
    [InlineData("http://example.com/")]
    [InlineData("http://10.0.0.1/")]
    [InlineData("http://localhost.example.com/")]
    [InlineData("https://user@example.com/")]
    [InlineData("https://user:secret@example.com/")]
    [InlineData("https://example.com/#fragment")]
    [InlineData("ftp://example.com/")]
    [InlineData("/relative")]
    [InlineData("https://")]
    [InlineData("https://b%C3%BCcher.example/")]
    [InlineData("https://%31%32%37.0.0.1/")]
    [InlineData("https://example.com:65536/")]
    [InlineData("")]
    public async Task An_address_that_will_not_do_is_refused(string url)
    {
        await using var crm = await Crm.Start();

        using var answer = await crm.Api.Send(HttpMethod.Post, "webhooks", new { url });

        Assert.Equal(400, (int)answer.StatusCode);
        var error = JsonElement.Parse(await answer.Content.ReadAsStringAsync()).GetProperty("error");
        Assert.Equal(["url"], error.GetProperty("details").EnumerateArray().Select(detail => detail.GetProperty("field").GetString()));
    }

    [Theory]
    [InlineData("http://localhost:8080/in")]
    [InlineData("http://127.0.0.1/")]
    [InlineData("http://[::1]:9/")]
    [InlineData("https://example.com/in?x=1")]
    public async Task Https_anywhere_and_http_to_this_machine_are_taken(string url)
    {
        await using var crm = await Crm.Start();

        Assert.Equal(url, (await crm.Api.Create("webhooks", new { url })).GetProperty("url").GetString());
    }

    [Fact]
    public async Task A_change_to_a_forbidden_address_is_refused_too()
    {
        await using var crm = await Crm.Start();
        var endpoint = await crm.Api.Subscribe(new Uri("https://example.com/"));

        using var answer = await crm.Api.Send(HttpMethod.Patch, $"webhooks/{endpoint.Id}", new { url = "http://example.com/" });

        Assert.Equal(400, (int)answer.StatusCode);
    }
}
