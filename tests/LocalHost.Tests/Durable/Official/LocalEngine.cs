using Microsoft.DurableTask;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using NodeStash.LocalHost.Durable;

namespace NodeStash.LocalHost.Tests.Durable.Official;

/// <summary>The local host's engine, on a file of its own.</summary>
internal sealed class LocalEngine : Engine
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("durable-");
    private readonly ServiceProvider services = new ServiceCollection().BuildServiceProvider();
    private readonly LocalFunctions functions;
    private readonly DurableEngine engine;

    public LocalEngine(DurableOptions? options = null)
    {
        var registry = new DurableRegistry();
        functions = new LocalFunctions(registry);
        engine = DurableEngine.Open(
            Path.Combine(folder.FullName, "durable.db"), registry, options, TimeProvider.System, NullLoggerFactory.Instance, services);
    }

    public override void Orchestrator<TInput, TOutput>(string name, Func<TaskOrchestrationContext, TInput, Task<TOutput>> orchestrator) =>
        functions.Orchestrator(name, orchestrator);

    public override void Activity<TInput, TOutput>(string name, Func<TaskActivityContext, TInput, Task<TOutput>> activity) =>
        functions.Activity(name, activity);

    public override Task Start() => engine.StartAsync(CancellationToken.None);

    public override Task<string> Schedule(string name, object? input = null, StartOrchestrationOptions? options = null) =>
        engine.Client.ScheduleNewOrchestrationInstanceAsync(name, input, options);

    public override Task Raise(string id, string name, object? payload) => engine.Client.RaiseEventAsync(id, name, payload);

    public override Task Terminate(string id, object? output) => engine.Client.TerminateInstanceAsync(id, output);

    public override Task Suspend(string id) => engine.Client.SuspendInstanceAsync(id);

    public override Task Resume(string id) => engine.Client.ResumeInstanceAsync(id);

    public override async Task<Outcome?> Find(string id) => await engine.Client.GetInstanceAsync(id, true) is not { } instance
        ? null
        : new Outcome(
            instance.RuntimeStatus, instance.SerializedOutput, instance.SerializedCustomStatus, instance.FailureDetails, instance.SerializedInput,
            instance.Tags);

    public override async ValueTask DisposeAsync()
    {
        await engine.DisposeAsync();
        await services.DisposeAsync();
        folder.Delete(recursive: true);
    }
}
