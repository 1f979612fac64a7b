using System.Diagnostics;
using System.Globalization;
using Microsoft.DurableTask.Client;

namespace NodeStash.LocalHost.Tests.Durable;

/// <summary>The engine in a process that is killed again and again, at any moment.</summary>
public sealed class EngineCrashTests(ITestOutputHelper output) : IDisposable
{
    private const int Lives = 24;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("durable-crash-");

    [Fact]
    public async Task Orchestrations_come_to_the_results_they_would_have_without_crashes()
    {
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var accepted = new List<string>();
        for (var life = 0; life < Lives; life++) accepted.AddRange(await LiveAndDie(seed, life, random));

        await using var last = new EngineLife(folder.FullName, seed);
        foreach (var id in accepted) Assert.NotNull(await last.Client.GetInstanceAsync(id));
        await last.Start();
        for (var life = 0; life < Lives; life++)
        {
            await foreach (var _ in last.Schedule(life))
            {
            }
        }

        var workflows = Enumerable.Range(0, Lives).SelectMany(life => EngineLife.WorkflowsOf(seed, life)).ToList();
        foreach (var (id, workflow) in workflows)
        {
            var ended = await last.Client.WaitForInstanceCompletionAsync(id, getInputsAndOutputs: true)
                .WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
            Assert.Equal((id, workflow.Straight()), (id, ended.ReadOutputAs<string>()));
        }

        var ran = EngineLife.StepsRun(folder.FullName).ToList();
        output.WriteLine($"{workflows.Count} workflows, {accepted.Count} of them scheduled before a crash; {ran.Count} runs of {ran.Distinct().Count()} steps");
        Assert.Equal(workflows.SelectMany(each => Steps(each.Workflow)).Order(), ran.Distinct().Order());
        await foreach (var instance in last.Client.GetAllInstancesAsync(
            new OrchestrationQuery(Statuses: [OrchestrationRuntimeStatus.Pending, OrchestrationRuntimeStatus.Running])))
            Assert.Fail($"{instance.InstanceId} is stranded");
    }

    public void Dispose() => folder.Delete(recursive: true);

    /// <summary>Lets a process run the engine for a while; answers what it said it had scheduled.</summary>
    private async Task<IReadOnlyList<string>> LiveAndDie(int seed, int life, Random random)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        foreach (var arg in new[] { typeof(EngineLife).Assembly.Location, EngineLife.Argument, folder.FullName, Text(seed), Text(life) })
            start.ArgumentList.Add(arg);
        using var process = System.Diagnostics.Process.Start(start)!;
        // Most live long enough to do something; some die while they start.
        if (random.Next(5) > 0) Assert.Equal("started", await process.StandardOutput.ReadLineAsync());
        await Task.Delay(TimeSpan.FromMilliseconds(random.Next(500)), TimeProvider.System);
        process.Kill();
        await process.WaitForExitAsync();
        var said = (await process.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return [.. said.Where(line => line.Contains('-', StringComparison.Ordinal))];
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static IEnumerable<int> Steps(Workflow workflow) => workflow switch
    {
        Workflow.Step step => [step.Number],
        Workflow.InTurn { Parts: var parts } => parts.SelectMany(Steps),
        Workflow.SideBySide { Parts: var parts } => parts.SelectMany(Steps),
        Workflow.Below { Inner: var inner } => Steps(inner),
        Workflow.Again { Inner: var inner } => Steps(inner),
        _ => [],
    };
}
