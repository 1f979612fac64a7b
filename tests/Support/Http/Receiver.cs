using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace NodeStash.Support.Http;

/// <summary>
/// Someone's webhook endpoint: a real server on a free port of this machine. Keeps every request and answers as it is told; 200 if it is not.
/// </summary>
public sealed class Receiver : IAsyncDisposable
{
    private readonly ConcurrentQueue<Received> requests = new();
    private readonly WebApplication app;

    private Receiver(WebApplication app) => this.app = app;

    /// <summary>What to answer; may be changed at any time.</summary>
    public Func<Received, HttpContext, Task> Answer { get; set; } = (_, _) => Task.CompletedTask;

    public Uri Address => new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>In the order of their arrival.</summary>
    public IReadOnlyList<Received> Requests => [.. requests];

    /// <summary>The names of the events, in the order of their arrival.</summary>
    public IReadOnlyList<string> EventNames => [.. requests.Select(request => request.Name)];

    /// <param name="certificate">To speak https; null for http.</param>
    /// <param name="port">0 for a free one.</param>
    public static async Task<Receiver> Start(X509Certificate2? certificate = null, int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, port, listen =>
        {
            if (certificate is not null) listen.UseHttps(certificate);
        }));
        builder.WebHost.UseKestrelHttpsConfiguration();
        var app = builder.Build();
        var receiver = new Receiver(app);
        app.Run(receiver.Receive);
        await app.StartAsync();
        return receiver;
    }

    public void AnswerWith(int status) => Answer = (_, context) =>
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    };

    /// <summary>Waits until that many requests have come.</summary>
    public async Task<IReadOnlyList<Received>> Until(int count)
    {
        await Eventually.True(() => requests.Count >= count, $"{count} requests; there are {requests.Count}");
        return Requests;
    }

    /// <summary>Waits for the first request of an event.</summary>
    public Task<Received> Event(string name) => Eventually.Get(() => Requests.FirstOrDefault(request => request.Name == name), name);

    public async ValueTask DisposeAsync()
    {
        // Without waiting for what a test has left hanging.
        await app.StopAsync(new CancellationToken(canceled: true));
        await app.DisposeAsync();
    }

    private async Task Receive(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var headers = context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        var received = new Received(context.Request.Method, context.Request.Path + context.Request.QueryString, headers, body.ToArray());
        requests.Enqueue(received);
        await Answer(received, context);
    }
}

/// <param name="Method">The HTTP method.</param>
/// <param name="Path">With its query.</param>
/// <param name="Headers">By name, whatever its case.</param>
/// <param name="Body">The bytes as they came.</param>
public sealed record Received(string Method, string Path, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Id => Headers["webhook-id"];

    public DateTimeOffset SentAt =>
        DateTimeOffset.FromUnixTimeSeconds(long.Parse(Headers["webhook-timestamp"], System.Globalization.CultureInfo.InvariantCulture));

    public JsonElement Event => JsonElement.Parse(Body);

    public string Name => Event.GetProperty("event").GetString()!;

    public string RecordId => Event.GetProperty("data").GetProperty("id").GetString()!;

    public long Version => Event.GetProperty("metadata").GetProperty("version").GetInt64();
}
