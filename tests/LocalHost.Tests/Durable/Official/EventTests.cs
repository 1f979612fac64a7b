using Microsoft.DurableTask.Client;

namespace NodeStash.LocalHost.Tests.Durable.Official;

/// <summary>External events, the same on each engine.</summary>
public sealed class EventTests
{
    [Theory, OnEachEngine]
    public async Task Events_sent_before_the_start_wait_for_their_name_in_any_case(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Orchestrator("Listen", async context =>
            $"{await context.WaitForExternalEvent<int>("B")} {await context.WaitForExternalEvent<int>("a")} {await context.WaitForExternalEvent<int>("A")}");
        var id = await engine.Schedule("Listen");
        foreach (var (name, payload) in new[] { ("a", 1), ("b", 2), ("A", 3) }) await engine.Raise(id, name, payload);
        await engine.Start();

        Assert.Equal("2 1 3", (await engine.End(id)).Read<string>());
    }

    [Theory, OnEachEngine]
    public async Task Events_of_one_name_are_received_in_order(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Activity("Echo", (int n) => n);
        engine.Orchestrator("Listen", async context =>
        {
            List<int> received = [];
            while (received.Count < 6)
            {
                received.Add(await context.WaitForExternalEvent<int>("number"));
                if (received.Count == 3) await context.CallActivityAsync<int>("Echo", 0);
                context.SetCustomStatus($"{received.Count}");
            }

            return received;
        });
        await engine.Start();
        var id = await engine.Schedule("Listen");
        for (var n = 1; n <= 3; n++) await engine.Raise(id, "number", n);
        await engine.Says(id, "3");
        for (var n = 4; n <= 6; n++) await engine.Raise(id, "number", n);

        Assert.Equal("[1,2,3,4,5,6]", (await engine.End(id)).Text);
    }

    [Theory, OnEachEngine]
    public async Task Of_several_who_wait_for_an_event_the_last_is_served_first(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Orchestrator("Listen", async context =>
        {
            var first = context.WaitForExternalEvent<int>("number");
            var second = context.WaitForExternalEvent<int>("number");
            await Task.WhenAll(first, second);
            return new[] { await first, await second };
        });
        await engine.Start();
        var id = await engine.Schedule("Listen");
        await engine.Raise(id, "number", 1);
        await engine.Raise(id, "number", 2);

        Assert.Equal("[2,1]", (await engine.End(id)).Text);
    }

    [Theory, OnEachEngine]
    public async Task Waiting_for_an_event_as_another_type_than_another_waiter_is_refused(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Orchestrator("Listen", async context =>
        {
            _ = context.WaitForExternalEvent<int>("number");
            return await context.WaitForExternalEvent<string>("Number");
        });
        await engine.Start();

        Assert.Equal("System.ArgumentException", (await engine.Run("Listen")).Failure!.ErrorType);
    }

    [Theory, OnEachEngine]
    public async Task A_wait_for_an_event_ends_at_its_timeout_and_another_can_follow(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Orchestrator("Listen", async context =>
        {
            try
            {
                await context.WaitForExternalEvent<int>("number", TimeSpan.FromMilliseconds(20));
                return "early";
            }
            catch (OperationCanceledException e)
            {
                context.SetCustomStatus("late");
                return $"{e.GetType()} {await context.WaitForExternalEvent<int>("number", TimeSpan.FromHours(1))}";
            }
        });
        await engine.Start();
        var id = await engine.Schedule("Listen");
        await engine.Says(id, "late");
        await engine.Raise(id, "number", 3);

        Assert.Equal("System.Threading.Tasks.TaskCanceledException 3", (await engine.End(id)).Read<string>());
    }

    [Theory, OnEachEngine]
    public async Task Cancelled_waits_for_events_and_timers_throw_the_same(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Orchestrator("Cancel", async context =>
        {
            using var cancel = new CancellationTokenSource();
            var waits = new[]
            {
                context.WaitForExternalEvent<int>("never", cancel.Token), context.CreateTimer(TimeSpan.FromHours(1), cancel.Token),
                context.WaitForExternalEvent<int>("never", TimeSpan.FromHours(1), cancel.Token),
            };
            await context.CreateTimer(TimeSpan.FromMilliseconds(1), CancellationToken.None);
            cancel.Cancel();
            waits = [.. waits, context.WaitForExternalEvent<int>("never", cancel.Token), context.CreateTimer(TimeSpan.FromHours(1), cancel.Token)];
            List<string> thrown = [];
            foreach (var wait in waits) thrown.Add((await Assert.ThrowsAnyAsync<Exception>(() => wait)).GetType().Name);
            return thrown;
        });
        await engine.Start();

        Assert.Equal(Enumerable.Repeat("TaskCanceledException", 5), (await engine.Run("Cancel")).Read<string[]>()!);
    }

    [Theory, OnEachEngine]
    public async Task An_event_does_not_go_to_a_wait_that_was_cancelled(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Orchestrator("Listen", async context =>
        {
            using var cancel = new CancellationTokenSource();
            _ = context.WaitForExternalEvent<int>("number", cancel.Token);
            cancel.Cancel();
            await context.WaitForExternalEvent<int>("go");
            return await context.WaitForExternalEvent<int>("number");
        });
        var id = await engine.Schedule("Listen");
        await engine.Raise(id, "number", 1);
        await engine.Raise(id, "go", 0);
        await engine.Start();

        Assert.Equal("1", (await engine.End(id)).Text);
    }

    [Theory, OnEachEngine]
    public async Task An_orchestration_sends_events_to_itself_and_to_others(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Orchestrator("Receive", async context =>
            $"{await context.WaitForExternalEvent<string>("LETTER")} {await context.WaitForExternalEvent<int>("number")}");
        engine.Orchestrator<string, string>("Send", async (context, to) =>
        {
            context.SendEvent(to, "letter", "from " + context.InstanceId);
            context.SendEvent(to, "number", 7);
            context.SendEvent(context.InstanceId, "own", "to myself");
            return await context.WaitForExternalEvent<string>("own");
        });
        await engine.Start();
        await engine.ScheduleAs("receiver", "Receive");
        await engine.ScheduleAs("sender", "Send", "receiver");

        Assert.Equal("from sender 7", (await engine.End("receiver")).Read<string>());
        Assert.Equal("to myself", (await engine.End("sender")).Read<string>());
    }

    [Theory, OnEachEngine]
    public async Task An_event_without_a_payload_is_received_as_null(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Orchestrator("Listen", async context => await context.WaitForExternalEvent<string?>("knock") ?? "nothing");
        await engine.Start();
        var id = await engine.Schedule("Listen");
        await engine.Raise(id, "knock", null);

        Assert.Equal("nothing", (await engine.End(id)).Read<string>());
    }

    [Theory, OnEachEngine]
    public async Task A_suspended_orchestration_takes_in_events_and_timers_when_it_is_resumed(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Orchestrator("Listen", async context =>
        {
            var timer = context.CreateTimer(TimeSpan.FromMilliseconds(1), CancellationToken.None);
            context.SetCustomStatus("listens");
            List<int> received = [];
            for (var n = 0; n < 3; n++) received.Add(await context.WaitForExternalEvent<int>("number"));
            await timer;
            return received;
        });
        await engine.Start();
        var id = await engine.Schedule("Listen");
        await engine.Says(id, "listens");
        await engine.Suspend(id);
        await engine.Until(id, outcome => outcome.Status is OrchestrationRuntimeStatus.Suspended);
        for (var n = 1; n <= 3; n++) await engine.Raise(id, "number", n);
        await engine.Resume(id);

        Assert.Equal("[1,2,3]", (await engine.End(id)).Text);
    }
}
