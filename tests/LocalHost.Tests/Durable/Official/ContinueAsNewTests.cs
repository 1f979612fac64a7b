using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace NodeStash.LocalHost.Tests.Durable.Official;

/// <summary>Beginning anew, the same on each engine.</summary>
public sealed class ContinueAsNewTests
{
    [Theory, OnEachEngine]
    public async Task Events_that_nobody_received_are_kept_in_order_where_that_is_asked_for(EngineKind kind)
    {
        await using var engine = kind.Open();
        Listen(engine, keep: true);
        var id = await engine.Schedule("Listen", Array.Empty<string>());
        foreach (var letter in "abc") await engine.Raise(id, "letter", letter);
        await engine.Start();

        Assert.Equal("""["a","b","c"]""", (await engine.End(id)).Text);
    }

    [Theory, OnEachEngine]
    public async Task Events_that_nobody_received_are_dropped_where_that_is_asked_for(EngineKind kind)
    {
        await using var engine = kind.Open();
        Listen(engine, keep: false);
        var id = await engine.Schedule("Listen", Array.Empty<string>());
        foreach (var letter in "ab") await engine.Raise(id, "letter", letter);
        await engine.Start();
        await engine.Until(id, outcome => outcome.Input == """["a"]""");
        foreach (var letter in "cd")
        {
            await engine.Raise(id, "letter", letter);
            await engine.Until(id, outcome => outcome.Output is not null || outcome.Input!.Contains(letter, StringComparison.Ordinal));
        }

        Assert.Equal("""["a","c","d"]""", (await engine.End(id)).Text);
    }

    [Theory, OnEachEngine]
    public async Task Events_that_come_after_the_decision_to_begin_anew_are_kept_always(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Orchestrator<bool, string>("Listen", async (context, again) =>
        {
            if (again) return await context.WaitForExternalEvent<string>("letter");
            await context.WaitForExternalEvent<string>("go");
            context.ContinueAsNew(true, preserveUnprocessedEvents: false);
            return "";
        });
        var id = await engine.Schedule("Listen", false);
        await engine.Raise(id, "go", "go");
        await engine.Raise(id, "letter", "a");
        await engine.Start();

        Assert.Equal("a", (await engine.End(id)).Read<string>());
    }

    [Theory, OnEachEngine]
    public async Task A_new_beginning_has_its_own_input_and_version(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Orchestrator<int, string>("Loop", async (context, n) =>
        {
            if (n > 1) return $"{n} {context.Version} {await context.WaitForExternalEvent<string>("go")}";
            context.ContinueAsNew(new ContinueAsNewOptions { NewInput = n + 1, NewVersion = n == 0 ? "2.0" : null });
            return "";
        });
        await engine.Start();
        var id = await engine.Schedule(
            "Loop", 0, new StartOrchestrationOptions { Version = "1.0", Tags = new Dictionary<string, string> { ["of"] = "loop" } });
        await engine.Until(id, outcome => outcome.Input == "2" && outcome.Status == OrchestrationRuntimeStatus.Running);
        await engine.Raise(id, "go", "!");
        var end = await engine.End(id);

        Assert.Equal(("2 2.0 !", "2"), (end.Read<string>(), end.Input));
        Assert.Equal([new("of", "loop")], end.Tags);
    }

    [Theory, OnEachEngine]
    public async Task An_orchestrator_that_throws_after_all_fails_and_does_not_begin_anew(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Orchestrator<int, int>("Loop", (context, n) =>
        {
            context.ContinueAsNew(n + 1);
            throw new TimeoutException("bad");
        });
        await engine.Start();

        Assert.Equal("Failed System.TimeoutException: bad", (await engine.Run("Loop", 0)).Text);
    }

    [Theory, OnEachEngine]
    public async Task What_was_asked_for_is_awaited_before_the_end_and_before_a_new_beginning(EngineKind kind)
    {
        await using var engine = kind.Open();
        var release = new TaskCompletionSource();
        List<string> order = [];
        engine.Activity<string, string>("Note", async (activity, text) =>
        {
            if (text == "slow") await release.Task;
            lock (order) order.Add($"{activity.InstanceId} {text}");
            return text;
        });
        engine.Orchestrator<string, string>("Leave", async (context, input) =>
        {
            if (input == "again") return await context.CallActivityAsync<string>("Note", "again");
            context.SetCustomStatus("left");
            _ = context.CallActivityAsync<string>("Note", "slow");
            if (input == "anew") context.ContinueAsNew("again");
            return input == "fail" ? throw new TimeoutException("bad") : "left";
        });
        await engine.Start();
        var ids = new[] { await engine.Schedule("Leave", "end"), await engine.Schedule("Leave", "fail"), await engine.Schedule("Leave", "anew") };
        foreach (var id in ids) Assert.Equal(OrchestrationRuntimeStatus.Running, (await engine.Says(id, "left")).Status);
        Assert.Empty(order);
        release.SetResult();

        List<string?> ends = [];
        foreach (var id in ids) ends.Add((await engine.End(id)).Text);
        Assert.Equal(["\"left\"", "Failed System.TimeoutException: bad", "\"again\""], ends);
        Assert.Equal([$"{ids[2]} slow", $"{ids[2]} again"], order.Where(line => line.StartsWith(ids[2], StringComparison.Ordinal)));
    }

    /// <summary>Receives letters, one a round, and answers them once there are three.</summary>
    private static void Listen(Engine engine, bool keep)
    {
        engine.Activity("Echo", (int n) => n);
        engine.Orchestrator<string[], string[]>("Listen", async (context, received) =>
        {
            received = [.. received, await context.WaitForExternalEvent<string>("letter")];
            // The other letters have come by the time that it answers.
            await context.CallActivityAsync<int>("Echo", 1);
            if (received.Length < 3) context.ContinueAsNew(received, keep);
            return received;
        });
    }
}
