using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using NodeStash.LocalHost.Triggers;

namespace NodeStash.LocalHost.Durable;

/// <summary>Registers the catalog's orchestrators and activities with the durable engine.</summary>
public static class DurableFunctions
{
    private static readonly MethodInfo GetInput = typeof(DurableFunctions).GetMethod(nameof(ReadInput), BindingFlags.NonPublic | BindingFlags.Static)!;

    /// <summary>Creates a registry of all orchestration and activity functions.</summary>
    public static DurableRegistry RegistryOf(FunctionCatalog catalog)
    {
        var registry = new DurableRegistry();
        foreach (var (function, _) in catalog.TriggeredBy<OrchestrationTriggerAttribute>()) AddOrchestrator(registry, function);
        foreach (var (function, _) in catalog.TriggeredBy<ActivityTriggerAttribute>())
            registry.AddActivity(function.Name, function.TriggerParameter.ParameterType, (services, _, input, ct) => function.Run(services, input, ct));
        return registry;
    }

    /// <summary>Registers an orchestrator. Its parameters are the context and, optionally, the input.</summary>
    private static void AddOrchestrator(DurableRegistry registry, Function function)
    {
        var readers = function.Parameters
            .Select(p => p.Position == function.TriggerParameter.Position
                ? context => context
                : GetInput.MakeGenericMethod(p.ParameterType).CreateDelegate<Func<TaskOrchestrationContext, object?>>())
            .ToArray();
        registry.AddOrchestrator(function.Name, (services, context) => function.Invoke(services, [.. readers.Select(read => read(context))]));
    }

    private static object? ReadInput<T>(TaskOrchestrationContext context) => context.GetInput<T>();
}
