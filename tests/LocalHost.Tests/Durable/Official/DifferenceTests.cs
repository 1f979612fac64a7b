using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using NodeStash.LocalHost.Durable;

namespace NodeStash.LocalHost.Tests.Durable.Official;

/// <summary>Where the two engines are known to differ: the table of docs/adr/0004-durable-engine-on-sqlite.md, row by row.</summary>
public sealed class DifferenceTests
{
    [Theory]
    [InlineData(EngineKind.ReplayedAtEveryTurn)]
    [InlineData(EngineKind.Official)]
    public async Task Awaiting_what_is_not_durable_fails_or_never_ends(EngineKind kind)
    {
        await using var engine = kind.Open();
        var foreign = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        engine.Orchestrator("Stray", _ => foreign.Task);
        engine.Orchestrator("Other", _ => Task.FromResult(1));
        await engine.Start();
        var id = await engine.Schedule("Stray");

        if (kind != EngineKind.Official)
        {
            Assert.True((await engine.End(id)).Failure!.IsCausedBy<NonDeterminismException>());
            return;
        }

        await engine.Until(id, outcome => outcome.Status == OrchestrationRuntimeStatus.Running);
        foreign.SetResult(1);
        await engine.Run("Other");
        Assert.Equal(OrchestrationRuntimeStatus.Running, (await engine.Find(id))!.Status);
    }

    [Theory]
    [InlineData(EngineKind.ReplayedAtEveryTurn, "NodeStash.LocalHost.Durable.NonDeterminismException")]
    [InlineData(EngineKind.Official, "DurableTask.Core.Exceptions.NonDeterministicOrchestrationException")]
    public async Task A_departure_from_the_history_fails_with_another_type(EngineKind kind, string type)
    {
        foreach (var departure in new[] { "returns", "waits", "another name", "another kind", "one more" })
        {
            await using var engine = kind.Open();
            var turns = 0;
            engine.Activity("Echo", (int n) => n);
            engine.Activity("Other", (int n) => n);
            engine.Orchestrator("Depart", async context =>
            {
                await context.CallActivityAsync<int>("Echo", 1);
                var departs = turns++ > 0;
                if (departs && departure == "returns") return 1;
                if (departs && departure == "waits") await context.WaitForExternalEvent<int>("never");
                if (departs && departure == "another name") await context.CallActivityAsync<int>("Other", 1);
                if (departs && departure == "another kind") await context.CreateTimer(TimeSpan.Zero, CancellationToken.None);
                if (departs && departure == "one more") _ = context.CallActivityAsync<int>("Other", 1);
                await context.CallActivityAsync<int>("Echo", 1);
                return await context.CallActivityAsync<int>("Echo", 1);
            });
            await engine.Start();

            Assert.Equal((departure, type), (departure, (await engine.Run("Depart")).Failure!.ErrorType));
        }
    }

    [Theory]
    [InlineData(EngineKind.ReplayedAtEveryTurn, null)]
    [InlineData(EngineKind.ReplayedAtEveryTurn, "text")]
    [InlineData(EngineKind.Official, null)]
    [InlineData(EngineKind.Official, "text")]
    public async Task An_event_of_another_type_is_the_waiters_or_never_received(EngineKind kind, string? payload)
    {
        await using var engine = kind.Open();
        using var starts = new SemaphoreSlim(0);
        engine.Orchestrator("Listen", async context =>
        {
            starts.Release();
            var received = context.WaitForExternalEvent<int>("number");
            try
            {
                return $"{await received}";
            }
            catch (System.Text.Json.JsonException)
            {
                return "unreadable";
            }
        });
        await engine.Start();
        var id = await engine.Schedule("Listen");
        await engine.Until(id, outcome => outcome.Status == OrchestrationRuntimeStatus.Running);
        await engine.Raise(id, "number", payload);

        if (kind != EngineKind.Official)
        {
            Assert.Equal(payload is null ? "0" : "unreadable", (await engine.End(id)).Read<string>());
            return;
        }

        // The turn that takes the event in fails, and is taken again and again.
        for (var start = 0; start < 3; start++) Assert.True(await starts.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal(OrchestrationRuntimeStatus.Running, (await engine.Find(id))!.Status);
    }

    [Theory]
    [InlineData(EngineKind.ReplayedAtEveryTurn, "System.OperationCanceledException: Orchestration 'child' was terminated.")]
    [InlineData(EngineKind.Official, "no details")]
    public async Task A_terminated_sub_orchestration_fails_its_call_with_or_without_details(EngineKind kind, string details)
    {
        await using var engine = kind.Open();
        engine.Orchestrator("Child", context =>
        {
            context.SetCustomStatus("waits");
            return context.WaitForExternalEvent<int>("never");
        });
        engine.Orchestrator("Parent", async context =>
        {
            var e = await Assert.ThrowsAsync<TaskFailedException>(
                () => context.CallSubOrchestratorAsync<int>("Child", null, new SubOrchestrationOptions(instanceId: "child")));
            return e.FailureDetails is { } failure ? Outcome.Describe(failure) : "no details";
        });
        await engine.Start();
        var id = await engine.Schedule("Parent");
        await engine.Says("child", "waits");
        await engine.Terminate("child", "why");

        Assert.Equal(details, (await engine.End(id)).Read<string>());
    }

    [Theory]
    [InlineData(EngineKind.ReplayedAtEveryTurn)]
    [InlineData(EngineKind.Official)]
    public async Task A_name_that_nobody_registered_fails_or_is_looked_for_again(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Orchestrator("Call", async context =>
        {
            context.SetCustomStatus("calls");
            return await context.CallActivityAsync<int>("Missing", 1);
        });
        engine.Orchestrator("Other", _ => Task.FromResult(1));
        await engine.Start();
        var call = await engine.Schedule("Call");
        await engine.Says(call, "calls");
        var missing = await engine.Schedule("Missing");

        if (kind != EngineKind.Official)
        {
            Assert.True((await engine.End(missing)).Failure!.IsCausedBy<UnknownFunctionException>());
            Assert.True((await engine.End(call)).Failure!.InnerFailure!.IsCausedBy<UnknownFunctionException>());
            return;
        }

        await engine.Run("Other");
        Assert.Equal(OrchestrationRuntimeStatus.Pending, (await engine.Find(missing))!.Status);
        Assert.Equal(OrchestrationRuntimeStatus.Running, (await engine.Find(call))!.Status);
    }

    [Theory]
    [InlineData(EngineKind.ReplayedAtEveryTurn, "System.IO.InvalidDataException: bad")]
    [InlineData(EngineKind.Official, "DurableTask.Core.Exceptions.TaskFailedException: Task 'Break' (#0) failed with an unhandled exception: bad")]
    public async Task A_wrapped_failure_ends_with_its_cause_or_a_type_of_the_engine(EngineKind kind, string cause)
    {
        await using var engine = kind.Open();
        engine.Activity<int, int>("Break", n => throw new InvalidDataException("bad"));
        engine.Orchestrator<int>("Wrap", async context =>
        {
            try
            {
                return await context.CallActivityAsync<int>("Break", 1);
            }
            catch (TaskFailedException e)
            {
                throw new InvalidOperationException("wrapped", e);
            }
        });
        await engine.Start();

        Assert.Equal(
            "Failed System.InvalidOperationException: wrapped"
            + " < Microsoft.DurableTask.TaskFailedException: Task 'Break' (#0) failed with an unhandled exception: bad < " + cause,
            (await engine.Run("Wrap")).Text);
    }

    [Theory]
    [InlineData(EngineKind.ReplayedAtEveryTurn, null)]
    [InlineData(EngineKind.Official, "System.TimeoutException: slow")]
    public async Task A_failed_orchestration_has_no_output_or_its_failure_as_text(EngineKind kind, string? output)
    {
        await using var engine = kind.Open();
        engine.Orchestrator<int>("Fail", _ => throw new TimeoutException("slow"));
        await engine.Start();

        Assert.Equal(output, (await engine.Run("Fail")).Output);
    }

    [Theory]
    [InlineData(EngineKind.ReplayedAtEveryTurn, null)]
    [InlineData(EngineKind.Official, "\"first\"")]
    public async Task A_custom_status_ends_with_its_round_or_a_turn_later(EngineKind kind, string? status)
    {
        await using var engine = kind.Open();
        engine.Orchestrator<int, int>("Loop", async (context, n) =>
        {
            if (n == 1) return await context.WaitForExternalEvent<int>("go") + await context.WaitForExternalEvent<int>("go");
            context.SetCustomStatus("first");
            context.ContinueAsNew(n + 1);
            return 0;
        });
        await engine.Start();
        var id = await engine.Schedule("Loop", 0);
        var first = await engine.Until(id, outcome => outcome is { Input: "1", Status: OrchestrationRuntimeStatus.Running });

        Assert.Equal(status, first.CustomStatus);
        await engine.Raise(id, "go", 1);
        await engine.Until(id, outcome => outcome.CustomStatus is null);
    }

    [Theory]
    [InlineData(EngineKind.ReplayedAtEveryTurn, "b c")]
    [InlineData(EngineKind.Official, "c b")]
    public async Task Events_kept_for_the_next_round_come_before_or_after_newer_ones(EngineKind kind, string order)
    {
        await using var engine = kind.Open();
        engine.Orchestrator<bool, string>("Listen", async (context, again) =>
        {
            if (again) return $"{await context.WaitForExternalEvent<string>("letter")} {await context.WaitForExternalEvent<string>("letter")}";
            await context.WaitForExternalEvent<string>("go");
            context.ContinueAsNew(true);
            return "";
        });
        var id = await engine.Schedule("Listen", false);
        await engine.Raise(id, "letter", "b");
        await engine.Raise(id, "go", "");
        await engine.Raise(id, "letter", "c");
        await engine.Start();

        Assert.Equal(order, (await engine.End(id)).Read<string>());
    }

    [Theory]
    [InlineData(EngineKind.ReplayedAtEveryTurn, "An orchestration with the instance id 'child' is already running.")]
    [InlineData(EngineKind.Official, "4")]
    public async Task A_sub_orchestration_whose_id_is_taken_fails_its_call_or_replaces(EngineKind kind, string answer)
    {
        await using var engine = kind.Open();
        engine.Orchestrator("Child", async context =>
        {
            context.SetCustomStatus(context.Parent?.InstanceId ?? "none");
            return await context.WaitForExternalEvent<int>("go");
        });
        engine.Orchestrator("Parent", async context =>
        {
            try
            {
                return $"{await context.CallSubOrchestratorAsync<int>("Child", null, new SubOrchestrationOptions(instanceId: "child"))}";
            }
            catch (TaskFailedException e)
            {
                return e.FailureDetails.ErrorMessage;
            }
        });
        await engine.Start();
        await engine.ScheduleAs("child", "Child");
        await engine.Says("child", "none");
        await engine.ScheduleAs("parent", "Parent");
        if (kind == EngineKind.Official) await engine.Says("child", "parent");
        await engine.Raise("child", "go", 4);

        Assert.Equal(answer, (await engine.End("parent")).Read<string>());
    }

    [Theory]
    [InlineData(EngineKind.ReplayedAtEveryTurn, 1)]
    [InlineData(EngineKind.Official, 3)]
    public async Task A_call_whose_answer_cannot_be_read_is_or_is_not_made_again(EngineKind kind, int calls)
    {
        await using var engine = kind.Open();
        var called = 0;
        engine.Activity("Text", (int _) => "text " + Interlocked.Increment(ref called));
        engine.Orchestrator("Read", context =>
            context.CallActivityAsync<int>("Text", 1, TaskOptions.FromRetryPolicy(new RetryPolicy(3, TimeSpan.FromMilliseconds(1)))));
        await engine.Start();

        Assert.True((await engine.Run("Read")).Failure!.IsCausedBy<System.Text.Json.JsonException>());
        Assert.Equal(calls, called);
    }

    [Theory]
    [InlineData(EngineKind.ReplayedAtEveryTurn, "at the call")]
    [InlineData(EngineKind.Official, "where it is awaited")]
    public async Task An_input_that_cannot_be_written_throws_at_the_call_or_later(EngineKind kind, string where)
    {
        await using var engine = kind.Open();
        engine.Orchestrator("Call", async context =>
        {
            Task<int> call;
            try
            {
                call = context.CallActivityAsync<int>("Any", typeof(int));
            }
            catch (NotSupportedException)
            {
                return "at the call";
            }

            await Assert.ThrowsAsync<NotSupportedException>(() => call);
            return "where it is awaited";
        });
        await engine.Start();

        Assert.Equal(where, (await engine.Run("Call")).Read<string>());
    }

    [Theory]
    [InlineData(EngineKind.ReplayedAtEveryTurn, "", 8)]
    [InlineData(EngineKind.Official, "1.5", 5)]
    public async Task An_activitys_version_and_the_form_of_new_ids_differ(EngineKind kind, string version, int form)
    {
        await using var engine = kind.Open();
        engine.Activity<int, string>("Version", (context, _) => Task.FromResult(context.Version));
        engine.Orchestrator("Ask", async context => $"{await context.CallActivityAsync<string>("Version", 1)} {context.NewGuid().Version}");
        await engine.Start();
        var id = await engine.Schedule("Ask", null, new StartOrchestrationOptions { Version = "1.5" });

        Assert.Equal($"{version} {form}", (await engine.End(id)).Read<string>());
    }
}
