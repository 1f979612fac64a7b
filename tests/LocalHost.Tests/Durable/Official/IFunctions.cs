using Microsoft.DurableTask;
using NodeStash.LocalHost.Durable;

namespace NodeStash.LocalHost.Tests.Durable.Official;

/// <summary>Takes the orchestrators and activities that an engine is to run.</summary>
internal interface IFunctions
{
    void Orchestrator<TInput, TOutput>(string name, Func<TaskOrchestrationContext, TInput, Task<TOutput>> orchestrator);

    void Activity<TInput, TOutput>(string name, Func<TaskActivityContext, TInput, Task<TOutput>> activity);
}

/// <summary>Registers functions with the local host's engine.</summary>
internal sealed class LocalFunctions(DurableRegistry registry) : IFunctions
{
    public void Orchestrator<TInput, TOutput>(string name, Func<TaskOrchestrationContext, TInput, Task<TOutput>> orchestrator) =>
        registry.AddOrchestrator(name, async (_, context) => await orchestrator(context, context.GetInput<TInput>()!));

    public void Activity<TInput, TOutput>(string name, Func<TaskActivityContext, TInput, Task<TOutput>> activity) =>
        registry.AddActivity(name, typeof(TInput), async (_, context, input, _) => await activity(context, (TInput)input!));
}
