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

/// <summary>Opens the search indexes of all partitions on a Meilisearch server. See docs/adr/0015-meilisearch.md.</summary>
public sealed class MeilisearchIndexes : ISearchIndexes, IDisposable
{
    /// <summary>Time for which a removal is kept. After it, no older version of the record can arrive.</summary>
    private static readonly TimeSpan RemovalRetention = TimeSpan.FromDays(30);

    private static readonly TimeSpan PurgeInterval = TimeSpan.FromHours(6);

    private readonly SearchServer server;
    private readonly TimeProvider clock;
    private readonly SemaphoreSlim[] writeLocks = [.. Enumerable.Range(0, 64).Select(_ => new SemaphoreSlim(1))];
    private long lastNumber;
    private long purgedAt;

    /// <param name="url">The address of the server.</param>
    /// <param name="key">The API key. It needs all rights on indexes with the prefix, and the right to read tasks.</param>
    /// <param name="clock">Tells when records were removed.</param>
    /// <param name="prefix">The prefix of the index names; letters, digits and dashes.</param>
    public MeilisearchIndexes(string url, string key, TimeProvider clock, string prefix = "nodestash")
    {
        this.clock = clock;
        server = new SearchServer(new MeilisearchClient(url, key), prefix);
        purgedAt = clock.GetUtcNow().UtcTicks;
    }

    public ISearchIndex Open(Partition partition) => new MeilisearchIndex(server, this, partition);

    public async ValueTask Check(CancellationToken ct) => await server.Check(ct);

    public async ValueTask<IReadOnlyList<IndexState>> States(IReadOnlyList<Partition> partitions, CancellationToken ct)
    {
        var states = (await server.AllPartitions(ct)).ToDictionary(state => state.GetProperty(ServerSettings.Key).GetString()!, StringComparer.Ordinal);
        var isNew = await server.IsComplete(ct);
        return [.. partitions.Select(partition => states.TryGetValue(Hash(partition.Key), out var state)
            ? new IndexState(
                partition, state.GetProperty("current").GetString() is not null && state.GetProperty("settings").GetString() == ServerTerms.Format,
                state.GetProperty("building").GetString())
            : new IndexState(partition, isNew, null))];
    }

    public async ValueTask Complete(CancellationToken ct) => await server.Complete(ct);

    public void Dispose()
    {
        server.Dispose();
        foreach (var one in writeLocks) one.Dispose();
    }

    /// <summary>Returns the write lock of a partition. Writers read first, and must see what the previous one wrote.</summary>
    internal SemaphoreSlim GetWriteLock(string hash) => writeLocks[Convert.ToInt32(hash[..2], 16) % writeLocks.Length];

    internal DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>Returns the number of a record that is new to the index: microseconds since 1970, higher than any before.</summary>
    internal long NextNumber()
    {
        while (true)
        {
            var (last, now) = (Interlocked.Read(ref lastNumber), (Now - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
            var next = Math.Max(last + 1, now);
            if (Interlocked.CompareExchange(ref lastNumber, next, last) == last) return next;
        }
    }

    /// <summary>Deletes expired removals, every six hours.</summary>
    internal async Task PurgeRemovals(CancellationToken ct)
    {
        var last = Interlocked.Read(ref purgedAt);
        if (Now.UtcTicks - last < PurgeInterval.Ticks || Interlocked.CompareExchange(ref purgedAt, Now.UtcTicks, last) != last) return;
        await server.Delete(string.Create(CultureInfo.InvariantCulture, $"{ServerSettings.RemovedAt} < {(Now - RemovalRetention).ToUnixTimeSeconds()}"), ct);
    }

    /// <summary>Hashes parts to a name of lower-case letters and digits, because the server ignores case.</summary>
    internal static string Hash(params ReadOnlySpan<string> parts) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts!)))[..16]);
}

/// <summary>Searches one partition. All partitions share an index; a filter in every request selects the documents of this one.</summary>
internal sealed class MeilisearchIndex(SearchServer server, MeilisearchIndexes all, Partition partition) : ISearchIndex
{
    /// <summary>Name of the first build, for a partition indexed from its first record on.</summary>
    private const string FirstBuild = "0";

    private const int MaxBatch = 1000;

    private readonly string dataSet = MeilisearchIndexes.Hash(partition.Key);
    private readonly ServerTerms terms = new(partition.Key);

    public Partition Partition => partition;

    public async ValueTask<SearchPage> Find(SearchQuery query, CancellationToken ct)
    {
        var text = terms.Query(query.Text);
        if (text.Length == 0 || await FindSearchedBuild(ct) is not { } build) return new SearchPage([], false);
        var found = await Task.WhenAll(query.Types.Select(type => new ServerSearch(server, partition, build, type, text, query.Among).Run(query, ct)));

        // Hits of one type are sorted already, and this sort is stable.
        var best = found.SelectMany(hits => hits).OrderBy(hit => hit.Rank).ToList();
        return new SearchPage([.. best.Take(query.Limit)], best.Count > query.Limit);
    }

    public async ValueTask<IReadOnlyDictionary<string, int>> Count(IReadOnlyList<string> types, string text, CancellationToken ct)
    {
        var words = terms.Query(text);
        var build = words.Length == 0 ? null : await FindSearchedBuild(ct);
        var counts = await Task.WhenAll(
            types.Select(type => build is null ? Task.FromResult(0) : new ServerSearch(server, partition, build, type, words, null).Count(ct)));
        return types.Zip(counts).ToDictionary(count => count.First, count => count.Second, StringComparer.Ordinal);
    }

    public async ValueTask Write(IReadOnlyList<SearchChange> changes, CancellationToken ct)
    {
        await all.PurgeRemovals(ct);
        await RunExclusively(
            async () =>
            {
                var builds = await ReadBuilds(ct);
                if (builds is (null, null) && !await server.IsComplete(ct)) throw SearchServer.NotComplete;
                if (builds is (null, null)) await StoreBuilds(builds = (FirstBuild, null), ServerTerms.Format, ct);
                foreach (var build in new[] { builds.Current, builds.Building }.OfType<string>()) await Write(build, changes, ct);
                return true;
            },
            ct);
    }

    public async ValueTask BeginRebuild(string rebuild, CancellationToken ct) => await RunExclusively(
        async () =>
        {
            var (current, building) = await ReadBuilds(ct);
            if (current != rebuild && building != rebuild) await StoreBuilds((current, rebuild), null, ct);
            return true;
        },
        ct);

    public async ValueTask<bool> Fill(string rebuild, IReadOnlyList<SearchChange> changes, CancellationToken ct) => await RunExclusively(
        async () =>
        {
            if ((await ReadBuilds(ct)).Building != rebuild) return false;
            await Write(rebuild, changes, ct);
            return true;
        },
        ct);

    public async ValueTask EndRebuild(string rebuild, CancellationToken ct) => await RunExclusively(
        async () =>
        {
            if ((await ReadBuilds(ct)).Building != rebuild) return false;
            await StoreBuilds((rebuild, null), ServerTerms.Format, ct);
            await server.Delete(
                $"{Filter.Is(ServerSettings.DataSet, dataSet)} AND NOT {Filter.Is(ServerSettings.Build, MeilisearchIndexes.Hash(partition.Key, rebuild))}", ct);
            return true;
        },
        ct);

    private async Task<T> RunExclusively<T>(Func<Task<T>> work, CancellationToken ct)
    {
        var turn = all.GetWriteLock(dataSet);
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

    /// <summary>Writes newer versions only. The server has no conditional writes, so the stored versions are read first.</summary>
    private async Task Write(string build, IReadOnlyList<SearchChange> changes, CancellationToken ct)
    {
        var newest = changes.GroupBy(change => (change.Type, change.Id)).Select(ofOne => ofOne.MaxBy(change => change.Version)!);
        foreach (var batch in newest.Chunk(MaxBatch))
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
                foreach (var (key, change) in newer)
                    WriteDocument(writer, build, key, there.TryGetValue(key, out var known) ? known.Number : all.NextNumber(), change);
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

    /// <summary>Finds the searched build; null if nothing was ever written.</summary>
    private async Task<string?> FindSearchedBuild(CancellationToken ct) => await ReadBuilds(ct) switch
    {
        (null, not null) => throw new SearchUnavailableException("the search index is being built; retry later") { IsBeingMade = true },
        (null, null) when !await server.IsComplete(ct) => throw SearchServer.NotComplete,
        var (current, _) => current,
    };

    private async Task<(string? Current, string? Building)> ReadBuilds(CancellationToken ct) => await server.FindPartition(dataSet, ct) is { } state
        ? (state.GetProperty("current").GetString(), state.GetProperty("building").GetString())
        : (null, null);

    /// <summary>Stores which build is searched and which is being filled, in one write, so that a rebuild replaces another atomically.</summary>
    private Task StoreBuilds((string? Current, string? Building) builds, string? settings, CancellationToken ct) => server.PutPartition(
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
