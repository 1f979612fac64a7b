using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace NodeStash.LocalHost.Tests.Durable.Official;

/// <summary>Sub-orchestrations, the same on each engine.</summary>
public sealed class SubOrchestrationTests
{
    [Theory, OnEachEngine]
    public async Task A_sub_orchestration_knows_its_parent_and_has_the_id_it_was_given(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Orchestrator<int, string>("Child", (context, n) =>
            Task.FromResult($"{context.Parent?.Name} {context.Parent?.InstanceId} {context.InstanceId} {n}"));
        engine.Orchestrator("Parent", async context =>
            $"{await context.CallSubOrchestratorAsync<string>("Child", 5, new SubOrchestrationOptions(instanceId: "the child"))} {context.Parent is null}");
        await engine.Start();
        await engine.ScheduleAs("the parent", "Parent");

        Assert.Equal("Parent the parent the child 5 True", (await engine.End("the parent")).Read<string>());
        Assert.Equal("\"Parent the parent the child 5\"", (await engine.End("the child")).Text);
    }

    [Theory, OnEachEngine]
    public async Task Sub_orchestrations_without_a_given_id_have_ids_of_their_own(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Orchestrator("Child", context => Task.FromResult(context.InstanceId));
        engine.Orchestrator("Parent", async context =>
        {
            var first = await context.CallSubOrchestratorAsync<string>("Child");
            var others = Task.WhenAll(context.CallSubOrchestratorAsync<string>("Child"), context.CallSubOrchestratorAsync<string>("Child"));
            return (string[])[first, .. await others];
        });
        await engine.Start();

        var ids = (await engine.Run("Parent")).Read<string[]>()!;
        Assert.Equal(3, ids.Distinct().Count());
        Assert.All(ids, id => Assert.True(Guid.TryParseExact(id, "N", out _)));
    }

    [Theory, OnEachEngine]
    public async Task A_sub_orchestration_has_the_version_of_its_call_and_inherits_tags(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Orchestrator("Child", context => Task.FromResult(context.Version));
        engine.Orchestrator("Parent", async context =>
        {
            var tags = new Dictionary<string, string> { ["of"] = "child" };
            var given = new SubOrchestrationOptions(instanceId: "given") { Version = new TaskVersion("2.0"), Tags = tags };
            var versions = new[]
            {
                await context.CallSubOrchestratorAsync<string>("Child", null, given),
                await context.CallSubOrchestratorAsync<string>("Child", null, new SubOrchestrationOptions(instanceId: "plain")),
            };
            return $"{context.Version} '{versions[0]}' '{versions[1]}'";
        });
        await engine.Start();
        var id = await engine.Schedule(
            "Parent", null, new StartOrchestrationOptions { Version = "1.5", Tags = new Dictionary<string, string> { ["of"] = "parent", ["by"] = "parent" } });

        Assert.Equal("1.5 '2.0' ''", (await engine.End(id)).Read<string>());
        Assert.Equal([new("of", "parent"), new("by", "parent")], (await engine.Find(id))!.Tags);
        Assert.Equal([new("by", "parent"), new("of", "child")], (await engine.Find("given"))!.Tags.OrderBy(tag => tag.Key));
        Assert.Equal([new("of", "parent"), new("by", "parent")], (await engine.Find("plain"))!.Tags);
    }

    [Theory, OnEachEngine]
    public async Task A_sub_orchestration_that_continues_as_new_answers_its_parent_at_the_end(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Orchestrator<int, string?>("Child", (context, n) =>
        {
            if (n < 3) context.ContinueAsNew(n + 1);
            return Task.FromResult<string?>($"{context.Parent!.InstanceId} {n}");
        });
        engine.Orchestrator("Parent", context => context.CallSubOrchestratorAsync<string>("Child", 1));
        await engine.Start();
        await engine.ScheduleAs("the parent", "Parent");

        Assert.Equal("the parent 3", (await engine.End("the parent")).Read<string>());
    }

    [Theory, OnEachEngine]
    public async Task Terminating_a_parent_leaves_its_sub_orchestrations_running(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Orchestrator("Child", async context =>
        {
            context.SetCustomStatus("waits");
            return await context.WaitForExternalEvent<int>("go");
        });
        engine.Orchestrator("Parent", context => context.CallSubOrchestratorAsync<int>("Child", null, new SubOrchestrationOptions(instanceId: "child")));
        await engine.Start();
        await engine.ScheduleAs("parent", "Parent");
        await engine.Says("child", "waits");
        await engine.Terminate("parent", new { Why = "enough" });

        var end = await engine.End("parent");
        Assert.Equal((OrchestrationRuntimeStatus.Terminated, """{"Why":"enough"}"""), (end.Status, end.Output));
        await engine.Raise("child", "go", 4);
        Assert.Equal("4", (await engine.End("child")).Text);
    }

    [Theory, OnEachEngine]
    public async Task An_event_for_an_orchestration_that_has_ended_changes_nothing(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Orchestrator("Wait", context => context.WaitForExternalEvent<int>("go"));
        await engine.Start();
        var id = await engine.Schedule("Wait");
        await engine.Raise(id, "go", 1);
        await engine.End(id);
        await engine.Raise(id, "go", 2);
        await engine.Terminate(id, "late");

        Assert.Equal("1", (await engine.End(id)).Text);
    }
}
