using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using NodeStash.Core.Webhooks;
using NodeStash.Functions.Webhooks.Delivery;
using NodeStash.Support;
using NodeStash.Support.Http;
using Endpoint = NodeStash.Support.Http.Endpoint;

namespace NodeStash.Functions.Webhooks.Tests;

/// <summary>
/// How an endpoint's deliveries share their time with each other and with other endpoints (ADR 0007). The clock stands still unless it is moved.
/// </summary>
public sealed class RoundTests : IAsyncLifetime
{
    /// <summary>Requests that are not answered until their gate is opened, by the contact's email.</summary>
    private readonly ConcurrentDictionary<string, TaskCompletionSource> held = new();

    private Crm crm = null!;
    private Receiver receiver = null!;
    private Endpoint endpoint = null!;

    public async ValueTask InitializeAsync()
    {
        (crm, receiver) = (await Crm.Start(), await Receiver.Start());
        receiver.Answer = Answer;
        endpoint = await crm.Api.Subscribe(receiver.Address);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var gate in held.Values) gate.TrySetResult();
        await crm.DisposeAsync();
        await receiver.DisposeAsync();
    }

    [Fact]
    public async Task A_record_whose_attempt_takes_long_does_not_hold_back_others_at_the_same_endpoint()
    {
        await Hold("slow@example.com");

        var others = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => crm.Api.CreateContact($"c{i}@example.com")));

        var received = await receiver.Until(21);
        Assert.Equal(others.Order(), received.Skip(1).Select(request => request.RecordId).Order());
    }

    [Fact]
    public async Task New_records_are_sent_beside_as_many_slow_attempts_as_leave_room_for_one()
    {
        // One is held all the while. Each other that ends in time earns the endpoint one more attempt at a time.
        var (sent, slow) = (1, new WebhookOptions().ConcurrencyPerEndpoint - 1);
        await Hold("slow0@example.com");
        for (var i = SendSlots.FirstAttempts; i <= slow; i++) await SendQuick();

        for (var i = 1; i < slow; i++, sent++) await Hold($"slow{i}@example.com");
        for (var i = 0; i < 3; i++) await SendQuick();

        async Task SendQuick()
        {
            await crm.Api.CreateContact($"quick{sent}@example.com");
            await crm.IsNoted((await receiver.Until(++sent))[sent - 1]);
        }
    }

    [Fact]
    public async Task A_round_goes_on_past_its_time_while_the_receiver_keeps_up_but_for_ten_seconds_at_most()
    {
        var before = await Hold("c0@example.com");
        for (var second = 1; second <= 10; second++)
        {
            crm.Time.Advance(TimeSpan.FromSeconds(0.7));
            var young = await Hold($"c{second}@example.com");
            held[before].SetResult();
            await crm.IsNoted(receiver.Requests.Single(request => EmailOf(request) == before));
            // What is noted later is noted once the round is done with what was noted before.
            await crm.Api.CreateContact($"quick{second}@example.com");
            await crm.IsNoted((await receiver.Until((2 * second) + 1))[2 * second]);
            crm.Time.Advance(TimeSpan.FromSeconds(0.3));

            await LongRoundsAre(second < 10 ? 1 : 0);
            before = young;
        }
    }

    [Fact]
    public async Task A_round_whose_time_is_up_ends_where_an_attempt_takes_long_and_that_is_not_made_twice()
    {
        await Hold("slow@example.com");
        crm.Time.Advance(TimeSpan.FromSeconds(1));

        for (var i = 0; i < 3; i++) await crm.Api.CreateContact($"c{i}@example.com");

        await receiver.Until(4);
        await LongRoundsAre(0);
        held["slow@example.com"].SetResult();
        await crm.IsIdle();
        Assert.Equal(4, receiver.Requests.Count);
    }

    [Fact]
    public async Task Once_an_endpoint_is_deleted_nothing_more_is_begun_however_much_of_it_was_taken()
    {
        var (one, all) = (new SemaphoreSlim(0), new TaskCompletionSource());
        receiver.Answer = (_, _) => Task.WhenAny(one.WaitAsync(), all.Task);
        await Task.WhenAll(Enumerable.Range(0, 100).Select(i => crm.Api.CreateContact($"c{i}@example.com")));
        await receiver.Until(SendSlots.FirstAttempts);

        await crm.Api.Delete($"webhooks/{endpoint.Id}");
        for (var answered = 1; answered <= 2; answered++)
        {
            one.Release();
            await AreNoted(answered);
        }

        // Once the second is noted, what came of the first has been looked at, and the endpoint with it.
        all.SetResult();
        await crm.IsIdle(step: TimeSpan.FromSeconds(2));
        await AreNoted(receiver.Requests.Count);
        Assert.InRange(receiver.Requests.Count, SendSlots.FirstAttempts, 2 + new WebhookOptions().ConcurrencyPerEndpoint);
    }

    private async Task AreNoted(int attempts)
    {
        var store = crm.DeliveriesOf(receiver.Requests[0]);
        await Eventually.True(
            async () => (await store.List(endpoint.Id, null, null, 100, CancellationToken.None)).Count(delivery => delivery.Attempts.Count > 0) == attempts,
            $"{attempts} attempts on disk");
    }

    private async Task Answer(Received received, HttpContext context)
    {
        if (held.TryGetValue(EmailOf(received), out var gate)) await gate.Task;
    }

    private static string EmailOf(Received received) => received.Event.GetProperty("data").GetProperty("attributes").GetProperty("email").GetString()!;

    /// <summary>Makes a contact of whose event the receiver has a request, which it does not answer.</summary>
    private async Task<string> Hold(string email)
    {
        held[email] = new TaskCompletionSource();
        await crm.Api.CreateContact(email);
        await Eventually.True(() => receiver.Requests.Any(request => EmailOf(request) == email), $"the request for {email}");
        return email;
    }

    private Task LongRoundsAre(int expected)
    {
        var slots = crm.Service<SendSlots>();
        return Eventually.True(
            () =>
            {
                var left = 0;
                while (slots.TryBeginLongRound()) left++;
                for (var i = 0; i < left; i++) slots.EndLongRound();
                return left == SendSlots.MaxLongRounds - expected;
            },
            $"{expected} long rounds");
    }
}
