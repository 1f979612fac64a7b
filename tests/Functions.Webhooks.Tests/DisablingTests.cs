using System.Text.Json;
using NodeStash.Core.Webhooks;
using NodeStash.Support;
using NodeStash.Support.Http;

namespace NodeStash.Functions.Webhooks.Tests;

/// <summary>docs/api/webhooks.md, Deliveries: an endpoint with nothing but failures for 5 days is disabled, with a reason.</summary>
public sealed class DisablingTests
{
    private static readonly DateTimeOffset Day0 = new(2026, 1, 15, 10, 30, 0, TimeSpan.Zero);

    [Fact]
    public async Task Five_days_of_nothing_but_failures_disable_an_endpoint_and_say_why()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        receiver.AnswerWith(500);
        var endpoint = await crm.Api.Subscribe(receiver.Address);

        await FailFor(4, crm, receiver);
        Assert.True((await crm.Api.Get($"webhooks/{endpoint.Id}")).GetProperty("is_enabled").GetBoolean());
        await FailFor(1, crm, receiver);
        await crm.Api.CreateContact("last@example.com");

        Assert.Equal("Nothing but failures for 5 days", await DisabledReason(crm, endpoint));
        await crm.IsIdle();
    }

    [Fact]
    public async Task One_success_begins_the_five_days_anew()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        var endpoint = await crm.Api.Subscribe(receiver.Address);
        await FailFor(4, crm, receiver, answer: 500);
        await FailFor(1, crm, receiver, answer: 200);

        await FailFor(2, crm, receiver, answer: 500);

        Assert.True((await crm.Api.Get($"webhooks/{endpoint.Id}")).GetProperty("is_enabled").GetBoolean());
    }

    [Fact]
    public async Task An_endpoint_enabled_again_has_five_days_anew()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        receiver.AnswerWith(500);
        var endpoint = await crm.Api.Subscribe(receiver.Address);
        await FailFor(5, crm, receiver);
        await crm.Api.CreateContact("last@example.com");
        await DisabledReason(crm, endpoint);
        await crm.IsIdle();

        var enabled = await crm.Api.Update($"webhooks/{endpoint.Id}", new { is_enabled = true });
        Assert.Equal(JsonValueKind.Null, enabled.GetProperty("disabled_reason").ValueKind);
        await crm.Api.CreateContact("again@example.com");
        await crm.WaitsFor(attempt: 2);

        Assert.True((await crm.Api.Get($"webhooks/{endpoint.Id}")).GetProperty("is_enabled").GetBoolean());
    }

    [Fact]
    public void A_pause_in_which_nothing_was_sent_is_no_failure()
    {
        var run = FailureRun.After(null, Day0);

        Assert.Equal(new FailureRun(Day0, Day0.AddDays(2)), FailureRun.After(run, Day0.AddDays(2)));
        Assert.Equal(new FailureRun(Day0.AddDays(4), Day0.AddDays(4)), FailureRun.After(run, Day0.AddDays(4)));
    }

    [Fact]
    public void No_wait_between_two_attempts_is_a_pause() =>
        Assert.All(Enumerable.Range(1, RetrySchedule.Waits.Count), attempt =>
            Assert.Equal(Day0, FailureRun.After(new FailureRun(Day0, Day0), Day0 + RetrySchedule.After(attempt, TimeSpan.MaxValue, 1)!.Value).Since));

    /// <summary>Each day something happens, and the receiver answers so.</summary>
    private static async Task FailFor(int days, Crm crm, Receiver receiver, int answer = 500)
    {
        for (var day = 0; day < days; day++)
        {
            receiver.AnswerWith(answer);
            var id = await crm.Api.CreateContact($"{Guid.CreateVersion7()}@example.com");
            await Eventually.True(() => receiver.Requests.Any(request => request.RecordId == id), "the day's event");
            await crm.IsNoted(receiver.Requests.First(request => request.RecordId == id));
            crm.Time.Advance(TimeSpan.FromDays(1));
        }
    }

    private static Task<string> DisabledReason(Crm crm, Endpoint endpoint) => Eventually.Get(
        async () => (await crm.Api.Get($"webhooks/{endpoint.Id}")).GetProperty("disabled_reason").GetString(), "the end of the endpoint");
}
