using System.Globalization;
using NodeStash.Core.Webhooks;
using NodeStash.Functions.Webhooks.Delivery;
using NodeStash.Support;
using NodeStash.Support.Http;

namespace NodeStash.Functions.Webhooks.Tests;

/// <summary>docs/api/webhooks.md, Deliveries: retries, and what a receiver's answer has to do with them.</summary>
public sealed class RetryTests
{
    [Fact]
    public async Task An_event_is_tried_along_the_schedule_then_given_up_and_the_records_next_event_goes_on()
    {
        TimeSpan[] waits =
        [
            TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(5), TimeSpan.FromHours(10),
            TimeSpan.FromHours(10), TimeSpan.FromHours(14), TimeSpan.FromHours(20), TimeSpan.FromHours(24),
        ];
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        receiver.Answer = (received, context) =>
        {
            context.Response.StatusCode = received.Name is "contact.created" ? 500 : 200;
            return Task.CompletedTask;
        };
        var endpoint = await crm.Api.Subscribe(receiver.Address);
        var contact = await crm.Api.CreateContact("jane@example.com");
        await receiver.Until(1);
        await crm.Api.Update($"contacts/{contact}", new { title = "CEO" });

        for (var failed = 1; failed <= waits.Length; failed++)
        {
            var now = crm.Time.GetUtcNow();
            var due = await crm.WaitsFor(failed + 1);
            Assert.InRange(due - now, waits[failed - 1], waits[failed - 1] * 1.1);
            crm.Time.Advance(due - now - TimeSpan.FromMilliseconds(1));
            crm.Time.Advance(TimeSpan.FromMilliseconds(1));
            await receiver.Until(failed + 1);
        }

        await receiver.Event("contact.updated");
        await crm.IsIdle();
        Assert.Equal([.. Enumerable.Repeat("contact.created", 11), "contact.updated"], receiver.EventNames);
        var givenUp = await crm.Delivery(receiver.Requests[0], endpoint.Id, delivery => delivery.Status is DeliveryStatus.Failed);
        Assert.Equal(Enumerable.Range(1, 11), givenUp.Attempts.Select(attempt => attempt.Number));
        Assert.All(givenUp.Attempts, attempt => Assert.Equal((AttemptOutcome.Status5xx, 500), (attempt.Outcome, attempt.StatusCode)));
        var served = givenUp.Attempts.Zip(givenUp.Attempts.Skip(1), (one, next) => next.At - one.At);
        Assert.All(served.Zip(waits), pair => Assert.InRange(pair.First, pair.Second, pair.Second * 1.1));
    }

    [Fact]
    public async Task Every_attempt_carries_the_same_id_and_body_and_a_signature_of_its_own_time()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        receiver.AnswerWith(500);
        var endpoint = await crm.Api.Subscribe(receiver.Address);
        await crm.Api.CreateContact("jane@example.com");
        await receiver.Until(1);
        await crm.AdvanceTo(attempt: 2);

        var attempts = await receiver.Until(2);

        Assert.Equal(attempts[0].Id, attempts[1].Id);
        Assert.Equal(attempts[0].Body, attempts[1].Body);
        Assert.Equal(TimeSpan.FromSeconds(5), attempts[1].SentAt - attempts[0].SentAt);
        Assert.True(Signature.Verify(
            endpoint.Secret, attempts[1].Id, attempts[1].Headers["webhook-timestamp"], attempts[1].Headers["webhook-signature"], attempts[1].Body,
            crm.Time.GetUtcNow(), TimeSpan.Zero));
    }

    [Theory]
    [InlineData("8", 8)]
    [InlineData("1", 5)]
    [InlineData("86400", 10)]
    public async Task Retry_After_lengthens_a_wait_up_to_double(string retryAfter, int seconds)
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        receiver.Answer = (_, context) =>
        {
            context.Response.StatusCode = 503;
            context.Response.Headers.RetryAfter = retryAfter;
            return Task.CompletedTask;
        };
        await crm.Api.Subscribe(receiver.Address);
        await crm.Api.CreateContact("jane@example.com");

        var wait = await crm.WaitsFor(attempt: 2) - crm.Time.GetUtcNow();

        Assert.InRange(wait, TimeSpan.FromSeconds(seconds), TimeSpan.FromSeconds(seconds * 1.1));
    }

    [Fact]
    public async Task Retry_After_may_be_a_date()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        var until = crm.Time.GetUtcNow() + TimeSpan.FromSeconds(9);
        receiver.Answer = (_, context) =>
        {
            context.Response.StatusCode = 429;
            context.Response.Headers.RetryAfter = until.ToString("R", CultureInfo.InvariantCulture);
            return Task.CompletedTask;
        };
        await crm.Api.Subscribe(receiver.Address);
        await crm.Api.CreateContact("jane@example.com");

        var wait = await crm.WaitsFor(attempt: 2) - crm.Time.GetUtcNow();

        Assert.InRange(wait, TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(9.9));
    }

    [Fact]
    public async Task An_event_that_failed_is_delivered_once_the_receiver_is_well_again()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        receiver.AnswerWith(500);
        var endpoint = await crm.Api.Subscribe(receiver.Address);
        await crm.Api.CreateContact("jane@example.com");
        await receiver.Until(1);
        var due = await crm.WaitsFor(attempt: 2);
        receiver.AnswerWith(204);
        crm.Time.Advance(due - crm.Time.GetUtcNow());

        var delivered = await crm.Delivery((await receiver.Until(2))[0], endpoint.Id, delivery => delivery.Status is DeliveryStatus.Delivered);

        await crm.IsIdle();
        Assert.Equal([AttemptOutcome.Status5xx, AttemptOutcome.Delivered], delivered.Attempts.Select(attempt => attempt.Outcome));
        Assert.Equal(2, receiver.Requests.Count);
    }

    [Fact]
    public async Task A_round_repeated_after_a_crash_makes_no_attempt_before_its_time()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        receiver.AnswerWith(500);
        await crm.Api.Subscribe(receiver.Address);
        await crm.Api.CreateContact("jane@example.com");
        var due = await crm.WaitsFor(attempt: 2);
        crm.Time.Advance(TimeSpan.FromSeconds(4.9));

        var repeated = await crm.RepeatRound();

        Assert.Equal(new RoundSent(RoundEnd.Waits, new LaneWait(2, due)), repeated);
        Assert.Single(receiver.Requests);
        crm.Time.Advance(due - crm.Time.GetUtcNow());
        await receiver.Until(2);
    }

    [Fact]
    public async Task Where_the_orchestration_was_ended_from_outside_the_next_event_begins_another_and_nothing_is_lost()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        receiver.AnswerWith(500);
        await crm.Api.Subscribe(receiver.Address);
        await crm.Api.CreateContact("jane@example.com");
        var due = await crm.WaitsFor(2);
        await crm.EndOrchestrations();

        receiver.AnswerWith(200);
        await crm.Api.CreateContact("joan@example.com");
        await receiver.Until(2);
        crm.Time.Advance(due - crm.Time.GetUtcNow());
        await crm.IsIdle();

        var requests = await receiver.Until(3);
        Assert.Equal([requests[0].Id, requests[1].Id, requests[0].Id], requests.Select(request => request.Id));
    }

    [Fact]
    public async Task A_failing_record_holds_back_only_itself_and_keeps_its_order()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        var ill = "";
        receiver.Answer = (received, context) =>
        {
            context.Response.StatusCode = received.RecordId == Volatile.Read(ref ill) ? 500 : 200;
            return Task.CompletedTask;
        };
        await crm.Api.Subscribe(receiver.Address);
        var (bad, good) = (await crm.Api.CreateContact("bad@example.com"), await crm.Api.CreateContact("good@example.com"));
        await receiver.Until(2);
        await crm.IsIdle();
        Volatile.Write(ref ill, bad);
        foreach (var title in new[] { "One", "Two", "Three" })
        {
            await crm.Api.Update($"contacts/{bad}", new { title });
            await crm.Api.Update($"contacts/{good}", new { title });
        }

        var due = await crm.WaitsFor(attempt: 2);
        await Eventually.True(() => receiver.Requests.Count(request => request.RecordId == good) == 4, "the good record's events");
        Assert.Equal([1, 2], receiver.Requests.Where(request => request.RecordId == bad).Select(request => request.Version));
        Volatile.Write(ref ill, "");
        crm.Time.Advance(due - crm.Time.GetUtcNow());
        await crm.IsIdle();

        Assert.Equal([1, 2, 2, 3, 4], receiver.Requests.Where(request => request.RecordId == bad).Select(request => request.Version));
        Assert.Equal([1, 2, 3, 4], receiver.Requests.Where(request => request.RecordId == good).Select(request => request.Version));
    }

    [Fact]
    public async Task An_endpoint_that_hangs_does_not_slow_another()
    {
        await using var crm = await Crm.Start();
        await using var hanging = await Receiver.Start();
        await using var well = await Receiver.Start();
        hanging.Answer = (_, context) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        await crm.Api.Subscribe(hanging.Address);
        await crm.Api.Subscribe(well.Address);

        var contacts = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => crm.Api.CreateContact($"c{i}@example.com")));

        var received = await well.Until(30);
        Assert.Equal(contacts.Order(), received.Select(request => request.RecordId).Order());
        await hanging.Until(1);
    }
}
