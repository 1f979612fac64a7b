using FsCheck;
using FsCheck.Fluent;
using NodeStash.LocalHost.Durable;

namespace NodeStash.LocalHost.Tests.Durable;

/// <summary>Any workflow of activities, timers, events and sub-orchestrations comes to the same result however often the process ends on the way.</summary>
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
        var step = Gen.Choose(1, 99).Select(n => (Workflow)new Workflow.Step(n));
        var pause = Gen.Choose(0, 60).Select(seconds => (Workflow)new Workflow.Pause(TimeSpan.FromSeconds(seconds)));
        var signal = Gen.Choose(1, 99).Select(n => (Workflow)new Workflow.Signal(n));
        if (depth == 0) return Gen.OneOf(step, pause, signal);
        var parts = Gen.Choose(1, 3).SelectMany(count => Workflows(depth - 1).ListOf(count)).Select(list => list.ToArray());
        return Gen.OneOf(
            step, pause, signal,
            parts.Select(list => (Workflow)new Workflow.InTurn(list)),
            parts.Select(list => (Workflow)new Workflow.SideBySide(list)),
            Workflows(depth - 1).Select(inner => (Workflow)new Workflow.Below(inner)),
            Gen.Choose(1, 3).SelectMany(times => Workflows(depth - 1).Select(inner => (Workflow)new Workflow.Again(times, inner))));
    }

    private static async Task<string?> Run(Scenario scenario)
    {
        await using var host = new DurableHost(new DurableOptions { CachedExecutions = scenario.Cached });
        using var steps = new SemaphoreSlim(0);
        Workflow.Register(host.Registry, () => host.Client, _ => Task.FromResult(steps.Release()));
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
}
