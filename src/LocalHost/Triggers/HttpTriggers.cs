using System.Linq.Expressions;
using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Azure.Functions.Worker;

namespace NodeStash.LocalHost.Triggers;

/// <summary>HTTP functions as endpoints.</summary>
public static class HttpTriggers
{
    /// <summary>
    /// Makes every HTTP function an endpoint at its route, below an empty prefix. As in the Functions host, a request whose method no
    /// function at the route takes goes to the next route that matches, down to a catch-all. Authorization levels ask for no key here.
    /// </summary>
    /// <exception cref="InvalidFunctionsException">Two functions take the same method at the same route.</exception>
    public static void MapFunctions(this IEndpointRouteBuilder app, FunctionCatalog catalog)
    {
        var endpoints = catalog.TriggeredBy<HttpTriggerAttribute>().Select(f => (f.Function, Route: Bindings.Route(f.Trigger, f.Function.Name), Methods: f.Trigger.Methods ?? [])).ToList();
        var clashes = from e in endpoints
                      from method in e.Methods.DefaultIfEmpty("any method")
                      group e.Function by method.ToUpperInvariant() + " " + Shape(e.Route) into takers
                      where takers.Skip(1).Any()
                      select $"{string.Join(" and ", takers)} both take {takers.Key}";
        if (clashes.ToList() is { Count: > 0 } faults) throw new InvalidFunctionsException(faults);

        foreach (var (function, route, methods) in endpoints)
        {
            // At its first request: to compile them all takes a good part of the start.
            var handler = new Lazy<RequestDelegate>(() => Compile(function));
            Task Handle(HttpContext http) => handler.Value(http);
            var endpoint = methods.Length == 0 ? app.Map(route, Handle) : app.MapMethods(route.RawText!, methods, Handle);
            endpoint.WithDisplayName(function.Name);
        }
    }

    private static RequestDelegate Compile(Function function)
    {
        var http = Expression.Parameter(typeof(HttpContext));
        var target = function.Target(Expression.Property(http, nameof(HttpContext.RequestServices)));
        var call = Expression.Call(target, function.Method, function.Parameters.Select(p => Value(p, http)));
        return Expression.Lambda<RequestDelegate>(Expression.Call(typeof(HttpTriggers), nameof(Send), null, call, http), http).Compile();
    }

    private static Expression Value(ParameterInfo parameter, Expression http)
    {
        if (parameter.ParameterType == typeof(HttpRequest)) return Expression.Property(http, nameof(HttpContext.Request));
        if (parameter.ParameterType == typeof(HttpContext)) return http;
        return Function.Common(parameter, Expression.Property(http, nameof(HttpContext.RequestServices)), Expression.Property(http, nameof(HttpContext.RequestAborted)))
            ?? Expression.Call(typeof(HttpTriggers), nameof(RouteValue), null, http, Expression.Constant(parameter.Name));
    }

    /// <summary>Null where an optional part of the route is absent.</summary>
    private static string? RouteValue(HttpContext http, string name) => http.Request.RouteValues[name] as string;

    private static Task Send(IResult answer, HttpContext http) => answer.ExecuteAsync(http);

    private static async Task Send(Task<IResult> answer, HttpContext http) => await (await answer).ExecuteAsync(http);

    private static async Task Send(ValueTask<IResult> answer, HttpContext http) => await (await answer).ExecuteAsync(http);

    /// <summary>The route without the names of its parameters: routes of one shape match the same paths.</summary>
    private static string Shape(RoutePattern route) =>
        "/" + string.Join('/', route.PathSegments.Select(segment => string.Concat(segment.Parts.Select(Shape))));

    private static string Shape(RoutePatternPart part) => part switch
    {
        RoutePatternParameterPart p => "{" + (p.IsCatchAll ? "*" : "") + string.Concat(p.ParameterPolicies.Select(policy => ":" + policy.Content)) + (p.IsOptional ? "?" : "") + "}",
        RoutePatternLiteralPart literal => literal.Content.ToUpperInvariant(),
        RoutePatternSeparatorPart separator => separator.Content,
        _ => "",
    };
}
