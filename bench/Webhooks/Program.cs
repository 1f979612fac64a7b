using System.Globalization;
using System.Threading.Channels;
using NodeStash.Bench;
using NodeStash.Core.Values;
using NodeStash.Core.Webhooks;
using NodeStash.Support.Processes;

const int Writers = 256, Hanging = 100;
const string Usage =
    """
    What delivery of webhooks does: the product and the receivers in one process.

      webhooks-bench throughput [seconds] [endpoints]
                                            1 and 50 endpoints: as much as it can, then half of that; beside it a bare HttpClient
      webhooks-bench fairness [events]      a workspace's lag while others flood (default 50000 events) and hang
      webhooks-bench crash [rounds] [seed]  the process is killed so often (default 200) while clients write and receivers fail; ends with 1 if anything is lost, invented or out of order
    """;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var terminal = Console.Out;
switch (args)
{
    case ["throughput", .. var rest]:
        var seconds = TimeSpan.FromSeconds(rest is [var given, ..] ? int.Parse(given, CultureInfo.InvariantCulture) : 10);
        foreach (var endpoints in rest is [_, var count] ? [int.Parse(count, CultureInfo.InvariantCulture)] : new[] { 1, 50 })
            await Throughput(endpoints, seconds);
        return 0;
    case ["fairness", .. var rest]:
        await Fairness(rest is [var events] ? int.Parse(events, CultureInfo.InvariantCulture) : 50_000);
        return 0;
    case ["crash", .. var rest]:
        return await Crash(
            rest is [var rounds, ..] ? int.Parse(rounds, CultureInfo.InvariantCulture) : 200,
            rest is [_, var seed] ? int.Parse(seed, CultureInfo.InvariantCulture) : Environment.TickCount);
    default:
        await Console.Error.WriteLineAsync(Usage);
        return 2;
}

async Task Throughput(int endpoints, TimeSpan duration)
{
    await using var receivers = await Receivers.Start();
    await using var product = await Product.Start();
    var workspace = await product.NewWorkspace();
    for (var i = 0; i < endpoints; i++) await workspace.Subscribe(new Uri(receivers.Address, $"/{i}"));

    // Warm, then as much as it takes: a window of events is kept open. The limit is measured before and after it.
    await Measure(TimeSpan.FromSeconds(5), null);
    var connections = Math.Min(64, new WebhookOptions().ConcurrencyPerEndpoint * endpoints);
    await Limit(receivers, endpoints, connections, TimeSpan.FromSeconds(2));
    var before = await Limit(receivers, endpoints, connections, duration / 2);
    var full = await Measure(duration, null);
    var after = await Limit(receivers, endpoints, connections, duration / 2);
    var half = await Measure(duration, full.PerSecond / endpoints / 2);
    var limit = new Posts((before.PerSecond + after.PerSecond) / 2, (before.CpuMicroseconds + after.CpuMicroseconds) / 2);

    await Say($"\n{endpoints} endpoint(s), {duration.TotalSeconds:0} s each");
    await Say("|              | deliveries/s | of limit | lag                                   | duplicates | lost | durable actions/delivery | CPU "
        + "µs/delivery | working set, after a quarter → at the end |");
    await Say("|--------------|-------------:|---------:|---------------------------------------"
        + "|-----------:|-----:|-------------------------:|----------------:|------------------------------------------:|");
    await Say(Row("full", full, limit.PerSecond));
    await Say(Row("half of it", half, limit.PerSecond));
    await Say($"| HttpClient   | {limit.PerSecond,12:0} |    100 % |                                       |            |      |                     "
        + $"     | {limit.CpuMicroseconds,15:0} |                                           |");

    async Task<Run> Measure(TimeSpan time, double? rate)
    {
        receivers.Forget();
        var (events, actions, cpu, memory, started) = (0, product.Actions, Environment.CpuUsage.TotalTime, 0L, TimeProvider.System.GetTimestamp());
        var due = Channel.CreateUnbounded<int>();
        var options = Task.WhenAll(Enumerable.Range(0, Writers).Select(async _ =>
        {
            await foreach (var next in due.Reader.ReadAllAsync()) await workspace.CreateContact();
        }));
        for (var window = Math.Max(20, 2_000 / endpoints); TimeProvider.System.GetElapsedTime(
            started) < time; await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System))
        {
            var max = rate is { } perSecond ? TimeProvider.System.GetElapsedTime(started).TotalSeconds * perSecond : window + (receivers.Count / endpoints);
            for (; events < max; events++) due.Writer.TryWrite(events);
            if (memory == 0 && TimeProvider.System.GetElapsedTime(started) > time / 4) memory = Environment.WorkingSet;
        }

        due.Writer.Complete();
        await options;
        var delivered = receivers.Count;
        var perSecondDelivered = delivered / TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        await Drained(() => receivers.Count, events * endpoints);
        return new Run(
            perSecondDelivered, receivers.Of("/"), receivers.Duplicates, (events * endpoints) - receivers.Count,
            (product.Actions - actions) / (double)receivers.Count,
            (Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds / receivers.Count, memory >> 20, Environment.WorkingSet >> 20);
    }
}

async Task Fairness(int events)
{
    await using var receivers = await Receivers.Start();
    await using var product = await Product.Start();
    var (quiet, flooding, hanging) = (await product.NewWorkspace(), await product.NewWorkspace(), await product.NewWorkspace());
    await quiet.Subscribe(new Uri(receivers.Address, "/quiet"));
    await flooding.Subscribe(new Uri(receivers.Address, "/flood"));
    for (var i = 0; i < Hanging; i++) await hanging.Subscribe(new Uri(receivers.Address, $"/hang/{i}"));

    await Row("nobody else", () => Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System));
    await Row($"{Hanging} endpoints that hang 15 s, a burst of 200 events", async () =>
    {
        await hanging.Flood(200);
        await Task.Delay(TimeSpan.FromSeconds(10), TimeProvider.System);
    });
    await Row($"a flood of {events} events beside them", async () =>
    {
        await flooding.Flood(events);
        await Drained(() => receivers.CountOf("/flood"), events);
    });
    await Say($"working set {Environment.WorkingSet >> 20} MiB, flood delivered {receivers.CountOf("/flood")}");

    async Task Row(string name, Func<Task> load)
    {
        using var end = new CancellationTokenSource();
        var started = TimeProvider.System.GetTimestamp();
        var options = Task.Run(async () =>
        {
            var written = 0;
            for (; !end.IsCancellationRequested; written++)
            {
                await quiet.CreateContact();
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            }

            return written;
        });
        receivers.Forget();
        await load();
        await end.CancelAsync();
        var written = await options;
        await Drained(() => receivers.CountOf("/quiet"), written);
        await Say($"{name} ({TimeProvider.System.GetElapsedTime(started).TotalSeconds:0} s): {written} events of the quiet workspace, "
            + $"{receivers.CountOf("/quiet")} delivered, {receivers.Of("/quiet")}");
    }
}

async Task<int> Crash(int rounds, int seed)
{
    var folder = Directory.CreateTempSubdirectory("nodestash-bench-");
    try
    {
        await Say($"seed {seed}");
        await using var run = await CrashRun.Start(Path.Combine(folder.FullName, "data"), seed);
        var report = await run.Run(rounds);
        await Say(report.ToString());
        foreach (var problem in report.Faults) await Say(problem);
        return report.Faults.Any() ? 1 : 0;
    }
    finally
    {
        folder.Delete(recursive: true);
    }
}

/// <summary>
/// The same POSTs from a bare HttpClient to the same receivers: headers, signature, and body as the product sends them, each made anew, and the
/// answer read.
/// </summary>
static async Task<Posts> Limit(Receivers receivers, int endpoints, int connections, TimeSpan duration)
{
    using var client = new HttpClient(
        new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false, ActivityHeadersPropagator = null });
    receivers.Forget();
    var (body, secret, ids, urls) = (receivers.LastBody, new byte[32], new Ids(TimeProvider.System),
        Enumerable.Range(0, endpoints).Select(i => new Uri(receivers.Address, $"/{i}").ToString()).ToArray());
    var (cpu, started) = (Environment.CpuUsage.TotalTime, TimeProvider.System.GetTimestamp());
    await Task.WhenAll(Enumerable.Range(0, connections).Select(connection => Task.Run(async () =>
    {
        while (TimeProvider.System.GetElapsedTime(started) < duration)
        {
            var (id, at) = (ids.New("evt_"), TimeProvider.System.GetUtcNow());
            using var request = new HttpRequestMessage(HttpMethod.Post, urls[connection % endpoints]) { Content = new ByteArrayContent(body) };
            request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
            request.Headers.TryAddWithoutValidation("User-Agent", "bench");
            request.Headers.TryAddWithoutValidation("webhook-id", id);
            request.Headers.TryAddWithoutValidation("webhook-timestamp", at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
            request.Headers.TryAddWithoutValidation("webhook-signature", Signature.Sign([secret], id, at, body));
            using var answer = await client.SendAsync(request);
            await answer.Content.ReadAsByteArrayAsync();
        }
    })));
    return new Posts(
        receivers.Count / TimeProvider.System.GetElapsedTime(started).TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds / receivers.Count);
}

static async Task Drained(Func<int> count, int expected)
{
    for (var (last, same) = (-1, 0); count() < expected && same < 300; last = count())
    {
        same = count() == last ? same + 1 : 0;
        await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
    }
}

Task Say(string line) => terminal.WriteLineAsync(line);

static string Row(string name, Run run, double limit) =>
    $"| {name,-12} | {run.PerSecond,12:0} | {run.PerSecond / limit,8:P0} | {run.Lags,-37} | {run.Duplicates,10} | {run.Lost,4} | "
        + $"{run.ActionsPerDelivery,24:0.000} | {run.CpuMicroseconds,15:0} | {run.WorkingSetEarly,18} → {run.WorkingSetAfter,16} MiB |";

internal sealed record Run(
    double PerSecond, Lags Lags, long Duplicates, int Lost, double ActionsPerDelivery, double CpuMicroseconds, long WorkingSetEarly, long WorkingSetAfter);

internal sealed record Posts(double PerSecond, double CpuMicroseconds);
