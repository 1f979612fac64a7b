using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using NodeStash.Core.Events;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;
using NodeStash.Core.Tenancy;
using NodeStash.Core.Values;
using NodeStash.LocalHost;

namespace NodeStash.Bench;

/// <summary>The product, written to past HTTP: what indexing costs the writers, and how long a change takes to be found.</summary>
internal static class ProductBench
{
    private const int Rounds = 7;
    private const int Writes = 20_000;
    private const int Writers = 64;
    private const int Single = 300;

    public static async Task Run()
    {
        var ratios = new List<double>();
        for (var round = 0; round < Rounds; round++)
        {
            var (with, without) = round % 2 == 0
                ? (await Flood(isIndexed: true), await Flood(isIndexed: false))
                : Turned(await Flood(isIndexed: false), await Flood(isIndexed: true));
            ratios.Add(with / without);
            Console.WriteLine($"writes per second: {with:N0} with the index, {without:N0} without, {with / without:P1}");
        }

        ratios.Sort();
        Console.WriteLine($"median {ratios[Rounds / 2]:P1}");
        await Lag();
    }

    private static (double With, double Without) Turned(double without, double with) => (with, without);

    private static async Task<double> Flood(bool isIndexed)
    {
        await using var product = await Product.Start(isIndexed);
        var people = People.Make(Writes, seed: 1);
        await product.Create(People.Make(500, seed: 2));
        var start = TimeProvider.System.GetTimestamp();
        await Parallel.ForEachAsync(
            people.Chunk(Writes / Writers), new ParallelOptions { MaxDegreeOfParallelism = Writers }, async (some, _) => await product.Create(some));
        var rate = Writes / TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        if (isIndexed)
        {
            while (!await product.IsFound(people[^1].Email)) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
            Console.WriteLine(
                $"  all of {Writes:N0} found after {TimeProvider.System.GetElapsedTime(start).TotalSeconds:0.0} s, written in {Writes / rate:0.0} s");
        }

        return rate;
    }

    private static async Task Lag()
    {
        await using var product = await Product.Start(isIndexed: true);
        var took = new List<double>();
        foreach (var person in People.Make(Single, seed: 3))
        {
            await product.Create([person]);
            var start = TimeProvider.System.GetTimestamp();
            while (!await product.IsFound(person.Email)) await Task.Yield();
            took.Add(TimeProvider.System.GetElapsedTime(start).TotalMilliseconds);
        }

        took.Sort();
        Console.WriteLine($"found after the commit, ms: p50 {took[Single / 2]:0.0}, p99 {took[Single * 99 / 100]:0.0}, max {took[^1]:0.0}");
    }

    private sealed class Product(DirectoryInfo folder, CrmHost host, ISearchIndex index, RecordSet records) : IAsyncDisposable
    {
        public static async Task<Product> Start(bool isIndexed)
        {
            var folder = Directory.CreateTempSubdirectory("nodestash-bench-");
            var host = await CrmHost.Start(
                new HostSettings { Urls = "http://127.0.0.1:0", Data = folder.FullName, Quiet = true, Search = isIndexed ? null : _ => new NoIndexes() },
                CancellationToken.None);
            var made = await host.Services.GetRequiredService<Workspaces>().Create("Bench", "local", CancellationToken.None);
            var partition = new Partition(made.Workspace.Id, WorkspaceEnvironment.Live);
            var records = new RecordSet(
                Crm.Catalog, host.Services.GetRequiredService<IWorkspaceStores>().Open(partition), Origin.OfSystem, host.Services.GetRequiredService<Ids>(),
                TimeProvider.System);
            return new Product(folder, host, host.Services.GetRequiredService<ISearchIndexes>().Open(partition), records);
        }

        public async Task Create(IEnumerable<Person> people)
        {
            foreach (var person in people)
            {
                // An address may be another one's, too: then the write is refused, on both sides alike.
                await records.Create(
                    Contact.Schema,
                    JsonSerializer.SerializeToElement(
                        new { first_name = person.First, last_name = person.Last, email = person.Email, phone = person.Phone, title = person.Title }),
                    CancellationToken.None);
            }
        }

        public async Task<bool> IsFound(string email) =>
            (await index.Find(new SearchQuery([Contact.Schema.Type], email, 1), CancellationToken.None)).Hits.Count > 0;

        public async ValueTask DisposeAsync()
        {
            await host.DisposeAsync();
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Takes everything in and forgets it.</summary>
    private sealed class NoIndexes : ISearchIndexes
    {
        public ISearchIndex Open(Partition partition) => new NoIndex(partition);

        public ValueTask Check(CancellationToken ct) => ValueTask.CompletedTask;

        public ValueTask<IReadOnlyList<IndexState>> States(IReadOnlyList<Partition> partitions, CancellationToken ct) =>
            ValueTask.FromResult<IReadOnlyList<IndexState>>([]);

        public ValueTask Complete(CancellationToken ct) => ValueTask.CompletedTask;
    }

    private sealed class NoIndex(Partition partition) : ISearchIndex
    {
        public Partition Partition => partition;

        public ValueTask<SearchPage> Find(SearchQuery query, CancellationToken ct) => ValueTask.FromResult(new SearchPage([], false));

        public ValueTask<IReadOnlyDictionary<string, int>> Count(IReadOnlyList<string> types, string text, CancellationToken ct) =>
            throw new NotSupportedException();

        public ValueTask Write(IReadOnlyList<SearchChange> changes, CancellationToken ct) => ValueTask.CompletedTask;

        public ValueTask BeginRebuild(string rebuild, CancellationToken ct) => ValueTask.CompletedTask;

        public ValueTask<bool> Fill(string rebuild, IReadOnlyList<SearchChange> changes, CancellationToken ct) => ValueTask.FromResult(true);

        public ValueTask EndRebuild(string rebuild, CancellationToken ct) => ValueTask.CompletedTask;
    }
}
