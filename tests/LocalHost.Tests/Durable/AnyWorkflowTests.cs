using System.Text.Json.Serialization;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.DurableTask;
using NodeStash.LocalHost.Durable;

namespace NodeStash.LocalHost.Tests.Durable;

/// <summary>Any workflow of activities, timers and sub-orchestrations comes to the same result however often the process ends on the way.</summary>
public sealed class AnyWorkflowTests
{
    [Fact]
    public void Restarts_and_replays_do_not_change_a_result() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(25),
        Prop.ForAll(Scenarios.ToArbitrary(), scenario => Run(scenario).GetAwaiter().GetResult() == scenario.Workflow.Straight()));

    private static Gen<Scenario> Scenarios =>
        from workflow in Workflows(3)
        from everySteps in Gen.Choose(1, 6)
        from cached in Gen.Elements(0, 1, 1000)
        select new Scenario(workflow, everySteps, cached);

    private static Gen<Workflow> Workflows(int depth)
    {
        var step = Gen.Choose(1, 99).Select(n => (Workflow)new Step(n));
        var pause = Gen.Choose(0, 60).Select(seconds => (Workflow)new Pause(seconds));
        if (depth == 0) return Gen.OneOf(step, pause);
        var parts = Gen.Choose(1, 3).SelectMany(count => Workflows(depth - 1).ListOf(count)).Select(list => list.ToArray());
        return Gen.OneOf(
            step, pause,
            parts.Select(list => (Workflow)new InTurn(list)),
            parts.Select(list => (Workflow)new SideBySide(list)),
            Workflows(depth - 1).Select(inner => (Workflow)new Below(inner)));
    }

    private static async Task<string?> Run(Scenario scenario)
    {
        await using var host = new DurableHost(new DurableOptions { CachedExecutions = scenario.Cached });
        using var steps = new SemaphoreSlim(0);
        host.Activity("Step", (int n) =>
        {
            steps.Release();
            return n * 2;
        });
        host.Orchestrator("Workflow", async (TaskOrchestrationContext context, Workflow workflow) => await workflow.Run(context));
        await host.Start();
        var id = await host.Schedule("Workflow", scenario.Workflow);
        for (var restarts = 0; restarts < 3; restarts++)
        {
            var end = host.EndWithTimers(id);
            for (var step = 0; step < scenario.RestartEverySteps && !end.IsCompleted; step++) await Task.WhenAny(steps.WaitAsync(), end);
            if (end.IsCompletedSuccessfully) break;
            await host.Reopen();
            await ((Task)end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await host.Start();
        }

        return (await host.EndWithTimers(id)).ReadOutputAs<string>();
    }

    private sealed record Scenario(Workflow Workflow, int RestartEverySteps, int Cached);

    [JsonDerivedType(typeof(Step), "step")]
    [JsonDerivedType(typeof(Pause), "pause")]
    [JsonDerivedType(typeof(InTurn), "turn")]
    [JsonDerivedType(typeof(SideBySide), "side")]
    [JsonDerivedType(typeof(Below), "below")]
    internal abstract record Workflow
    {
        /// <summary>The result, worked out without an engine.</summary>
        public abstract string Straight();

        public abstract Task<string> Run(TaskOrchestrationContext context);
    }

    internal sealed record Step(int Number) : Workflow
    {
        public override string Straight() => $"{Number * 2}";

        public override async Task<string> Run(TaskOrchestrationContext context) => $"{await context.CallActivityAsync<int>("Step", Number)}";
    }

    internal sealed record Pause(int Seconds) : Workflow
    {
        public override string Straight() => "-";

        public override async Task<string> Run(TaskOrchestrationContext context)
        {
            var due = context.CurrentUtcDateTime.AddSeconds(Seconds);
            await context.CreateTimer(due, CancellationToken.None);
            return context.CurrentUtcDateTime >= due ? "-" : "early";
        }
    }

    internal sealed record InTurn(Workflow[] Parts) : Workflow
    {
        public override string Straight() => $"({string.Join(' ', Parts.Select(part => part.Straight()))})";

        public override async Task<string> Run(TaskOrchestrationContext context)
        {
            List<string> results = [];
            foreach (var part in Parts) results.Add(await part.Run(context));
            return $"({string.Join(' ', results)})";
        }
    }

    internal sealed record SideBySide(Workflow[] Parts) : Workflow
    {
        public override string Straight() => $"[{string.Join(' ', Parts.Select(part => part.Straight()))}]";

        public override async Task<string> Run(TaskOrchestrationContext context) => $"[{string.Join(' ', await Task.WhenAll(Parts.Select(part => part.Run(context))))}]";
    }

    internal sealed record Below(Workflow Inner) : Workflow
    {
        public override string Straight() => $"<{Inner.Straight()}>";

        public override async Task<string> Run(TaskOrchestrationContext context) => $"<{await context.CallSubOrchestratorAsync<string>("Workflow", Inner)}>";
    }
}
