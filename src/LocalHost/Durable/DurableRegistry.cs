using System.Diagnostics.CodeAnalysis;
using Microsoft.DurableTask;

namespace NodeStash.LocalHost.Durable;

/// <summary>The orchestrators and activities an engine can run, by name; case does not matter. Filled before the engine starts.</summary>
public sealed class DurableRegistry
{
    private readonly Dictionary<string, Func<IServiceProvider, TaskOrchestrationContext, Task<object?>>> orchestrators = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, ActivityFunction> activities = new(StringComparer.OrdinalIgnoreCase);

    /// <param name="name">As callers name it.</param>
    /// <param name="orchestrator">Given the services of one execution, kept from its first turn to its last; answers the output, null for none.</param>
    /// <exception cref="ArgumentException">There is one of that name.</exception>
    public void AddOrchestrator(string name, Func<IServiceProvider, TaskOrchestrationContext, Task<object?>> orchestrator) =>
        orchestrators.Add(name, orchestrator);

    /// <param name="name">As orchestrators name it.</param>
    /// <param name="inputType">What the input is read as.</param>
    /// <param name="activity">
    /// Given the services of one run; its input, null where it was called without one; and a token that is cancelled when the process can wait no longer.
    /// Answers the result, null for none.
    /// </param>
    /// <exception cref="ArgumentException">There is one of that name.</exception>
    public void AddActivity(string name, Type inputType, Func<IServiceProvider, TaskActivityContext, object?, CancellationToken, Task<object?>> activity) =>
        activities.Add(name, new ActivityFunction(inputType, activity));

    internal bool TryGetOrchestrator(string name, [NotNullWhen(true)] out Func<IServiceProvider, TaskOrchestrationContext, Task<object?>>? orchestrator) =>
        orchestrators.TryGetValue(name, out orchestrator);

    internal bool TryGetActivity(string name, [NotNullWhen(true)] out ActivityFunction? activity) => activities.TryGetValue(name, out activity);
}

internal sealed record ActivityFunction(Type InputType, Func<IServiceProvider, TaskActivityContext, object?, CancellationToken, Task<object?>> Run);
