using System.Collections.Concurrent;
using System.Net;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Forwarder;

namespace NodeStash.Worker.Tests.Host;

/// <summary>
/// What the Functions host is to a worker, as far as HTTP goes: it starts the program, talks to it, has it load its functions, and passes real
/// requests on. What other triggers do is not here.
/// </summary>
internal sealed class FunctionsHost : IAsyncDisposable
{
    private static readonly TimeSpan ConnectsWithin = TimeSpan.FromMinutes(2);

    private readonly ConcurrentDictionary<string, TaskCompletionSource<WorkerChannel>> expected = new();
    private readonly ConcurrentBag<WorkerChannel> channels = [];
    private readonly WebApplication app;
    private volatile HttpFunctions? functions;

    private FunctionsHost()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = 100 * 1024 * 1024;
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Listen(IPAddress.Loopback, 0, grpc => grpc.Protocols = HttpProtocols.Http2);
        });
        builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = null);
        builder.Services.AddHttpForwarder().AddSingleton(this);
        app = builder.Build();
        app.MapGrpcService<EventStreams>();
        app.MapFallback("{**path}", http => functions?.Handle(http) ?? Unavailable(http));
    }

    /// <summary>Where it takes HTTP requests.</summary>
    public Uri Address => new(app.Urls.First());

    /// <summary>Where workers connect.</summary>
    public Uri ForWorkers => new(app.Urls.Last());

    public static async Task<FunctionsHost> Start()
    {
        var host = new FunctionsHost();
        await host.app.StartAsync();
        return host;
    }

    /// <summary>Starts a program and waits until it has connected.</summary>
    /// <param name="program">What to start.</param>
    /// <param name="settings">The app settings.</param>
    /// <param name="inShell">Whether a shell is the parent of the worker, so that a test can kill that.</param>
    /// <exception cref="InvalidOperationException">It did not connect.</exception>
    public async Task<RunningWorker> StartWorker(PublishedApp program, IReadOnlyDictionary<string, string> settings, bool inShell = false)
    {
        var id = WorkerChannel.NewId();
        var connected = expected[id] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var process = WorkerProcess.Start(program, ForWorkers, id, settings, inShell);
        await Task.WhenAny(connected.Task, process.Exited, Task.Delay(ConnectsWithin, TimeProvider.System));
        if (connected.Task.IsCompleted) return new RunningWorker(process, await connected.Task, program);
        await process.DisposeAsync();
        throw new InvalidOperationException($"It did not connect, and ended with {await process.Exited}: {process.Output}");
    }

    /// <summary>Has a worker load its functions, and passes requests on to it from then on.</summary>
    public async Task Serve(RunningWorker worker)
    {
        var loaded = await worker.Load();
        functions?.Dispose();
        functions = new HttpFunctions(loaded, worker.Channel, app.Services.GetRequiredService<IHttpForwarder>());
    }

    /// <summary>Stops listening and ends the streams, as a host that ends does.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var channel in channels) channel.Close();
        await app.DisposeAsync();
        functions?.Dispose();
    }

    private static Task Unavailable(Microsoft.AspNetCore.Http.HttpContext http)
    {
        http.Response.StatusCode = (int)HttpStatusCode.ServiceUnavailable;
        return Task.CompletedTask;
    }

    /// <summary>Made for each call; a worker makes one.</summary>
    private sealed class EventStreams(FunctionsHost host) : FunctionRpc.FunctionRpcBase
    {
        public override async Task EventStream(
            IAsyncStreamReader<StreamingMessage> requestStream, IServerStreamWriter<StreamingMessage> responseStream, ServerCallContext context)
        {
            var said = await requestStream.MoveNext(context.CancellationToken) ? requestStream.Current : null;
            if (said?.Start is not { } start || !host.expected.TryGetValue(start.WorkerId, out var connected))
                throw new RpcException(new Status(StatusCode.PermissionDenied, "Nobody expects this worker"));

            var channel = new WorkerChannel();
            host.channels.Add(channel);
            connected.TrySetResult(channel);
            await channel.Converse(requestStream, responseStream, context.CancellationToken);
        }
    }
}
