using System.Linq.Expressions;
using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Azure.Functions.Worker;

namespace NodeStash.LocalHost.Triggers;

/// <summary>Maps HTTP functions to endpoints.</summary>
public static class HttpTriggers
{
    /// <summary>
    /// Maps every HTTP function to its route without a prefix, in the order of the Functions host (<see cref="RouteOrder"/>): the first function by name that
    /// matches path and method gets the request. Authorization levels require no key here.
    /// </summary>
    public static void MapFunctions(this IEndpointRouteBuilder app, FunctionCatalog catalog)
    {
        var endpoints = catalog.TriggeredBy<HttpTriggerAttribute>().OrderBy(f => f.Function.Name, RouteOrder.ByName).ToList();
        for (var order = 0; order < endpoints.Count; order++)
        {
            var (function, trigger) = endpoints[order];
            var route = Bindings.Route(trigger, function.Name);

            // Compile at the first request: compiling all of them would slow the start.
            var handler = new Lazy<RequestDelegate>(() => Compile(function));
            Task Handle(HttpContext http) => handler.Value(http);
            var endpoint = trigger.Methods is not { Length: > 0 } methods ? app.Map(route, Handle) : app.MapMethods(route.RawText!, methods, Handle);
            endpoint.WithDisplayName(function.Name).WithOrder(order);
        }
    }

    /// <summary>Lists the routes of the HTTP functions, for <see cref="RouteOrder.FindConflicts"/>.</summary>
    public static IEnumerable<HttpRoute> Routes(this FunctionCatalog catalog) =>
        catalog.TriggeredBy<HttpTriggerAttribute>().Select(f => new HttpRoute(f.Function.Name, f.Trigger.Methods ?? [], f.Trigger.Route ?? ""));

    private static RequestDelegate Compile(Function function)
    {
        var http = Expression.Parameter(typeof(HttpContext));
        var target = function.BuildTarget(Expression.Property(http, nameof(HttpContext.RequestServices)));
        var call = Expression.Call(target, function.Method, function.Parameters.Select(p => Value(p, http)));
        return Expression.Lambda<RequestDelegate>(Expression.Call(typeof(HttpTriggers), nameof(Send), null, call, http), http).Compile();
    }

    private static Expression Value(ParameterInfo parameter, Expression http)
    {
        if (parameter.ParameterType == typeof(HttpRequest)) return Expression.Property(http, nameof(HttpContext.Request));
        if (parameter.ParameterType == typeof(HttpContext)) return http;
        return Function.BindCommon(
            parameter, Expression.Property(http, nameof(HttpContext.RequestServices)), Expression.Property(http, nameof(HttpContext.RequestAborted)))
            ?? Expression.Call(typeof(HttpTriggers), nameof(RouteValue), null, http, Expression.Constant(parameter.Name));
    }

    /// <summary>Reads a route value; null if an optional part of the route is absent.</summary>
    private static string? RouteValue(HttpContext http, string name) => http.Request.RouteValues[name] as string;

    private static Task Send(IResult answer, HttpContext http) => answer.ExecuteAsync(http);

    private static async Task Send(Task<IResult> answer, HttpContext http) => await (await answer).ExecuteAsync(http);

    private static async Task Send(ValueTask<IResult> answer, HttpContext http) => await (await answer).ExecuteAsync(http);
}
