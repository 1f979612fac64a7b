using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.DurableTask.Client;
using NodeStash.Core.Webhooks;
using NodeStash.Support.Http;

namespace NodeStash.Functions.Webhooks.Tests;

/// <summary>
/// Workers in flight survive a deploy: today's code goes on from what version 1 wrote of them. The histories below are never brought up to date with
/// the code: where one of these tests fails, it is the code that must still read them.
/// </summary>
public sealed class InFlightTests
{
    /// <summary>One that has sent, and sleeps until the second attempt. A round before left more to do, and one found the endpoint busy.</summary>
    private const string Asleep =
        """
        INSERT INTO instances (id, execution, name, version, status, turns, seen, created, updated, input, custom_status) VALUES
          ('<worker>', 'dabbe25b3214e07ded602d524c5b81d2', 'DeliverToEndpoint', '', 0, 5, 4, <begun>, <now>,
           '{"Partition":"<partition>","WebhookId":"<endpoint>","Holder":null}', '{"Attempt":2,"DueAt":"<due>"}');
        INSERT INTO turns (instance, number, at, seen, asked) VALUES
          ('<worker>', 0, <begun>, 0, '["activity \u0027SendDueDeliveries\u0027"]'),
          ('<worker>', 1, <begun>, 1, '["activity \u0027SendDueDeliveries\u0027"]'),
          ('<worker>', 2, <begun>, 2, '["timer"]'),
          ('<worker>', 3, <now>, 3, '["activity \u0027SendDueDeliveries\u0027"]'),
          ('<worker>', 4, <now>, 4, '["timer"]');
        INSERT INTO events (seq, instance, kind, task, name, payload, at) VALUES
          (1, '<worker>', 0, 0, NULL, '{"End":1,"Next":null}', <begun>),
          (2, '<worker>', 0, 1, NULL, '{"End":3,"Next":null}', <begun>),
          (3, '<worker>', 2, 2, NULL, NULL, <now>),
          (4, '<worker>', 0, 3, NULL, '{"End":2,"Next":{"Attempt":2,"DueAt":"<due>"}}', <now>);
        INSERT INTO timers (instance, execution, task, fire_at) VALUES ('<worker>', 'dabbe25b3214e07ded602d524c5b81d2', 4, <due ticks>);
        """;

    /// <summary>That one, woken: the orchestrator has not seen it yet.</summary>
    private const string Woken = Asleep
        + "INSERT INTO events (seq, instance, kind, task, name, payload, at) VALUES (5, '<worker>', 3, -1, 'Wake', '\"\"', <now>);";

    /// <summary>One that has just begun, with its first round asked for.</summary>
    private const string Begun =
        """
        INSERT INTO instances (id, execution, name, version, status, turns, seen, created, updated, input) VALUES
          ('<worker>', 'dabbe25b3214e07ded602d524c5b81d2', 'DeliverToEndpoint', '', 0, 1, 0, <now>, <now>,
           '{"Partition":"<partition>","WebhookId":"<endpoint>","Holder":null}');
        INSERT INTO turns (instance, number, at, seen, asked) VALUES ('<worker>', 0, <now>, 0, '["activity \u0027SendDueDeliveries\u0027"]');
        INSERT INTO activities (instance, execution, task, name, input) VALUES
          ('<worker>', 'dabbe25b3214e07ded602d524c5b81d2', 0, 'SendDueDeliveries', '{"Partition":"<partition>","WebhookId":"<endpoint>","Holder":"<worker>"}');
        """;

    [Fact]
    public async Task A_worker_asleep_sends_when_the_attempt_is_due()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        var left = await FailOnce(crm, receiver);

        await crm.Restart(folder => left.Write(folder, Asleep));
        await crm.AdvanceTo(attempt: 2);

        await HasDelivered(crm, left);
    }

    [Fact]
    public async Task A_worker_that_has_not_taken_in_yet_that_it_was_woken_sends_at_once()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        var left = await FailOnce(crm, receiver);
        await crm.MakeDue(left.Failed, left.EndpointId);

        await crm.Restart(folder => left.Write(folder, Woken));

        await HasDelivered(crm, left);
    }

    [Fact]
    public async Task A_worker_that_has_asked_for_a_round_gets_it()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        var left = await FailOnce(crm, receiver);

        await crm.Restart(folder => left.Write(folder, Begun));
        await crm.AdvanceTo(attempt: 2);

        await HasDelivered(crm, left);
    }

    /// <summary>Leaves a worker that waits for the second attempt, at a receiver that is well again.</summary>
    private static async Task<Left> FailOnce(Crm crm, Receiver receiver)
    {
        receiver.AnswerWith(500);
        var endpoint = await crm.Api.Subscribe(receiver.Address);
        await crm.Api.CreateContact("jane@example.com");
        var failed = (await receiver.Until(1))[0];
        var due = await crm.WaitsFor(attempt: 2);
        receiver.AnswerWith(200);
        return new Left(Assert.Single(await crm.Orchestrations()).InstanceId, endpoint.Id, failed, crm.Time.GetUtcNow(), due);
    }

    /// <summary>Waits until the worker left has delivered at the second attempt, and ended.</summary>
    private static async Task HasDelivered(Crm crm, Left left)
    {
        await crm.IsIdle();
        var worker = Assert.Single(await crm.Orchestrations());
        Assert.Null(worker.FailureDetails);
        Assert.Equal((left.Worker, OrchestrationRuntimeStatus.Completed), (worker.InstanceId, worker.RuntimeStatus));
        var delivery = await crm.Delivery(left.Failed, left.EndpointId, delivery => delivery.Attempts.Count == 2);
        Assert.Equal([AttemptOutcome.Status5xx, AttemptOutcome.Delivered], delivery.Attempts.Select(attempt => attempt.Outcome));
    }

    /// <param name="Worker">Its instance: the store knows who has the endpoint.</param>
    /// <param name="EndpointId"><c>wh_…</c></param>
    /// <param name="Failed">The first attempt.</param>
    /// <param name="Now">The time.</param>
    /// <param name="Due">When the second attempt is made.</param>
    private sealed record Left(string Worker, string EndpointId, Received Failed, DateTimeOffset Now, DateTimeOffset Due)
    {
        /// <summary>Puts a history in the place of the worker's own.</summary>
        public async Task Write(string folder, string history)
        {
            await using var database = new SqliteConnection($"Data Source={Path.Combine(folder, "durable.db")};Pooling=false");
            database.Open();
            using var command = database.CreateCommand();
            command.CommandText = "DELETE FROM instances; DELETE FROM turns; DELETE FROM events; DELETE FROM activities; DELETE FROM timers;" + history
                .Replace("<worker>", Worker, StringComparison.Ordinal)
                .Replace("<endpoint>", EndpointId, StringComparison.Ordinal)
                .Replace("<partition>", Failed.Event.GetProperty("metadata").GetProperty("workspace_id").GetString(), StringComparison.Ordinal)
                .Replace("<begun>", Ticks(Now.AddSeconds(-2)), StringComparison.Ordinal)
                .Replace("<now>", Ticks(Now), StringComparison.Ordinal)
                .Replace("<due>", Due.ToString("O", CultureInfo.InvariantCulture), StringComparison.Ordinal)
                .Replace("<due ticks>", Ticks(Due), StringComparison.Ordinal);
            command.ExecuteNonQuery();
        }

        private static string Ticks(DateTimeOffset at) => at.UtcTicks.ToString(CultureInfo.InvariantCulture);
    }
}
