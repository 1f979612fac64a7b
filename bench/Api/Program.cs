using System.Globalization;
using System.Text;
using NodeStash.Bench;

// Until everything is compiled for good.
var warmUp = TimeSpan.FromSeconds(6);

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args.Contains("--help"))
{
    await Console.Out.WriteLineAsync(Options.Usage);
    return 0;
}

Options options;
try
{
    options = Options.Parse(args);
}
catch (FormatException e)
{
    await Console.Error.WriteLineAsync($"error: {e.Message}\n\n{Options.Usage}");
    return 2;
}

switch (options.Command)
{
    case "limit": await Limit.Run(options.Port, options.Data); break;
    case "startup": await Startup(); break;
    case "million": await Million(); break;
    default:
        foreach (var size in options.Sizes) await Throughput(size);
        break;
}

return 0;

async Task Throughput(int size)
{
    var (product, limit) = (Emptied("product"), Emptied("limit"));
    Seed seed;
    using (var table = new LimitTable(Path.Combine(limit, "limit.db")))
    {
        var copies = new List<Task>();
        seed = await Seed.Into(product, size, contact => copies.Add(table.Insert(contact)));
        await Task.WhenAll(copies);
    }

    using var productServer = MeasuredProcess.Product(product, counted: true);
    using var limitServer = MeasuredProcess.Limit(limit);
    await Task.WhenAll(productServer.Listens(), limitServer.Listens());
    var ofProduct = new Scenarios(productServer, seed.Key, seed.Contacts, seed.Companies).All;
    var ofLimit = new Scenarios(limitServer, seed.Key, seed.Contacts, seed.Companies).All;

    await Console.Out.WriteLineAsync(
        $"\n{size} contacts, {options.Connections} connections, {options.Rounds} rounds of {options.Seconds} s each (medians; ratio: median, least to most)\n");
    await Console.Out.WriteLineAsync(
        "|        | product/s | limit/s | ratio             | p50 ms        | p99 ms        | allocated KB/request | server CPU µs/request |");
    await Console.Out.WriteLineAsync(
        "|--------|----------:|--------:|------------------:|--------------:|--------------:|---------------------:|----------------------:|");
    for (var i = 0; i < ofProduct.Count; i++)
    {
        var name = ofProduct[i].Name;
        if (options.Only.Count > 0 && !options.Only.Contains(name)) continue;
        var (duration, of, against) = (TimeSpan.FromSeconds(options.Seconds), ofProduct[i].Of, ofLimit[i].Of);
        Load.Measure(productServer, options.Connections, warmUp, of);
        Load.Measure(limitServer, options.Connections, warmUp, against);
        var pairs = new List<(Measurement Product, Measurement Limit)>();
        for (var round = 0; round < options.Rounds; round++)
        {
            Measurement Product() => Load.Measure(productServer, options.Connections, duration, of);
            Measurement Limit() => Load.Measure(limitServer, options.Connections, duration, against);
            if (round % 2 == 0) pairs.Add((Product(), Limit()));
            else
            {
                var first = Limit();
                pairs.Add((Product(), first));
            }
        }

        var ratios = pairs.ConvertAll(pair => pair.Product.PerSecond / pair.Limit.PerSecond);
        string Both(Func<Measurement, double> of, string format) =>
            $"{Median(pairs.ConvertAll(p => of(p.Product))).ToString(format, CultureInfo.InvariantCulture)} / "
                + $"{Median(pairs.ConvertAll(p => of(p.Limit))).ToString(format, CultureInfo.InvariantCulture)}";
        await Console.Out.WriteLineAsync(
            $"| {name,-6} | {Median(pairs.ConvertAll(p => p.Product.PerSecond)),9:0} | {Median(pairs.ConvertAll(p => p.Limit.PerSecond)),7:0} | "
                + $"{Median(ratios):0.00} ({ratios.Min():0.00} to {ratios.Max():0.00}) "
            + $"| {Both(m => m.P50.TotalMilliseconds, "0.00"),13} | {Both(m => m.P99.TotalMilliseconds, "0.00"),13} | "
            + $"{Both(m => m.AllocatedPerRequest / 1024, "0.0"),20} | {Both(m => m.CpuPerRequest.TotalMicroseconds, "0"),21} |");
    }

    await Console.Out.WriteLineAsync($"\nMemory after it: product {productServer.ResidentBytes >> 20} MiB, limit {limitServer.ResidentBytes >> 20} MiB");
}

async Task Startup()
{
    var data = Emptied("startup");
    var times = new List<double>();
    for (var round = 0; round <= options.Rounds; round++)
    {
        var start = TimeProvider.System.GetTimestamp();
        using var server = MeasuredProcess.Product(data, counted: false);
        await server.Listens();
        using var connection = new Connection(server.Port);
        var key = await File.ReadAllTextAsync(Path.Combine(data, "api-key"));
        connection.Exchange(Encoding.ASCII.GetBytes($"GET /v1/contacts HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key.Trim()}\r\n\r\n"));
        var took = TimeProvider.System.GetElapsedTime(start).TotalMilliseconds;
        if (round == 0) await Console.Out.WriteLineAsync($"With an empty folder: {took:0} ms from the start of the process to the first answer");
        else times.Add(took);
    }

    await Console.Out.WriteLineAsync($"With a folder in use: {Median(times):0} ms ({times.Min():0} to {times.Max():0}, {times.Count} starts)");
}

async Task Million()
{
    const int Size = 1_000_000;
    var data = Emptied("million");
    var start = TimeProvider.System.GetTimestamp();
    var seed = await Seed.Into(data, Size, copy: null);
    await Console.Out.WriteLineAsync($"{Size} contacts stored in {TimeProvider.System.GetElapsedTime(start).TotalSeconds:0} s");
    using var server = MeasuredProcess.Product(data, counted: true);
    await server.Listens();
    foreach (var (name, of) in new Scenarios(server, seed.Key, seed.Contacts, seed.Companies).All)
    {
        if (options.Only.Count > 0 ? !options.Only.Contains(name) : name is not ("get" or "page" or "filter")) continue;
        var measured = Load.Measure(server, options.Connections, TimeSpan.FromSeconds(options.Seconds * options.Rounds), of);
        await Console.Out.WriteLineAsync(
            $"{name}: {measured.PerSecond:0}/s, p50 {measured.P50.TotalMilliseconds:0.00} ms, p99 {measured.P99.TotalMilliseconds:0.00} ms, memory "
                + $"{server.ResidentBytes >> 20} MiB");
    }
}

string Emptied(string name)
{
    var folder = Path.Combine(options.Data, name);
    if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    Directory.CreateDirectory(folder);
    return folder;
}

static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
