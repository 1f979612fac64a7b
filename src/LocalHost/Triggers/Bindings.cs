using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace NodeStash.LocalHost.Triggers;

/// <summary>Checks which parameters and results each trigger allows: a subset of the Functions host's.</summary>
internal static class Bindings
{
    /// <summary>Prefixes of routes that the Functions host refuses. Source: azure-functions-host, ScriptHost.ValidateHttpFunction.</summary>
    private static readonly string[] ReservedRoutes = ["admin", "runtime"];

    /// <summary>Returns why a method can't run; null if it can.</summary>
    public static string? Check(MethodInfo method, TriggerBindingAttribute trigger)
    {
        if (trigger is HttpTriggerAttribute http && CheckRoute(http) is { } problem) return problem;
        foreach (var parameter in method.GetParameters())
        {
            var isTrigger = parameter.IsDefined(typeof(TriggerBindingAttribute));
            if (!(isTrigger ? CanBindTrigger(trigger, parameter.ParameterType) : CanBindParameter(method, trigger, parameter)))
                return $"has a parameter that can't be bound: {parameter.ParameterType.Name} {parameter.Name}";
        }

        return trigger is HttpTriggerAttribute && !IsResult(method.ReturnType)
            ? "does not answer with an IResult, a Task<IResult> or a ValueTask<IResult>"
            : null;
    }

    /// <summary>Parses a route. As in the Functions host, an empty route is the name of the function.</summary>
    public static RoutePattern Route(HttpTriggerAttribute trigger, string functionName) =>
        RoutePatternFactory.Parse(string.IsNullOrEmpty(trigger.Route) ? functionName : trigger.Route);

    public static bool IsBatch(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>);

    private static string? CheckRoute(HttpTriggerAttribute http)
    {
        if (ReservedRoutes.Any(reserved => http.Route?.TrimStart('/').StartsWith(reserved, StringComparison.OrdinalIgnoreCase) is true))
            return $"has a route that the Functions host keeps for itself: {http.Route}";
        try
        {
            Route(http, "");
            return null;
        }
        catch (RoutePatternException)
        {
            return $"has an invalid route: {http.Route}";
        }
    }

    private static bool CanBindTrigger(TriggerBindingAttribute trigger, Type type) => trigger switch
    {
        HttpTriggerAttribute => type == typeof(HttpRequest),
        CosmosDBTriggerAttribute => IsBatch(type),
        QueueTriggerAttribute => type == typeof(string),
        TimerTriggerAttribute => type == typeof(TimerInfo),
        _ => true,
    };

    private static bool CanBindParameter(MethodInfo method, TriggerBindingAttribute trigger, ParameterInfo parameter)
    {
        var type = parameter.ParameterType;
        if (type == typeof(CancellationToken) || parameter.IsDefined(typeof(DurableClientAttribute))) return true;
        return trigger switch
        {
            HttpTriggerAttribute http => type == typeof(HttpContext) || (type == typeof(string) && Route(http, "").GetParameter(parameter.Name!) is not null),

            // An orchestrator may take its input as a parameter of its own.
            OrchestrationTriggerAttribute => method.GetParameters().Length == 2 && !type.IsByRef,
            _ => false,
        };
    }

    private static bool IsResult(Type type) => type == typeof(IResult) || type == typeof(Task<IResult>) || type == typeof(ValueTask<IResult>);
}
