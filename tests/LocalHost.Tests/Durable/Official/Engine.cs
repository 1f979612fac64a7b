using System.Text.Json;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace NodeStash.LocalHost.Tests.Durable.Official;

/// <summary>An engine as the comparison needs it: the local host's, or the official one. Both run by the machine's clock.</summary>
internal abstract class Engine : IFunctions, IAsyncDisposable
{
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(30);

    public abstract void Orchestrator<TInput, TOutput>(string name, Func<TaskOrchestrationContext, TInput, Task<TOutput>> orchestrator);

    public abstract void Activity<TInput, TOutput>(string name, Func<TaskActivityContext, TInput, Task<TOutput>> activity);

    public void Orchestrator<TOutput>(string name, Func<TaskOrchestrationContext, Task<TOutput>> orchestrator) =>
        Orchestrator<object?, TOutput>(name, (context, _) => orchestrator(context));

    public void Activity<TInput, TOutput>(string name, Func<TInput, TOutput> activity) =>
        Activity<TInput, TOutput>(name, (_, input) => Task.FromResult(activity(input)));

    public abstract Task Start();

    public abstract Task<string> Schedule(string name, object? input = null, StartOrchestrationOptions? options = null);

    public Task<string> ScheduleAs(string id, string name, object? input = null) => Schedule(name, input, new StartOrchestrationOptions(id));

    public abstract Task Raise(string id, string name, object? payload);

    public abstract Task Terminate(string id, object? output);

    public abstract Task Suspend(string id);

    public abstract Task Resume(string id);

    /// <summary>Null where there is no such instance.</summary>
    public abstract Task<Outcome?> Find(string id);

    public async Task<Outcome> Run(string name, object? input = null) => await End(await Schedule(name, input));

    public Task<Outcome> End(string id) => Until(id, outcome => outcome.HasEnded);

    /// <summary>Waits until the custom status is the given text.</summary>
    public Task<Outcome> Says(string id, string status) => Until(id, outcome => outcome.CustomStatus == JsonSerializer.Serialize(status));

    public async Task<Outcome> Until(string id, Func<Outcome, bool> condition)
    {
        using var giveUp = new CancellationTokenSource(GiveUpAfter, TimeProvider.System);
        while (true)
        {
            if (await Find(id) is { } outcome && condition(outcome)) return outcome;
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, giveUp.Token);
        }
    }

    public abstract ValueTask DisposeAsync();
}

/// <summary>An instance as its engine shows it.</summary>
internal sealed record Outcome(
    OrchestrationRuntimeStatus Status, string? Output, string? CustomStatus, TaskFailureDetails? Failure, string? Input,
    IEnumerable<KeyValuePair<string, string>> Tags)
{
    public bool HasEnded => Status is OrchestrationRuntimeStatus.Completed or OrchestrationRuntimeStatus.Failed or OrchestrationRuntimeStatus.Terminated;

    /// <summary>The output; where it failed, the failure with all its causes.</summary>
    public string? Text => Failure is null ? Output : Status + " " + Describe(Failure);

    /// <summary>A failure and its causes, one after the other.</summary>
    public static string Describe(TaskFailureDetails? failure) =>
        failure is null ? "" : $"{failure}{(failure.InnerFailure is null ? "" : " < " + Describe(failure.InnerFailure))}";

    public T? Read<T>() => Output is null ? default : JsonSerializer.Deserialize<T>(Output);
}
