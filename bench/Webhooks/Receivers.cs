using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Values;

namespace NodeStash.Bench;

/// <summary>Receivers of webhooks, each a path of one server. What it keeps of deliveries takes the same memory however many there are.</summary>
internal sealed class Receivers : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, Receiver> receivers = new(StringComparer.Ordinal);
    private readonly Seen seen = new();
    private readonly WebApplication app;
    private int different;
    private long received;
    private byte[]? last;

    private Receivers(WebApplication app) => this.app = app;

    public Uri Address => new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>Different deliveries.</summary>
    public int Count => Volatile.Read(ref different);

    public long Duplicates => Interlocked.Read(ref received) - Count;

    /// <summary>The body that came last.</summary>
    public byte[] LastBody => Volatile.Read(ref last) ?? throw new InvalidOperationException("Nothing has come yet.");

    public static async Task<Receivers> Start()
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = ["--hostBuilder:reloadConfigOnChange=false"] });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var receivers = new Receivers(app);
        app.Run(receivers.Receive);
        await app.StartAsync();
        return receivers;
    }

    /// <summary>From the event to its arrival, at receivers whose path begins so.</summary>
    public Lags Of(string path) => Lags.Sum(receivers.Where(each => each.Key.StartsWith(path, StringComparison.Ordinal)).Select(each => each.Value.Lags));

    /// <summary>Different deliveries to receivers whose path begins so.</summary>
    public int CountOf(string path) => receivers.Where(each => each.Key.StartsWith(path, StringComparison.Ordinal)).Sum(each => each.Value.Count);

    public void Forget()
    {
        receivers.Clear();
        seen.Clear();
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
        var body = new byte[(int)(context.Request.ContentLength ?? 0)];
        await context.Request.Body.ReadExactlyAsync(body);
        Volatile.Write(ref last, body);
        if (path.StartsWith("/hang", StringComparison.Ordinal)) await Task.Delay(TimeSpan.FromSeconds(15), TimeProvider.System);
        Interlocked.Increment(ref received);
        if (!seen.Add(path, id)) return;
        Interlocked.Increment(ref different);
        receivers.GetOrAdd(path, _ => new()).Add(now - Ids.TimeOf(id));
    }

    private sealed class Receiver
    {
        private int count;

        public Lags Lags { get; } = new();

        public void Add(TimeSpan lag)
        {
            Interlocked.Increment(ref count);
            Lags.Add(lag);
        }

        public int Count => Volatile.Read(ref count);
    }
}

/// <summary>Which deliveries came already: a hash of each in a table that never grows.</summary>
internal sealed class Seen
{
    private readonly long[] table = new long[1 << 23];

    public Seen() => Clear();

    /// <returns>False where it was there already.</returns>
    public bool Add(string path, string id)
    {
        var hash = Hash(Hash(-3750763034362895579, path), id);
        for (var place = hash; ; place++)
        {
            var there = Interlocked.CompareExchange(ref table[place & (table.Length - 1)], hash, 0);
            if (there == 0) return true;
            if (there == hash) return false;
        }
    }

    /// <summary>Writes all of it, so that its memory is there before it is measured.</summary>
    public void Clear()
    {
        Array.Fill(table, -1);
        Array.Fill(table, 0);
    }

    /// <summary>FNV-1a.</summary>
    private static long Hash(long hash, string text)
    {
        foreach (var c in text) hash = (hash ^ c) * 1099511628211;
        return hash;
    }
}

/// <summary>How many deliveries took how many ms; what took more than a minute counts as a minute.</summary>
internal sealed class Lags
{
    private readonly int[] counts = new int[60_001];

    public void Add(TimeSpan lag) => Interlocked.Increment(ref counts[(int)Math.Clamp(lag.TotalMilliseconds, 0, counts.Length - 1)]);

    public static Lags Sum(IEnumerable<Lags> each)
    {
        var sum = new Lags();
        foreach (var one in each)
        {
            for (var ms = 0; ms < one.counts.Length; ms++) sum.counts[ms] += one.counts[ms];
        }

        return sum;
    }

    public override string ToString() => $"p50 {At(0.5)} ms, p99 {At(0.99)} ms, most {At(1)} ms";

    private int At(double share)
    {
        var (rank, ms) = (Math.Max(1, share * counts.Sum()), 0);
        for (var below = counts[0]; below < rank && ms < counts.Length - 1; below += counts[ms]) ms++;
        return ms;
    }
}
