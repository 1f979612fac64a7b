using System.Diagnostics;
using System.Globalization;
using System.Net;
using NodeStash.Bench;
using NodeStash.LocalHost.Tests.Process;

const string Usage =
    """
    What delivery of webhooks does: the product and the receivers in one process.

      webhooks-bench throughput [seconds]   1 and 50 endpoints: as much as it can, then half of that; beside it a bare HttpClient
      webhooks-bench fairness [events]      a workspace's lag while others flood (default 50000 events) and hang
      webhooks-bench crash [rounds] [seed]  the process is killed so often (default 200) while clients write and receivers fail; ends with 1 if anything is lost, invented or out of order
    """;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
switch (args)
{
    case ["throughput", .. var rest]:
        foreach (var endpoints in new[] { 1, 50 }) await Throughput(endpoints, TimeSpan.FromSeconds(rest is [var seconds] ? int.Parse(seconds, CultureInfo.InvariantCulture) : 10));
        return 0;
    case ["fairness", .. var rest]:
        await Fairness(rest is [var events] ? int.Parse(events, CultureInfo.InvariantCulture) : 50_000);
        return 0;
    case ["crash", .. var rest]:
        return await Crash(
            rest is [var rounds, ..] ? int.Parse(rounds, CultureInfo.InvariantCulture) : 200, rest is [_, var seed] ? int.Parse(seed, CultureInfo.InvariantCulture) : Environment.TickCount);
    default:
        await Console.Error.WriteLineAsync(Usage);
        return 2;
}

static async Task Throughput(int endpoints, TimeSpan duration)
{
    await using var receivers = await Receivers.Start();
    await using var product = await Product.Start();
    var workspace = await product.NewWorkspace();
    for (var i = 0; i < endpoints; i++) await workspace.Subscribe(new Uri(receivers.Address, $"/{i}"));

    // Warm, then as much as it takes: a window of events is kept open.
    await Measure(TimeSpan.FromSeconds(3), null);
    var full = await Measure(duration, null);
    var half = await Measure(duration, full.PerSecond / endpoints / 2);
    var limit = await Limit(receivers, Math.Min(64, 8 * endpoints), duration);

    await Say($"\n{endpoints} endpoint(s), {duration.TotalSeconds:0} s each; working set {Environment.WorkingSet >> 20} MiB");
    await Say("|              | deliveries/s | of limit | lag                                   | duplicates | lost | durable actions/delivery |");
    await Say("|--------------|-------------:|---------:|---------------------------------------|-----------:|-----:|-------------------------:|");
    await Say(Row("full", full, limit));
    await Say(Row("half of it", half, limit));
    await Say($"| HttpClient   | {limit,12:0} |    100 % |                                       |            |      |                          |");

    async Task<Run> Measure(TimeSpan time, double? rate)
    {
        receivers.Forget();
        var (events, actions, watch) = (0, product.Actions, Stopwatch.StartNew());
        if (rate is { } perSecond)
        {
            var writes = new List<Task>();
            while (watch.Elapsed < time)
            {
                for (; events < watch.Elapsed.TotalSeconds * perSecond; events++) writes.Add(workspace.CreateContact());
                await Task.Delay(5);
            }

            await Task.WhenAll(writes);
        }
        else
        {
            var window = Math.Max(20, 2_000 / endpoints);
            await Task.WhenAll(Enumerable.Range(0, 128).Select(async _ =>
            {
                while (watch.Elapsed < time)
                {
                    if (Volatile.Read(ref events) - (receivers.Count / endpoints) > window) await Task.Delay(2);
                    else
                    {
                        Interlocked.Increment(ref events);
                        await workspace.CreateContact();
                    }
                }
            }));
        }

        var delivered = receivers.Count;
        var took = watch.Elapsed;
        await Drained(() => receivers.Count, events * endpoints);
        return new Run(delivered / took.TotalSeconds, receivers.Of("/"), receivers.Duplicates, (events * endpoints) - receivers.Count, (product.Actions - actions) / (double)receivers.Count);
    }
}

static async Task Fairness(int events)
{
    await using var receivers = await Receivers.Start();
    await using var product = await Product.Start();
    var (quiet, flooding, hanging) = (await product.NewWorkspace(), await product.NewWorkspace(), await product.NewWorkspace());
    await quiet.Subscribe(new Uri(receivers.Address, "/quiet"));
    await flooding.Subscribe(new Uri(receivers.Address, "/flood"));
    for (var i = 0; i < 20; i++) await hanging.Subscribe(new Uri(receivers.Address, $"/hang/{i}"));

    await Row("nobody else", () => Task.Delay(TimeSpan.FromSeconds(5)));
    await Row("20 endpoints that hang 15 s, a burst of 200 events", async () =>
    {
        await hanging.Flood(200);
        await Task.Delay(TimeSpan.FromSeconds(10));
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
        var watch = Stopwatch.StartNew();
        var writing = Task.Run(async () =>
        {
            var written = 0;
            for (; !end.IsCancellationRequested; written++)
            {
                await quiet.CreateContact();
                await Task.Delay(20);
            }

            return written;
        });
        receivers.Forget();
        await load();
        await end.CancelAsync();
        var written = await writing;
        await Drained(() => receivers.CountOf("/quiet"), written);
        await Say($"{name} ({watch.Elapsed.TotalSeconds:0} s): {written} events of the quiet workspace, {receivers.CountOf("/quiet")} delivered, {receivers.Of("/quiet")}");
    }
}

static async Task<int> Crash(int rounds, int seed)
{
    var folder = Directory.CreateTempSubdirectory("nodestash-bench-");
    try
    {
        await Say($"seed {seed}");
        await using var run = await CrashRun.Start(Path.Combine(folder.FullName, "data"), seed);
        var report = await run.Run(rounds);
        await Say(report.ToString());
        foreach (var fault in report.Faults) await Say(fault);
        return report.Faults.Any() ? 1 : 0;
    }
    finally
    {
        folder.Delete(recursive: true);
    }
}

/// <summary>POSTs of a bare HttpClient to the same receivers.</summary>
static async Task<double> Limit(Receivers receivers, int connections, TimeSpan duration)
{
    using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false });
    var (body, sent, watch) = (new byte[700], 0L, Stopwatch.StartNew());
    await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(async () =>
    {
        while (watch.Elapsed < duration)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, receivers.Address) { Content = new ByteArrayContent(body) };
            using var answer = await client.SendAsync(request);
            if (answer.StatusCode is HttpStatusCode.OK) Interlocked.Increment(ref sent);
        }
    })));
    return sent / watch.Elapsed.TotalSeconds;
}

static async Task Drained(Func<int> count, int expected)
{
    for (var (last, same) = (-1, 0); count() < expected && same < 300; last = count())
    {
        same = count() == last ? same + 1 : 0;
        await Task.Delay(100);
    }
}

static Task Say(string line) => Console.Out.WriteLineAsync(line);

static string Row(string name, Run run, double limit) =>
    $"| {name,-12} | {run.PerSecond,12:0} | {run.PerSecond / limit,8:P0} | {run.Lags,-37} | {run.Duplicates,10} | {run.Lost,4} | {run.ActionsPerDelivery,24:0.000} |";

internal sealed record Run(double PerSecond, Lags Lags, long Duplicates, int Lost, double ActionsPerDelivery);
