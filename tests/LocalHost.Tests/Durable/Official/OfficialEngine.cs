using DurableTask.Core;
using DurableTask.Core.History;
using DurableTask.Core.Middleware;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.DurableTask.Converters;
using Microsoft.DurableTask.Testing.Sidecar;
using Microsoft.DurableTask.Worker.Shims;
using TaskName = Microsoft.DurableTask.TaskName;

namespace NodeStash.LocalHost.Tests.Durable.Official;

/// <summary>
/// The official engine (TaskHubWorker of DurableTask.Core) in memory. Orchestrators and activities run in the shims of
/// Microsoft.DurableTask.Worker, which is also what runs them in a function app.
/// </summary>
internal sealed class OfficialEngine : Engine
{
    private static readonly DataConverter Converter = JsonDataConverter.Default;

    private readonly InMemoryOrchestrationService service = new();
    private readonly Dictionary<string, Func<ParentOrchestrationInstance?, TaskOrchestration>> orchestrators = new(StringComparer.OrdinalIgnoreCase);
    private readonly Activities activities = new();
    private readonly TaskHubWorker worker;

    public OfficialEngine()
    {
        worker = new TaskHubWorker(service, new NoOrchestrators(), activities) { ErrorPropagationMode = ErrorPropagationMode.UseFailureDetails };
        worker.AddOrchestrationDispatcherMiddleware(Execute);
    }

    public override void Orchestrator<TInput, TOutput>(string name, Func<TaskOrchestrationContext, TInput, Task<TOutput>> orchestrator) =>
        orchestrators.Add(name, parent => DurableTaskShimFactory.Default.CreateOrchestration<TInput, TOutput>(
            name, async (context, input) => await orchestrator(context, input!), parent));

    public override void Activity<TInput, TOutput>(string name, Func<TaskActivityContext, TInput, Task<TOutput>> activity) =>
        activities.Named.Add(name, DurableTaskShimFactory.Default.CreateActivity<TInput, TOutput>(
            name, async (context, input) => await activity(context, input!)));

    public override Task Start() => worker.StartAsync();

    public override async Task<string> Schedule(string name, object? input = null, StartOrchestrationOptions? options = null)
    {
        var id = options?.InstanceId ?? Guid.CreateVersion7().ToString("N");
        var instance = new OrchestrationInstance { InstanceId = id, ExecutionId = Guid.CreateVersion7().ToString("N") };
        var started = new ExecutionStartedEvent(-1, Converter.Serialize(input))
        {
            Name = name,
            Version = options?.Version?.Version ?? "",
            OrchestrationInstance = instance,
            Tags = options is null ? null : new Dictionary<string, string>(options.Tags),
        };
        await service.CreateTaskOrchestrationAsync(new TaskMessage { OrchestrationInstance = instance, Event = started });
        return id;
    }

    public override Task Raise(string id, string name, object? payload) => Send(id, new EventRaisedEvent(-1, Converter.Serialize(payload)) { Name = name });

    public override Task Terminate(string id, object? output) => Send(id, new ExecutionTerminatedEvent(-1, Converter.Serialize(output)));

    public override Task Suspend(string id) => Send(id, new ExecutionSuspendedEvent(-1, null));

    public override Task Resume(string id) => Send(id, new ExecutionResumedEvent(-1, null));

    public override async Task<Outcome?> Find(string id) => await service.GetOrchestrationStateAsync(id, executionId: null) is not { } state
        ? null
        : new Outcome(
            Enum.Parse<OrchestrationRuntimeStatus>(state.OrchestrationStatus.ToString()), state.Output, state.Status, Read(state.FailureDetails), state.Input,
            state.Tags ?? new Dictionary<string, string>());

    public override async ValueTask DisposeAsync()
    {
        await worker.StopAsync(isForced: true);
        worker.Dispose();
    }

    private static TaskFailureDetails? Read(FailureDetails? failure) => failure is null
        ? null
        : new TaskFailureDetails(failure.ErrorType, failure.ErrorMessage, failure.StackTrace, Read(failure.InnerFailure), failure.Properties);

    private Task Send(string id, HistoryEvent what) =>
        service.SendTaskOrchestrationMessageAsync(new TaskMessage { OrchestrationInstance = new OrchestrationInstance { InstanceId = id }, Event = what });

    /// <summary>Takes a turn of an orchestrator, as the worker does; the worker itself would not tell the orchestrator its parent.</summary>
    private Task Execute(DispatchMiddlewareContext context, Func<Task> next)
    {
        var state = context.GetProperty<OrchestrationRuntimeState>();
        if (!orchestrators.TryGetValue(state.Name, out var orchestrator)) return next();
        var parent = state.ParentInstance is { } caller
            ? new ParentOrchestrationInstance(new TaskName(caller.Name), caller.OrchestrationInstance.InstanceId)
            : null;
        var executor = new TaskOrchestrationExecutor(
            state, orchestrator(parent), service.EventBehaviourForContinueAsNew, ErrorPropagationMode.UseFailureDetails);
        context.SetProperty(executor.Execute());
        return Task.CompletedTask;
    }

    private sealed class NoOrchestrators : INameVersionObjectManager<TaskOrchestration>
    {
        public void Add(ObjectCreator<TaskOrchestration> creator) => throw new NotSupportedException();

        public TaskOrchestration? GetObject(string name, string? version) => null;
    }

    private sealed class Activities : INameVersionObjectManager<TaskActivity>
    {
        public Dictionary<string, TaskActivity> Named { get; } = new(StringComparer.OrdinalIgnoreCase);

        public void Add(ObjectCreator<TaskActivity> creator) => throw new NotSupportedException();

        public TaskActivity? GetObject(string name, string? version) => Named.GetValueOrDefault(name);
    }
}
