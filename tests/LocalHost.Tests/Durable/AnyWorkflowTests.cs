using FsCheck;
using FsCheck.Fluent;
using NodeStash.LocalHost.Durable;
using NodeStash.LocalHost.Tests.Durable.Official;

namespace NodeStash.LocalHost.Tests.Durable;

/// <summary>Any workflow of activities, timers, events and sub-orchestrations comes to the same result however often the process ends on the way.</summary>
public sealed class AnyWorkflowTests
{
    [Fact]
    public void Restarts_and_replays_do_not_change_a_result() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(25),
        Prop.ForAll(Scenarios.ToArbitrary(), scenario => Run(scenario).GetAwaiter().GetResult() == scenario.Workflow.Straight()));

    [Fact]
    public async Task The_official_engine_comes_to_the_same_results()
    {
        await using var local = new LocalEngine();
        await using var official = new OfficialEngine();
        foreach (var engine in new Engine[] { local, official })
        {
            Workflow.Register(engine, engine.Raise, _ => Task.CompletedTask);
            await engine.Start();
        }

        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(40),
            Prop.ForAll(Workflows(3, longestPause: TimeSpan.FromMilliseconds(15)).ToArbitrary(), workflow =>
            {
                var ends = Task.WhenAll(local.Run("Workflow", workflow), official.Run("Workflow", workflow)).GetAwaiter().GetResult();
                return ends.All(end => end.Failure is null && end.Read<string>() == workflow.Straight());
            }));
    }

    private static Gen<Scenario> Scenarios =>
        from workflow in Workflows(3, longestPause: TimeSpan.FromMinutes(1))
        from everySteps in Gen.Choose(1, 6)
        from cached in Gen.Elements(0, 1, 1000)
        select new Scenario(workflow, everySteps, cached);

    private static Gen<Workflow> Workflows(int depth, TimeSpan longestPause)
    {
        var step = Gen.Choose(1, 99).Select(n => (Workflow)new Workflow.Step(n));
        var broken = Gen.Choose(1, 99).SelectMany(n => Gen.Choose(1, 3).Select(attempts => (Workflow)new Workflow.Broken(n, attempts)));
        var pause = Gen.Choose(0, 60).Select(part => (Workflow)new Workflow.Pause(longestPause * part / 60));
        var signal = Gen.Choose(1, 99).Select(n => (Workflow)new Workflow.Signal(n));
        if (depth == 0) return Gen.OneOf(step, broken, pause, signal);
        var parts = Gen.Choose(1, 3).SelectMany(count => Workflows(depth - 1, longestPause).ListOf(count)).Select(list => list.ToArray());
        return Gen.OneOf(
            step, broken, pause, signal,
            parts.Select(list => (Workflow)new Workflow.InTurn(list)),
            parts.Select(list => (Workflow)new Workflow.SideBySide(list)),
            Workflows(depth - 1, longestPause).Select(inner => (Workflow)new Workflow.Below(inner)),
            Gen.Choose(1, 3).SelectMany(times => Workflows(depth - 1, longestPause).Select(inner => (Workflow)new Workflow.Again(times, inner))));
    }

    private static async Task<string?> Run(Scenario scenario)
    {
        await using var host = new DurableHost(new DurableOptions { CachedExecutions = scenario.Cached });
        using var steps = new SemaphoreSlim(0);
        Workflow.Register(
            new LocalFunctions(host.Registry), (id, name, payload) => host.Client.RaiseEventAsync(id, name, payload), _ => Task.FromResult(steps.Release()));
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
