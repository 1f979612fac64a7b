using System.Globalization;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using NodeStash.LocalHost.Durable;
using NodeStash.LocalHost.Tests.Durable.Official;

namespace NodeStash.LocalHost.Tests.Durable;

/// <summary>An engine on a folder that outlives it, and workflows for it: some new ones for each life.</summary>
internal sealed class EngineLife : IAsyncDisposable
{
    /// <summary>The first argument of the process that is an engine.</summary>
    public const string Argument = "engine";

    private const int WorkflowsPerLife = 4;

    private readonly ServiceProvider services = new ServiceCollection().BuildServiceProvider();
    private readonly Lock gate = new();
    private readonly string folder;
    private readonly int seed;
    private readonly DurableEngine engine;

    public EngineLife(string folder, int seed)
    {
        (this.folder, this.seed) = (folder, seed);
        var registry = new DurableRegistry();
        Workflow.Register(new LocalFunctions(registry), (id, name, payload) => engine!.Client.RaiseEventAsync(id, name, payload), Note);
        var options = new DurableOptions { CachedExecutions = new[] { 0, 1, 1000 }[Random.Shared.Next(3)] };
        engine = DurableEngine.Open(Path.Combine(folder, "durable.db"), registry, options, TimeProvider.System, NullLoggerFactory.Instance, services);
    }

    public DurableTaskClient Client => engine.Client;

    /// <summary>The numbers of the steps that ran, in any life.</summary>
    public static IEnumerable<int> StepsRun(string folder) =>
        File.ReadLines(Path.Combine(folder, "steps")).Select(line => int.Parse(line, CultureInfo.InvariantCulture));

    /// <summary>The workflows of a life, by the ids of their orchestrations. No two have a step of the same number.</summary>
    public static IEnumerable<(string Id, Workflow Workflow)> WorkflowsOf(int seed, int life)
    {
        var random = new Random(seed + life);
        var steps = life * 1_000_000;
        return Enumerable.Range(0, WorkflowsPerLife).Select(number => ($"{life}-{number}", Any(3))).ToList();

        Workflow Any(int depth) => (depth == 0 ? random.Next(3) : random.Next(3, 7)) switch
        {
            0 => new Workflow.Step(++steps),
            1 => new Workflow.Pause(TimeSpan.FromMilliseconds(random.Next(300))),
            2 => new Workflow.Signal(++steps),
            3 => new Workflow.InTurn(Several(depth)),
            4 => new Workflow.SideBySide(Several(depth)),
            5 => new Workflow.Below(Any(depth - 1)),
            _ => new Workflow.Again(random.Next(1, 4), Any(depth - 1)),
        };

        Workflow[] Several(int depth) => [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => Any(depth - 1))];
    }

    /// <summary>Goes on with what is on disk.</summary>
    public Task Start() => engine.StartAsync(CancellationToken.None);

    /// <summary>Schedules the workflows of a life that are not there yet; answers each id once that is done.</summary>
    public async IAsyncEnumerable<string> Schedule(int life)
    {
        foreach (var (id, workflow) in WorkflowsOf(seed, life))
        {
            if (await Client.GetInstanceAsync(id) is null)
                await Client.ScheduleNewOrchestrationInstanceAsync("Workflow", workflow, new StartOrchestrationOptions(id));
            yield return id;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await engine.DisposeAsync();
        await services.DisposeAsync();
    }

    private async Task Note(int step)
    {
        lock (gate) File.AppendAllText(Path.Combine(folder, "steps"), string.Create(CultureInfo.InvariantCulture, $"{step}\n"));
        await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(20)), TimeProvider.System);
    }
}
