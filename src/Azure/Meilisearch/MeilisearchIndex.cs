using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Meilisearch;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;
using SearchQuery = NodeStash.Core.Search.SearchQuery;

namespace NodeStash.Azure.Meilisearch;

/// <summary>The indexes of all partitions, on a Meilisearch server. See docs/adr/0015-meilisearch.md.</summary>
public sealed class MeilisearchIndexes : ISearchIndexes, IDisposable
{
    /// <summary>A removal is remembered for so long: nobody tells of an older version any more.</summary>
    private static readonly TimeSpan RemembersRemovals = TimeSpan.FromDays(30);

    private static readonly TimeSpan BetweenSweeps = TimeSpan.FromHours(6);

    private readonly SearchServer server;
    private readonly TimeProvider clock;
    private readonly SemaphoreSlim[] options = [.. Enumerable.Range(0, 64).Select(_ => new SemaphoreSlim(1))];
    private long lastNumber;
    private long sweptAt;

    /// <param name="url">Of the server.</param>
    /// <param name="key">Of its API; may do everything with the indexes that begin with the prefix, and read tasks.</param>
    /// <param name="clock">Tells when records were removed.</param>
    /// <param name="prefix">Begins the names of the indexes; letters, digits and dashes.</param>
    public MeilisearchIndexes(string url, string key, TimeProvider clock, string prefix = "nodestash")
    {
        this.clock = clock;
        server = new SearchServer(new MeilisearchClient(url, key), prefix);
        sweptAt = clock.GetUtcNow().UtcTicks;
    }

    public ISearchIndex Open(Partition partition) => new MeilisearchIndex(server, this, partition);

    public async ValueTask Check(CancellationToken ct) => await server.Check(ct);

    public async ValueTask<IReadOnlyList<IndexState>> States(IReadOnlyList<Partition> partitions, CancellationToken ct)
    {
        var noted = (await server.AllPartitions(ct)).ToDictionary(note => note.GetProperty(ServerSettings.Key).GetString()!, StringComparer.Ordinal);
        var isNew = await server.IsComplete(ct);
        return [.. partitions.Select(partition => noted.TryGetValue(Hash(partition.Key), out var note)
            ? new IndexState(partition, note.GetProperty("current").GetString() is not null && note.GetProperty("settings").GetString() == ServerTerms.Format,
                note.GetProperty("building").GetString())
            : new IndexState(partition, isNew, null))];
    }

    public async ValueTask Complete(CancellationToken ct) => await server.Complete(ct);

    public void Dispose()
    {
        server.Dispose();
        foreach (var one in options) one.Dispose();
    }

    /// <summary>Of a partition one writes at a time: each reads what is there first, and has to find what the one before wrote.</summary>
    internal SemaphoreSlim WriterOf(string hash) => options[Convert.ToInt32(hash[..2], 16) % options.Length];

    internal DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>For a record that is new to the index: microseconds since 1970, and higher than any before.</summary>
    internal long NextNumber()
    {
        while (true)
        {
            var (last, now) = (Interlocked.Read(ref lastNumber), (Now - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
            var next = Math.Max(last + 1, now);
            if (Interlocked.CompareExchange(ref lastNumber, next, last) == last) return next;
        }
    }

    /// <summary>Forgets removals of long ago, now and then.</summary>
    internal async Task ForgetRemovals(CancellationToken ct)
    {
        var last = Interlocked.Read(ref sweptAt);
        if (Now.UtcTicks - last < BetweenSweeps.Ticks || Interlocked.CompareExchange(ref sweptAt, Now.UtcTicks, last) != last) return;
        await server.Delete(string.Create(CultureInfo.InvariantCulture, $"{ServerSettings.RemovedAt} < {(Now - RemembersRemovals).ToUnixTimeSeconds()}"), ct);
    }

    /// <summary>A name of letters and digits, in which case does not matter: the server takes no account of it.</summary>
    internal static string Hash(params ReadOnlySpan<string> parts) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts!)))[..16]);
}

/// <summary>The index of one partition: its documents among those of all, told by a filter that is part of every request.</summary>
internal sealed class MeilisearchIndex(SearchServer server, MeilisearchIndexes all, Partition partition) : ISearchIndex
{
    /// <summary>The build of a partition that was indexed from its first record on.</summary>
    private const string FirstBuild = "0";

    private const int MaxWritten = 1000;

    private readonly string dataSet = MeilisearchIndexes.Hash(partition.Key);
    private readonly ServerTerms terms = new(partition.Key);

    public Partition Partition => partition;

    public async ValueTask<SearchPage> Find(SearchQuery query, CancellationToken ct)
    {
        var text = terms.Query(query.Text);
        if (text.Length == 0 || await Searched(ct) is not { } build) return new SearchPage([], false);
        var found = await Task.WhenAll(query.Types.Select(type => new ServerSearch(server, partition, build, type, text, query.Among).Run(query, ct)));

        // Hits of one type are in order already, and sorting leaves those that are equal as they are.
        var best = found.SelectMany(hits => hits).OrderBy(hit => hit.Rank).ToList();
        return new SearchPage([.. best.Take(query.Limit)], best.Count > query.Limit);
    }

    public async ValueTask<IReadOnlyDictionary<string, int>> Count(IReadOnlyList<string> types, string text, CancellationToken ct)
    {
        var words = terms.Query(text);
        var build = words.Length == 0 ? null : await Searched(ct);
        var counts = await Task.WhenAll(
            types.Select(type => build is null ? Task.FromResult(0) : new ServerSearch(server, partition, build, type, words, null).Count(ct)));
        return types.Zip(counts).ToDictionary(count => count.First, count => count.Second, StringComparer.Ordinal);
    }

    public async ValueTask Write(IReadOnlyList<SearchChange> changes, CancellationToken ct)
    {
        await all.ForgetRemovals(ct);
        await Alone(
            async () =>
            {
                var builds = await Builds(ct);
                if (builds is (null, null) && !await server.IsComplete(ct)) throw SearchServer.NotComplete;
                if (builds is (null, null)) await Note(builds = (FirstBuild, null), ServerTerms.Format, ct);
                foreach (var build in new[] { builds.Current, builds.Building }.OfType<string>()) await Write(build, changes, ct);
                return true;
            },
            ct);
    }

    public async ValueTask BeginRebuild(string rebuild, CancellationToken ct) => await Alone(
        async () =>
        {
            var (current, building) = await Builds(ct);
            if (current != rebuild && building != rebuild) await Note((current, rebuild), null, ct);
            return true;
        },
        ct);

    public async ValueTask<bool> Fill(string rebuild, IReadOnlyList<SearchChange> changes, CancellationToken ct) => await Alone(
        async () =>
        {
            if ((await Builds(ct)).Building != rebuild) return false;
            await Write(rebuild, changes, ct);
            return true;
        },
        ct);

    public async ValueTask EndRebuild(string rebuild, CancellationToken ct) => await Alone(
        async () =>
        {
            if ((await Builds(ct)).Building != rebuild) return false;
            await Note((rebuild, null), ServerTerms.Format, ct);
            await server.Delete(
                $"{Filter.Is(ServerSettings.DataSet, dataSet)} AND NOT {Filter.Is(ServerSettings.Build, MeilisearchIndexes.Hash(partition.Key, rebuild))}", ct);
            return true;
        },
        ct);

    private async Task<T> Alone<T>(Func<Task<T>> work, CancellationToken ct)
    {
        var turn = all.WriterOf(dataSet);
        await turn.WaitAsync(ct);
        try
        {
            return await work();
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>The server has no conditions on writes: what is there is read first, and only what is newer is written.</summary>
    private async Task Write(string build, IReadOnlyList<SearchChange> changes, CancellationToken ct)
    {
        var newest = changes.GroupBy(change => (change.Type, change.Id)).Select(ofOne => ofOne.MaxBy(change => change.Version)!);
        foreach (var batch in newest.Chunk(MaxWritten))
        {
            var keyed = batch.ToDictionary(change => ServerSearch.KeyOf(partition, build, change.Type, change.Id), StringComparer.Ordinal);
            var there = (await server.Find(keyed.Keys, [ServerSettings.Key, "version", ServerSettings.Number], ct)).ToDictionary(
                document => document.GetProperty(ServerSettings.Key).GetString()!,
                document => (Version: document.GetProperty("version").GetInt64(), Number: document.GetProperty(ServerSettings.Number).GetInt64()),
                StringComparer.Ordinal);
            var newer = keyed.Where(change => !there.TryGetValue(change.Key, out var known) || known.Version < change.Value.Version).ToList();
            if (newer.Count == 0) continue;
            var documents = JsonForm.Write(writer =>
            {
                writer.WriteStartArray();
                foreach (var (key,
                    change) in newer) WriteDocument(writer, build, key, there.TryGetValue(key, out var known) ? known.Number : all.NextNumber(), change);
                writer.WriteEndArray();
            });
            await server.Put(documents, ct);
        }
    }

    private void WriteDocument(Utf8JsonWriter writer, string build, string key, long number, SearchChange change)
    {
        writer.WriteStartObject();
        writer.WriteString(ServerSettings.Key, key);
        writer.WriteString(ServerSettings.Set, ServerSearch.SetOf(partition, build, change.Type));
        writer.WriteString(ServerSettings.DataSet, dataSet);
        writer.WriteString(ServerSettings.Build, MeilisearchIndexes.Hash(partition.Key, build));
        writer.WriteString("partition"u8, partition.Key);
        writer.WriteString("type"u8, change.Type);
        writer.WriteString("id"u8, change.Id);
        writer.WriteNumber("version"u8, change.Version);
        writer.WriteNumber(ServerSettings.Number, number);
        if (change.Fields is null) writer.WriteNumber(ServerSettings.RemovedAt, all.Now.ToUnixTimeSeconds());
        foreach (var (attribute, words) in terms.Of(change.Fields ?? [])) writer.WriteString(attribute, string.Join(' ', words));
        writer.WriteEndObject();
    }

    /// <summary>The build that is searched; null where nothing was ever written.</summary>
    private async Task<string?> Searched(CancellationToken ct) => await Builds(ct) switch
    {
        (null, not null) => throw new SearchUnavailableException("the search index is being built") { IsBeingMade = true },
        (null, null) when !await server.IsComplete(ct) => throw SearchServer.NotComplete,
        var (current, _) => current,
    };

    private async Task<(string? Current, string? Building)> Builds(CancellationToken ct) => await server.FindPartition(dataSet, ct) is { } noted
        ? (noted.GetProperty("current").GetString(), noted.GetProperty("building").GetString())
        : (null, null);

    /// <summary>Notes which build is searched and which is under way, in one write: it is what a rebuild takes the place of another by.</summary>
    private Task Note((string? Current, string? Building) builds, string? settings, CancellationToken ct) => server.PutPartition(
        JsonForm.Object(writer =>
        {
            writer.WriteString(ServerSettings.Key, dataSet);
            writer.WriteString("partition"u8, partition.Key);
            writer.WriteString("current"u8, builds.Current);
            writer.WriteString("building"u8, builds.Building);
            writer.WriteString("settings"u8, settings);
        }),
        ct);
}
