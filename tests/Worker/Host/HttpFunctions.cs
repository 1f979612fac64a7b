using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Template;
using NodeStash.LocalHost.Triggers;
using Yarp.ReverseProxy.Forwarder;

namespace NodeStash.Worker.Tests.Host;

/// <summary>
/// Passes requests on to a worker as the Functions host does: the first function by name whose route and methods match has it. The invocation goes over
/// gRPC, with the parts of the route; the request goes to the worker's own HTTP address, with the id of the invocation. Routes have no prefix (host.json).
/// Source: azure-functions-host, WebScriptHostHttpRoutesManager, GrpcWorkerChannel and DefaultHttpProxyService.
/// </summary>
internal sealed class HttpFunctions(IEnumerable<FunctionMetadata> functions, WorkerChannel worker, IHttpForwarder forwarder) : IDisposable
{
    private const string InvocationId = "x-ms-invocation-id";

    /// <summary>
    /// Before further attempts to connect: a worker has its functions loaded before it listens. Source: azure-functions-host, RetryProxyHandler.
    /// </summary>
    private static readonly TimeSpan[] connectionPauses = [.. new[] { 50, 100, 200, 250, 250, 250, 250, 250, 250 }.Select(ms => TimeSpan.FromMilliseconds(ms))];

    private readonly HttpMessageInvoker client = new(
        new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false, ConnectCallback = Connect });
    private readonly List<HttpFunction> routes = [.. functions.OrderBy(function => function.Name, RouteOrder.ByName).SelectMany(HttpFunction.Of)];

    public void Dispose() => client.Dispose();

    public async Task Handle(HttpContext http)
    {
        foreach (var route in routes)
        {
            if (!route.Takes(http.Request, out var values)) continue;
            await Pass(route, values, http);
            return;
        }

        http.Response.StatusCode = (int)HttpStatusCode.NotFound;
    }

    private static async ValueTask<Stream> Connect(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        for (var failures = 0; ; failures++)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(context.DnsEndPoint, ct);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException) when (failures < connectionPauses.Length)
            {
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }

            await Task.Delay(connectionPauses[failures], TimeProvider.System, ct);
        }
    }

    private async Task Pass(HttpFunction route, RouteValueDictionary values, HttpContext http)
    {
        var trace = new TraceContext { Traceparent = Activity.Current?.Id ?? "" };
        var invocation = new InvokeRequest { InvocationId = WorkerChannel.NewId(), FunctionId = route.Function.FunctionId, Trace = trace };
        invocation.Inputs.Add(new Parameter { Name = route.Parameter, Value = new Value { Http = new HttpPlaceholder() } });
        foreach (var (name, value) in values.Where(part => part.Value is not null)) invocation.Trigger[name] = new Value { Text = (string)value! };
        http.Request.Headers[InvocationId] = invocation.InvocationId;

        var forwarding = forwarder.SendAsync(http, worker.HttpUri!, client, ForwarderRequestConfig.Empty).AsTask();
        var invoked = worker.Invoke(invocation);
        try
        {
            await invoked;
        }
        catch (IOException)
        {
            // The worker has gone; so has the connection to it, and the client is told.
        }

        await forwarding;
    }

    /// <summary>An HTTP function at its route.</summary>
    private sealed record HttpFunction(FunctionMetadata Function, string Parameter, TemplateMatcher Route, string[] Methods)
    {
        public static IEnumerable<HttpFunction> Of(FunctionMetadata function) =>
            from binding in function.RawBindings.Select(json => JsonElement.Parse(json))
            where binding.GetProperty("type").GetString() is "httpTrigger"
            let route = binding.TryGetProperty("route", out var template) ? template.GetString()! : function.Name
            let methods = binding.TryGetProperty("methods", out var some) ? some.EnumerateArray().Select(method => method.GetString()!).ToArray() : []
            select new HttpFunction(function, binding.GetProperty("name").GetString()!, new TemplateMatcher(TemplateParser.Parse(route), []), methods);

        public bool Takes(HttpRequest request, [NotNullWhen(true)] out RouteValueDictionary? values)
        {
            values = [];
            return (Methods.Length == 0 || Methods.Contains(request.Method, StringComparer.OrdinalIgnoreCase)) && Route.TryMatch(request.Path, values);
        }
    }
}
