using NodeStash.Core.Search;
using NodeStash.Core.Storage;
using NodeStash.LocalHost.Store;

namespace NodeStash.LocalHost.Search;

/// <summary>Opens the search indexes of all partitions, in one file on SQLite FTS5. See docs/adr/0013-search.md.</summary>
/// <param name="file">The file.</param>
/// <param name="clock">Tells when records were removed.</param>
public sealed class EmbeddedSearchIndexes(SearchFile file, TimeProvider clock) : ISearchIndexes
{
    private const int RemovalBatch = 500;

    /// <summary>Pause for each indexed change if all cores are busy: at most a thousand changes a second.</summary>
    private static readonly TimeSpan pausePerChange = TimeSpan.FromMilliseconds(1);

    private readonly Lock gate = new();
    private (long At, TimeSpan Cpu) lastMeasured = (TimeProvider.System.GetTimestamp(), Environment.CpuUsage.TotalTime);

    internal static SearchUnavailableException NotComplete => new("the search index is new and is being built; retry later") { IsBeingMade = true };

    public ISearchIndex Open(Partition partition) => new EmbeddedSearchIndex(file, partition, this, clock);

    public ValueTask Check(CancellationToken ct) =>
        file.Read((session, _) => IsComplete(session), ct) ? ValueTask.CompletedTask : ValueTask.FromException(NotComplete);

    public ValueTask<IReadOnlyList<IndexState>> States(IReadOnlyList<Partition> partitions, CancellationToken ct)
    {
        file.RecreateIfMissing();
        return new(file.Read<IReadOnlyList<IndexState>>(
            (session, _) =>
            {
                var known = session.All(
                    "SELECT key, current IS NOT NULL AND settings = ?1, building FROM partitions",
                    row => (Key: row.GetString(0), IsSound: row.GetBoolean(1), Building: row.GetText(2)), DocumentTerms.Format)
                    .ToDictionary(row => row.Key, StringComparer.Ordinal);
                var isNew = IsComplete(session);
                return [.. partitions.Select(
                    partition => known.TryGetValue(partition.Key, out var row)
                        ? new IndexState(partition, row.IsSound, row.Building)
                        : new IndexState(partition, isNew, null))];
            },
            ct));
    }

    public async ValueTask Complete(CancellationToken ct)
    {
        if (!file.Read((session, _) => IsComplete(session), ct))
            await file.Write((session, _) => session.Execute("INSERT OR IGNORE INTO knows_all (since) VALUES (?1)", clock.GetUtcNow().UtcTicks), ct);
    }

    /// <summary>Deletes old removals, once no older version of the record can arrive.</summary>
    /// <param name="before">Removals before this time are deleted.</param>
    /// <param name="max">Maximum number deleted.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>The number deleted; fewer than <paramref name="max"/> means that none is left.</returns>
    public async ValueTask<int> Purge(DateTimeOffset before, int max, CancellationToken ct) => await file.Write(
        (session, _) =>
            session.Execute("DELETE FROM documents WHERE number IN (SELECT number FROM documents WHERE removed_at < ?1 LIMIT ?2)", before.UtcTicks, (long)max),
            ct);

    /// <summary>
    /// Computes the pause after a number of changes. It grows with the CPU use of the process, so that a flood of changes delays the index, not requests.
    /// </summary>
    internal TimeSpan PauseAfter(int changes)
    {
        lock (gate)
        {
            var (before, now) = (lastMeasured, (At: TimeProvider.System.GetTimestamp(), Cpu: Environment.CpuUsage.TotalTime));
            lastMeasured = now;
            var busy = Math.Min(1, (now.Cpu - before.Cpu) / (TimeProvider.System.GetElapsedTime(before.At, now.At) * Environment.ProcessorCount));
            return pausePerChange * (changes * busy * busy);
        }
    }

    internal static bool IsComplete(Session session) => session.One("SELECT 1 FROM knows_all", _ => true);

    /// <summary>
    /// Merges the segments of the index into one, which reads fastest and has no removed terms. Works step by step, so that changes do not wait long.
    /// </summary>
    internal async ValueTask Merge(CancellationToken ct)
    {
        const long Begin = -500, GoOn = 500;
        for (var pages = Begin; ; pages = GoOn)
        {
            // FTS5 changes less than two rows if there is nothing left to merge.
            var changed = await file.Write(
                (session, _) =>
                {
                    var before = session.One("SELECT total_changes()", row => row.GetInt64(0));
                    session.Execute("INSERT INTO terms (terms, rank) VALUES ('merge', ?1)", pages);
                    return session.One("SELECT total_changes()", row => row.GetInt64(0)) - before;
                },
                ct);
            if (changed < 2) return;
        }
    }

    /// <summary>Removes data of builds that are neither searched nor being filled.</summary>
    internal async ValueTask RemoveUnusedBuilds(CancellationToken ct)
    {
        const string Unused =
            """
            SELECT number FROM sets
            WHERE NOT EXISTS (SELECT 1 FROM partitions WHERE key = sets.partition AND (current = sets.build OR building = sets.build))
            """;
        while (true)
        {
            var (swept, loaded) = await file.Write(
                (session, vocabularies) =>
                {
                    if (session.One(Unused, row => (long?)row.GetInt64(0)) is not { } set) return (0L, vocabularies);
                    var numbers = session.All("SELECT number FROM documents WHERE of_set = ?1 LIMIT ?2", row => row.GetInt64(0), set, (long)RemovalBatch);
                    foreach (var number in numbers)
                    {
                        session.Execute("DELETE FROM terms WHERE rowid = ?1", number);
                        session.Execute("DELETE FROM documents WHERE number = ?1", number);
                    }

                    if (numbers.Count < RemovalBatch)
                    {
                        session.Execute("DELETE FROM words WHERE of_set = ?1", set);
                        session.Execute("DELETE FROM sets WHERE number = ?1", set);
                    }

                    return (set, vocabularies);
                },
                ct);
            if (swept == 0) return;
            loaded.Remove(swept);
        }
    }
}

/// <summary>Searches one partition in the file.</summary>
internal sealed class EmbeddedSearchIndex(SearchFile file, Partition partition, EmbeddedSearchIndexes all, TimeProvider clock) : ISearchIndex
{
    /// <summary>Name of the first build, for a partition indexed from its first record on.</summary>
    private const string FirstBuild = "0";

    public Partition Partition => partition;

    public ValueTask<SearchPage> Find(SearchQuery query, CancellationToken ct)
    {
        var text = SearchText.Of(query.Text);
        return new(text.Tokens.Count == 0 ? new SearchPage([], false) : file.Read((session, vocabularies) => Find(session, vocabularies, query, text, ct), ct));
    }

    public ValueTask<IReadOnlyDictionary<string, int>> Count(IReadOnlyList<string> types, string text, CancellationToken ct)
    {
        var searched = SearchText.Of(text);
        return new(file.Read<IReadOnlyDictionary<string, int>>(
            (session, vocabularies) => types.ToDictionary(
                type => type,
                type => searched.Tokens.Count == 0 || SetOf(session, type) is not { } set
                    ? 0
                    : new SetSearch(session, new Expressions(searched, set, vocabularies.Of(set), ct), null).Count(ISearchIndex.MaxHits),
                StringComparer.Ordinal),
            ct));
    }

    public async ValueTask Write(IReadOnlyList<SearchChange> changes, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var written = await file.Write(
            (session, vocabularies) =>
            {
                var isKnown = session.One("SELECT 1 FROM partitions WHERE key = ?1", _ => true, partition.Key);
                if (!isKnown && !EmbeddedSearchIndexes.IsComplete(session)) throw EmbeddedSearchIndexes.NotComplete;
                if (!isKnown)
                    session.Execute("INSERT INTO partitions (key, current, settings) VALUES (?1, ?2, ?3)", partition.Key, FirstBuild, DocumentTerms.Format);
                var builds =
                    session.One("SELECT current, building FROM partitions WHERE key = ?1", row => new[] { row.GetText(0), row.GetText(1) }, partition.Key)!;
                var writer = new DocumentWriter(session, partition, vocabularies, now);
                foreach (var build in builds.OfType<string>()) writer.Write(build, changes);
                return writer;
            },
            ct);
        written.Committed();
        await Task.Delay(all.PauseAfter(changes.Count), clock, ct);
    }

    public async ValueTask BeginRebuild(string rebuild, CancellationToken ct) => await file.Write(
        (session, _) => session.Execute(
            """
            INSERT INTO partitions (key, building, settings) VALUES (?1, ?2, '')
            ON CONFLICT (key) DO UPDATE SET building = excluded.building WHERE current IS NOT excluded.building
            """,
            partition.Key, rebuild),
        ct);

    public async ValueTask<bool> Fill(string rebuild, IReadOnlyList<SearchChange> changes, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var written = await file.Write(
            (session, vocabularies) =>
            {
                if (session.One("SELECT building FROM partitions WHERE key = ?1", row => row.GetText(0), partition.Key) != rebuild) return null;
                var writer = new DocumentWriter(session, partition, vocabularies, now);
                writer.Write(rebuild, changes);
                return writer;
            },
            ct);
        written?.Committed();
        return written is not null;
    }

    public async ValueTask EndRebuild(string rebuild, CancellationToken ct)
    {
        await file.Write(
            (session, _) => session.Execute(
                "UPDATE partitions SET current = building, building = NULL, settings = ?3 WHERE key = ?1 AND building = ?2", partition.Key, rebuild,
                DocumentTerms.Format),
            ct);
        await all.RemoveUnusedBuilds(ct);
        await all.Merge(ct);
    }

    private SearchPage Find(Session session, Vocabularies vocabularies, SearchQuery query, SearchText text, CancellationToken ct)
    {
        var hits = new List<SearchHit>();
        foreach (var (order, type) in query.Types.Index())
        {
            if (SetOf(session, type) is not { } set) continue;
            var among = query.Among is { } ids ? SetSearch.NumbersOf(session, set, ids) : null;
            var search = new SetSearch(session, new Expressions(text, set, vocabularies.Of(set), ct), among);
            var found = search.Run(query.Limit + 1, query.After is { } place ? After(session, set, place, order, query.Types) : null);
            hits.AddRange(found.Select(f => session.One(
                "SELECT id, version FROM documents WHERE number = ?1", row => new SearchHit(type, row.GetString(0), row.GetInt64(1), f.Rank), f.Number)!));
        }

        // Hits of one type are sorted already, and this sort is stable.
        var best = query.Types.Count == 1 ? hits : [.. hits.OrderBy(hit => hit.Rank)];
        return new SearchPage([.. best.Take(query.Limit)], best.Count > query.Limit);
    }

    /// <summary>Finds the number of the searched set; null if no record of the type was ever written.</summary>
    private long? SetOf(Session session, string type)
    {
        var (current, building) =
            session.One("SELECT current, building FROM partitions WHERE key = ?1", row => (row.GetText(0), row.GetText(1)), partition.Key);
        if (current is null && building is not null)
            throw new SearchUnavailableException("the search index is being built; retry later") { IsBeingMade = true };
        if (current is null && !EmbeddedSearchIndexes.IsComplete(session)) throw EmbeddedSearchIndexes.NotComplete;
        return session.One(
            "SELECT number FROM sets WHERE partition = ?1 AND build = ?2 AND type = ?3", row => (long?)row.GetInt64(0), partition.Key, current, type);
    }

    /// <summary>Finds the position in this set for one that may be in another. At equal rank, types follow the query.</summary>
    private static SetSearch.Found After(Session session, long set, SearchPlace place, int order, IReadOnlyList<string> types)
    {
        var placed = types.ToList().IndexOf(place.Type);
        if (placed < order) return new SetSearch.Found(place.Rank, long.MaxValue);
        if (placed > order) return new SetSearch.Found(place.Rank, long.MinValue);

        // A removed record keeps its number until its removal is deleted. After that, older records, which have smaller ids, follow.
        var number = session.One("SELECT number FROM documents WHERE of_set = ?1 AND id <= ?2 ORDER BY id DESC LIMIT 1", row => row.GetInt64(0), set, place.Id);
        return new SetSearch.Found(place.Rank, number);
    }
}

/// <summary>Writes documents and their terms, in one transaction.</summary>
internal sealed class DocumentWriter(Session session, Partition partition, Vocabularies vocabularies, DateTimeOffset now)
{
    private readonly Dictionary<(string Build, string Type), long> sets = [];

    /// <summary>Words that were looked up in the file, and added if missing.</summary>
    private readonly List<WrittenWord> words = [];

    /// <summary>Updates the vocabularies. Call it once the writes are on disk.</summary>
    public void Committed() => vocabularies.Add(words);

    /// <summary>Writes changes in order of document number: FTS5 buffers rising rowids, and writes a segment whenever a rowid falls.</summary>
    public void Write(string build, IReadOnlyList<SearchChange> changes)
    {
        var newer = new List<(long Set, long Number, bool IsThere, SearchChange Change)>(changes.Count);
        foreach (var change in changes)
        {
            var set = SetOf(build, change.Type);
            if (StoreVersion(set, change) is { } stored) newer.Add((set, stored.Number, stored.IsThere, change));
        }

        foreach (var (set, number, isThere, change) in newer.OrderBy(written => written.Number)) WriteTerms(set, number, isThere, change);
    }

    /// <summary>Stores the version of a change.</summary>
    /// <returns>The number of the document, and whether it had terms; null if the index has this version or a newer one.</returns>
    private (long Number, bool IsThere)? StoreVersion(long set, SearchChange change)
    {
        var (number, version, isThere) = session.One(
            "SELECT number, version, removed_at IS NULL FROM documents WHERE of_set = ?1 AND id = ?2",
            row => (row.GetInt64(0), row.GetInt64(1), row.GetBoolean(2)), set, change.Id);
        if (number != 0 && version >= change.Version) return null;
        var removedAt = change.Fields is null ? now.UtcTicks : (long?)null;
        if (number == 0)
            number = session.Insert(
                "INSERT INTO documents (of_set, id, version, removed_at) VALUES (?1, ?2, ?3, ?4)", set, change.Id, change.Version, removedAt);
        else session.Execute("UPDATE documents SET version = ?2, removed_at = ?3 WHERE number = ?1", number, change.Version, removedAt);
        return (number, isThere);
    }

    private void WriteTerms(long set, long number, bool isThere, SearchChange change)
    {
        if (change.Fields is not { } fields)
        {
            if (isThere) session.Execute("DELETE FROM terms WHERE rowid = ?1", number);
            return;
        }

        var terms = new DocumentTerms(set);
        foreach (var field in fields) terms.Add(field);
        session.Execute("INSERT OR REPLACE INTO terms (rowid, name, detail, body, parts) VALUES (?1, ?2, ?3, ?4, ?5)", number, terms.Name, terms.Detail,
            terms.Body, terms.Parts);
        foreach (var word in terms.Words)
        {
            if (!vocabularies.IsWritten(set, word))
                words.Add(new(set, word, session.Execute("INSERT INTO words (of_set, word) VALUES (?1, ?2) ON CONFLICT DO NOTHING", set, word) > 0));
        }
    }

    private long SetOf(string build, string type)
    {
        if (sets.TryGetValue((build, type), out var number)) return number;
        number = session.One("SELECT number FROM sets WHERE partition = ?1 AND build = ?2 AND type = ?3", row => row.GetInt64(0), partition.Key, build, type);
        if (number == 0) number = session.Insert("INSERT INTO sets (partition, build, type) VALUES (?1, ?2, ?3)", partition.Key, build, type);
        return sets[(build, type)] = number;
    }
}
