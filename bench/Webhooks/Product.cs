using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using NodeStash.Core.Events;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Core.Tenancy;
using NodeStash.Core.Values;
using NodeStash.Core.Webhooks;
using NodeStash.LocalHost;

namespace NodeStash.Bench;

/// <summary>The product in this process, written to without HTTP, so that what is measured is delivery. It logs as it is shipped, to a file.</summary>
internal sealed class Product : IAsyncDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("nodestash-bench-");
    private readonly MeterListener meters = new();
    private readonly TextWriter terminal = Console.Out;
    private readonly StreamWriter log;
    private CrmHost host = null!;
    private long actions;

    private Product()
    {
        log = new StreamWriter(Path.Combine(folder.FullName, "nodestash.log"));
        Console.SetOut(log);
    }

    /// <summary>Of the durable engine so far: orchestrations begun and ended, activities, timers.</summary>
    public long Actions => Interlocked.Read(ref actions);

    public static async Task<Product> Start()
    {
        var product = new Product();
        product.meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "NodeStash.Durable" && instrument is Counter<long> or Histogram<double>) listener.EnableMeasurementEvents(instrument);
        };
        product.meters.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref product.actions, value));
        product.meters.SetMeasurementEventCallback<double>((_, _, _, _) => Interlocked.Increment(ref product.actions));
        product.meters.Start();
        product.host = await CrmHost.Start(new HostSettings { Urls = "http://127.0.0.1:0", Data = product.folder.FullName }, CancellationToken.None);
        return product;
    }

    public async Task<Workspace> NewWorkspace()
    {
        var made = await host.Services.GetRequiredService<Workspaces>().Create("Bench", "local", CancellationToken.None);
        return new Workspace(host.Services, new Partition(made.Workspace.Id, WorkspaceEnvironment.Live));
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        meters.Dispose();
        Console.SetOut(terminal);
        await log.DisposeAsync();
        folder.Delete(recursive: true);
    }
}

/// <summary>A workspace to write to.</summary>
internal sealed class Workspace(IServiceProvider services, Partition partition)
{
    private static readonly string[] Subscribed = ["contact.*"];

    private readonly RecordSet records = new(
        Crm.Catalog, services.GetRequiredService<IWorkspaceStores>().Open(partition), Origin.OfSystem, services.GetRequiredService<Ids>(), TimeProvider.System);

    private int contacts;

    public async Task Subscribe(Uri address)
    {
        var body = JsonSerializer.SerializeToElement(new { url = address.ToString(), events = Subscribed });
        var made = await services.GetRequiredService<WebhookOperations>().Create(records, body, WebhookOperations.NewSecret(), CancellationToken.None);
        if (made.Error is { } error) throw new InvalidOperationException(error.Message);
    }

    /// <summary>One event.</summary>
    public async Task CreateContact()
    {
        var body = JsonElement.Parse(
            $$"""{"email":"c{{Interlocked.Increment(ref contacts)}}@example.com","first_name":"Jane","last_name":"Doe","title":"CEO"}""");
        var made = await records.Create(Contact.Schema, body, CancellationToken.None);
        if (made.Error is { } error) throw new InvalidOperationException(error.Message);
    }

    /// <summary>So many events, as fast as they are taken.</summary>
    public Task Flood(int events) =>
        Parallel.ForEachAsync(Enumerable.Range(0, events), new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (_, _) => await CreateContact());
}
