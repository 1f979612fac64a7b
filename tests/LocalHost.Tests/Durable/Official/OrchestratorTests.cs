using Microsoft.DurableTask.Client;

namespace NodeStash.LocalHost.Tests.Durable.Official;

/// <summary>Orchestrators by themselves: inputs, outputs, time, ids and status, the same on each engine.</summary>
public sealed class OrchestratorTests
{
    [Theory, OnEachEngine]
    public async Task Inputs_and_outputs_keep_their_values(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Activity<Everything, Everything>("Pass", (_, everything) => Task.FromResult(everything));
        engine.Orchestrator<Everything, Everything>("Child", (context, everything) => context.CallActivityAsync<Everything>("Pass", everything));
        engine.Orchestrator<Everything, Everything>("Parent", (context, everything) => context.CallSubOrchestratorAsync<Everything>("Child", everything));
        await engine.Start();
        var at = new DateTimeOffset(2030, 1, 2, 3, 4, 5, 678, TimeSpan.FromHours(2));
        var everything = new Everything("ä\"\u2028", 1.5m, at, [1, 2], DayOfWeek.Friday, null, TimeSpan.FromDays(1.5));
        var end = await engine.Run("Parent", everything);

        Assert.Equal(end.Input, end.Output);
        Assert.Equal(
            """{"Text":"\u00E4\u0022\u2028","Amount":1.5,"At":"2030-01-02T03:04:05.678+02:00","Numbers":[1,2],"Day":5,"""
            + "\"Nothing\":null,\"Time\":\"1.12:00:00\"}",
            end.Output);
    }

    [Theory, OnEachEngine]
    public async Task A_list_is_one_input_of_an_activity(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Activity("Sum", (int[] numbers) => numbers.Sum());
        engine.Orchestrator("Sums", async context =>
            new[] { await context.CallActivityAsync<int>("Sum", new[] { 1, 2 }), await context.CallActivityAsync<int>("sum", Array.Empty<int>()) });
        await engine.Start();

        Assert.Equal("[3,0]", (await engine.Run("sums")).Text);
    }

    [Theory, OnEachEngine]
    public async Task Nothing_answered_is_the_default_of_the_type_asked_for(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Activity<string?, string?>("Nothing", (_, input) => Task.FromResult(input));
        engine.Orchestrator<string?, string?>("Child", (_, input) => Task.FromResult(input));
        engine.Orchestrator("Parent", async context => new object?[]
        {
            await context.CallActivityAsync<string?>("Nothing"), await context.CallActivityAsync<int>("Nothing"),
            await context.CallSubOrchestratorAsync<string?>("Child"), await context.CallSubOrchestratorAsync<int>("Child"),
        });
        await engine.Start();

        Assert.Equal("[null,0,null,0]", (await engine.Run("Parent")).Text);
        var child = await engine.Run("Child");
        Assert.Equal((OrchestrationRuntimeStatus.Completed, null, null), (child.Status, child.Input, child.Output));
    }

    [Theory, OnEachEngine]
    public async Task Answers_come_in_the_order_in_which_activities_end(EngineKind kind)
    {
        await using var engine = kind.Open();
        var gates = Enumerable.Range(0, 2).Select(_ => new TaskCompletionSource()).ToArray();
        engine.Activity<int, int>("Gate", async (_, n) =>
        {
            await gates[n].Task;
            return n;
        });
        engine.Orchestrator("Race", async context =>
        {
            List<Task<int>> open = [context.CallActivityAsync<int>("Gate", 0), context.CallActivityAsync<int>("Gate", 1)];
            List<int> order = [];
            while (open.Count > 0)
            {
                var done = await Task.WhenAny(open);
                open.Remove(done);
                order.Add(await done);
                context.SetCustomStatus($"{order.Count}");
            }

            return order;
        });
        await engine.Start();
        var id = await engine.Schedule("Race");
        gates[1].SetResult();
        await engine.Says(id, "1");
        gates[0].SetResult();

        Assert.Equal("[1,0]", (await engine.End(id)).Text);
    }

    [Theory, OnEachEngine]
    public async Task Ids_and_times_are_the_same_at_every_replay(EngineKind kind)
    {
        await using var engine = kind.Open();
        List<string> first = [];
        engine.Activity("Echo", (int n) => n);
        engine.Orchestrator("Ids", async context =>
        {
            var (one, other, now, input) = (context.NewGuid(), context.NewGuid(), context.CurrentUtcDateTime, context.GetInput<object>());
            lock (first) first.Add($"{one} {other} {now:O}");
            var due = now.AddMilliseconds(20);
            await context.CreateTimer(due, CancellationToken.None);
            var fired = context.CurrentUtcDateTime;
            await context.CallActivityAsync<int>("Echo", 1);
            return $"{one != other} {now.Kind} {fired >= due} {context.CurrentUtcDateTime >= fired} {context.NewGuid() != one} {input is null}";
        });
        await engine.Start();

        Assert.Equal("True Utc True True True True", (await engine.Run("Ids")).Read<string>());
        Assert.Single(first.Distinct());
    }

    [Theory, OnEachEngine]
    public async Task A_timer_of_the_past_fires_at_once(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Orchestrator("Sleep", async context =>
        {
            await context.CreateTimer(context.CurrentUtcDateTime.AddDays(-1), CancellationToken.None);
            return "awake";
        });
        await engine.Start();

        Assert.Equal("awake", (await engine.Run("Sleep")).Read<string>());
    }

    [Theory, OnEachEngine]
    public async Task A_custom_status_stays_until_it_is_set_again_and_after_the_end(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Orchestrator("Show", async context =>
        {
            context.SetCustomStatus(new { Step = 1 });
            await context.WaitForExternalEvent<int>("go");
            context.SetCustomStatus(null);
            await context.WaitForExternalEvent<int>("go");
            context.SetCustomStatus("last");
            return 0;
        });
        await engine.Start();
        var id = await engine.Schedule("Show");
        await engine.Until(id, outcome => outcome.CustomStatus == """{"Step":1}""");
        await engine.Raise(id, "go", 1);
        await engine.Until(id, outcome => outcome.CustomStatus is null);
        await engine.Raise(id, "go", 2);

        Assert.Equal("\"last\"", (await engine.End(id)).CustomStatus);
    }

    [Theory, OnEachEngine]
    public async Task An_activity_knows_its_name_and_its_orchestration(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Activity<string, string>("Who", (context, _) => Task.FromResult($"{context.Name} {context.InstanceId}"));
        engine.Orchestrator("Ask", async context => $"{context.Name} {await context.CallActivityAsync<string>("Who", "")}");
        await engine.Start();
        await engine.ScheduleAs("the instance", "Ask");

        Assert.Equal("Ask Who the instance", (await engine.End("the instance")).Read<string>());
    }

    [Theory, OnEachEngine]
    public async Task A_name_in_another_case_is_no_departure_from_the_history(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Activity("Echo", (int n) => n);
        engine.Orchestrator("Child", _ => Task.FromResult(1));
        var changed = false;
        engine.Orchestrator("Change", async context =>
        {
            await context.CallActivityAsync<int>(changed ? "ECHO" : "Echo", 1);
            await context.CallSubOrchestratorAsync<int>(changed ? "CHILD" : "Child");
            context.SendEvent(context.InstanceId, changed ? "OWN" : "own", 1);
            await context.WaitForExternalEvent<int>("own");
            changed = true;
            await context.CallActivityAsync<int>("Echo", 1);
            return "same";
        });
        await engine.Start();

        Assert.Equal("same", (await engine.Run("Change")).Read<string>());
    }

    public sealed record Everything(string Text, decimal Amount, DateTimeOffset At, int[] Numbers, DayOfWeek Day, string? Nothing, TimeSpan Time);
}
