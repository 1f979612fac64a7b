using System.Diagnostics.CodeAnalysis;
using Microsoft.DurableTask;

namespace NodeStash.LocalHost.Durable;

/// <summary>Registers the orchestrators and activities that an engine can run, by name, ignoring case. Fill it before the engine starts.</summary>
public sealed class DurableRegistry
{
    private readonly Dictionary<string, Func<IServiceProvider, TaskOrchestrationContext, Task<object?>>> orchestrators = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, ActivityFunction> activities = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Adds an orchestrator.</summary>
    /// <param name="name">The name that callers use.</param>
    /// <param name="orchestrator">Takes the services of one execution, from its first turn to its last; returns the output, null for none.</param>
    /// <exception cref="ArgumentException">The name is registered already.</exception>
    public void AddOrchestrator(string name, Func<IServiceProvider, TaskOrchestrationContext, Task<object?>> orchestrator) =>
        orchestrators.Add(name, orchestrator);

    /// <summary>Adds an activity.</summary>
    /// <param name="name">The name that orchestrators use.</param>
    /// <param name="inputType">Type into which the input is deserialized.</param>
    /// <param name="activity">
    /// Takes the services of one run, the context, the input (null for a call without one), and a token that is cancelled when the process can wait no
    /// longer. Returns the result, null for none.
    /// </param>
    /// <exception cref="ArgumentException">The name is registered already.</exception>
    public void AddActivity(string name, Type inputType, Func<IServiceProvider, TaskActivityContext, object?, CancellationToken, Task<object?>> activity) =>
        activities.Add(name, new ActivityFunction(inputType, activity));

    internal bool TryGetOrchestrator(string name, [NotNullWhen(true)] out Func<IServiceProvider, TaskOrchestrationContext, Task<object?>>? orchestrator) =>
        orchestrators.TryGetValue(name, out orchestrator);

    internal bool TryGetActivity(string name, [NotNullWhen(true)] out ActivityFunction? activity) => activities.TryGetValue(name, out activity);
}

internal sealed record ActivityFunction(Type InputType, Func<IServiceProvider, TaskActivityContext, object?, CancellationToken, Task<object?>> Run);
