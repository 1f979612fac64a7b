using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Records;

namespace NodeStash.Bench;

/// <summary>Receivers of webhooks, each a path of one server. Keeps when each delivery came.</summary>
internal sealed class Receivers : IAsyncDisposable
{
    private readonly ConcurrentDictionary<(string Path, string EventId), int> deliveries = new();
    private readonly ConcurrentDictionary<string, ConcurrentQueue<double>> lags = new(StringComparer.Ordinal);
    private readonly WebApplication app;
    private int different;
    private long received;

    private Receivers(WebApplication app) => this.app = app;

    public Uri Address => new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>Different deliveries.</summary>
    public int Count => Volatile.Read(ref different);

    public long Duplicates => Interlocked.Read(ref received) - Count;

    public static async Task<Receivers> Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var receivers = new Receivers(app);
        app.Run(receivers.Receive);
        await app.StartAsync();
        return receivers;
    }

    /// <summary>From the event to its arrival, in ms, at receivers whose path begins so.</summary>
    public Lags Of(string path) => new([.. lags.Where(each => each.Key.StartsWith(path, StringComparison.Ordinal)).SelectMany(each => each.Value).Order()]);

    /// <summary>Different deliveries to receivers whose path begins so.</summary>
    public int CountOf(string path) => deliveries.Keys.Count(each => each.Path.StartsWith(path, StringComparison.Ordinal));

    public void Forget()
    {
        deliveries.Clear();
        lags.Clear();
        Interlocked.Exchange(ref received, 0);
        Interlocked.Exchange(ref different, 0);
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync(new CancellationToken(canceled: true));
        await app.DisposeAsync();
    }

    private async Task Receive(HttpContext context)
    {
        var (path, id, now) = (context.Request.Path.Value!, context.Request.Headers["webhook-id"].ToString(), TimeProvider.System.GetUtcNow());
        await context.Request.Body.CopyToAsync(Stream.Null);
        if (path.StartsWith("/hang", StringComparison.Ordinal)) await Task.Delay(TimeSpan.FromSeconds(15), TimeProvider.System);
        if (id.Length == 0) return;
        Interlocked.Increment(ref received);
        if (!deliveries.TryAdd((path, id), 0)) return;
        Interlocked.Increment(ref different);
        lags.GetOrAdd(path, _ => new()).Enqueue((now - Ids.TimeOf(id)).TotalMilliseconds);
    }
}

/// <param name="Ordered">In ms, the least first.</param>
internal sealed record Lags(double[] Ordered)
{
    public double At(double share) => Ordered.Length == 0 ? double.NaN : Ordered[(int)Math.Min(Ordered.Length - 1, Ordered.Length * share)];

    public override string ToString() => $"p50 {At(0.5):0} ms, p99 {At(0.99):0} ms, most {At(1):0} ms";
}
