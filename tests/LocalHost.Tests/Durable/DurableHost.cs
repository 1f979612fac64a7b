using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using NodeStash.LocalHost.Durable;
using NodeStash.Support.Clocks;

namespace NodeStash.LocalHost.Tests.Durable;

/// <summary>An engine on a file in a folder of its own, which can be stopped, crashed and opened again.</summary>
public sealed class DurableHost : IAsyncDisposable
{
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("durable-");
    private readonly ServiceProvider services = new ServiceCollection().BuildServiceProvider();
    private readonly DurableOptions options;
    private string path;
    private DurableEngine engine = null!;

    public DurableHost(DurableOptions? options = null)
    {
        this.options = options ?? new DurableOptions();
        path = Path.Combine(folder.FullName, "durable.db");
        Open();
    }

    public DurableRegistry Registry { get; set; } = new();

    public ManualTime Time { get; } = new();

    public ILoggerFactory Loggers { get; set; } = NullLoggerFactory.Instance;

    public DurableEngineClient Client => engine.Client;

    public DurableEngine Engine => engine;

    public DurableHost Orchestrator<TInput, TOutput>(string name, Func<TaskOrchestrationContext, TInput, Task<TOutput>> orchestrator)
    {
        Registry.AddOrchestrator(name, async (_, context) => await orchestrator(context, context.GetInput<TInput>()!));
        return this;
    }

    public DurableHost Activity<TInput, TOutput>(string name, Func<TInput, TOutput> activity) =>
        Activity<TInput, TOutput>(name, (input, _) => Task.FromResult(activity(input)));

    public DurableHost Activity<TInput, TOutput>(string name, Func<TInput, CancellationToken, Task<TOutput>> activity)
    {
        Registry.AddActivity(name, typeof(TInput), async (_, _, input, ct) => await activity((TInput)input!, ct));
        return this;
    }

    public Task Start() => engine.StartAsync(CancellationToken.None);

    public Task Stop(CancellationToken ct = default) => engine.StopAsync(ct);

    /// <summary>Closes the engine where it stands, without waiting for anything, and opens the file anew, not yet started.</summary>
    public async Task Reopen(DurableRegistry? registry = null)
    {
        await engine.DisposeAsync();
        Registry = registry ?? Registry;
        Open();
    }

    /// <summary>
    /// Opens a new engine, not yet started, on the file as it is on disk at this moment, as after a power cut. The old one runs on, without a file.
    /// </summary>
    /// <returns>The old engine, to be disposed.</returns>
    public DurableEngine Crash()
    {
        var copy = Path.Combine(folder.FullName, Path.GetRandomFileName());
        File.Copy(path, copy);
        File.Copy(path + "-wal", copy + "-wal");
        path = copy;
        var old = engine;
        Open();
        return old;
    }

    public Task<string> Schedule(string name, object? input = null, string? id = null) =>
        Client.ScheduleNewOrchestrationInstanceAsync(name, input, new StartOrchestrationOptions(id));

    public async Task<OrchestrationMetadata> Run(string name, object? input = null) => await End(await Schedule(name, input));

    public Task<OrchestrationMetadata> End(string id) => Client.WaitForInstanceCompletionAsync(id, true).WaitAsync(GiveUpAfter, TimeProvider.System);

    /// <summary>Waits until the first turn is over.</summary>
    public Task<OrchestrationMetadata> Begun(string id) => Client.WaitForInstanceStartAsync(id, true).WaitAsync(GiveUpAfter, TimeProvider.System);

    /// <summary>As <see cref="End"/>; whenever a timer is all there is to wait for, the clock moves to it.</summary>
    public async Task<OrchestrationMetadata> EndWithTimers(string id)
    {
        var end = End(id);
        while (!end.IsCompleted)
        {
            if (!Time.AdvanceToNext(TimeSpan.FromSeconds(100))) await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        }

        return await end;
    }

    public async Task<OrchestrationMetadata> Until(string id, Func<OrchestrationMetadata, bool> condition)
    {
        using var giveUp = new CancellationTokenSource(GiveUpAfter, TimeProvider.System);
        while (true)
        {
            if (await Client.GetInstanceAsync(id, true, giveUp.Token) is { } instance && condition(instance)) return instance;
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, giveUp.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await engine.DisposeAsync();
        await services.DisposeAsync();
        if (Directory.Exists(folder.FullName)) folder.Delete(recursive: true);
    }

    private void Open() => engine = DurableEngine.Open(path, Registry, options, Time, new Forward(this), services);

    /// <summary>Loggers may be set after the engine was opened.</summary>
    private sealed class Forward(DurableHost host) : ILoggerFactory
    {
        public ILogger CreateLogger(string categoryName) => host.Loggers.CreateLogger(categoryName);

        public void AddProvider(ILoggerProvider provider) => host.Loggers.AddProvider(provider);

        public void Dispose()
        {
        }
    }
}
