using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;

namespace NodeStash.Core.Search;

/// <summary>
/// Searches the records of a partition. The index finds and ranks them. The store then reads back every hit and applies the filters, so results never
/// show data that is stale in the index.
/// </summary>
/// <param name="store">The store of the caller.</param>
/// <param name="index">The index of the same partition.</param>
/// <param name="options">The limits of a search.</param>
public sealed class RecordSearch(IWorkspaceStore store, ISearchIndex index, SearchOptions options)
{
    /// <summary>Most hits read back in one query.</summary>
    private const int MaxPerQuery = 1000;

    /// <summary>
    /// Hits read without filling a page, after which the filter is taken to match few records: the store is asked for those, and only they are searched.
    /// </summary>
    private const int FilterFirstFrom = 1000;

    private static readonly Error TooManyMatches = Error.Invalid(
        "search", $"More than {ISearchIndex.MaxHits} records match, the most that a search can page through: narrow it with more words or filters");

    private Error TookTooLong => new(
        ErrorCode.Unavailable,
        $"The search was stopped after {options.MaxDuration.TotalSeconds} seconds: narrow it with longer words or filters, or try again", []);

    /// <summary>Finds a page of one resource's records that match a text and filters.</summary>
    /// <param name="request">The request, which has a text to search for.</param>
    /// <param name="ct">Ends the wait.</param>
    public ValueTask<Result<RecordPage>> List(ListRequest request, CancellationToken ct) => RunWithinTimeLimit(bounded => FindPage(request, bounded), ct);

    /// <summary>Finds a page of records of several types that match a text.</summary>
    /// <param name="types">The types of the records.</param>
    /// <param name="text">The text to search for.</param>
    /// <param name="after">The <see cref="FoundPage.Next"/> of the page before; null for the first page.</param>
    /// <param name="limit">The most records to return.</param>
    /// <param name="ct">Ends the wait.</param>
    public ValueTask<Result<FoundPage>> Across(IReadOnlyList<string> types, string text, Keyset? after, int limit, CancellationToken ct) =>
        RunWithinTimeLimit(bounded => FindAcross(types, text, after, limit, bounded), ct);

    private async ValueTask<Result<T>> RunWithinTimeLimit<T>(Func<CancellationToken, ValueTask<Result<T>>> search, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(options.MaxDuration, TimeProvider.System);
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
        try
        {
            return await search(bounded.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            return TookTooLong;
        }
    }

    private async ValueTask<Result<RecordPage>> FindPage(ListRequest request, CancellationToken ct)
    {
        if (!request.IsByRelevance) return await FindSortedPage(request, ct);
        var query = request.Query;
        var start = query.After is { Values: [long rank, long seen] } after ? new Place(new SearchPlace(rank, query.Type, after.Id), seen) : null;
        var walked = await CollectHits([query.Type], request.Search!, query.Where, start, query.Limit, ct);
        return walked.Error is { } error
            ? error
            : new RecordPage([.. walked.Value.Found.Select(found => found.Record)],
                walked.Value.Next is { } next ? new Keyset([next.Hit.Rank, next.Seen], next.Hit.Id) : null);
    }

    private async ValueTask<Result<FoundPage>> FindAcross(IReadOnlyList<string> types, string text, Keyset? after, int limit, CancellationToken ct)
    {
        var start = after is { Values: [long rank, string type, long seen] } ? new Place(new SearchPlace(rank, type, after.Id), seen) : null;
        var walked = await CollectHits(types, text, Condition.Always, start, limit, ct);
        if (walked.Error is { } error) return error;
        var next = walked.Value.Next is { } place ? new Keyset([place.Hit.Rank, place.Hit.Type, place.Seen], place.Hit.Id) : (Keyset?)null;
        return new FoundPage([.. walked.Value.Found.Select(found => found.Record)], next, await index.Count(types, text, ct));
    }

    /// <summary>Reads hits by rank until a page is full.</summary>
    private async ValueTask<Result<(List<(Place Place, StoredRecord Record)> Found, Place? Next)>> CollectHits(
        IReadOnlyList<string> types, string text, Condition where, Place? after, int limit, CancellationToken ct)
    {
        var (found, place, max) = (new List<(Place Place, StoredRecord Record)>(), after, limit + 1);
        while (true)
        {
            var seen = place?.Seen ?? 0;
            var among = IsFilter(where) && seen >= FilterFirstFrom ? await FindFilteredIds(types[0], where, ct) : null;
            if (among is null && seen >= ISearchIndex.MaxHits) return found.Count == 0 ? TooManyMatches : (found, place);
            var page = await index.Find(new SearchQuery(types, text, max, place?.Hit, among), ct);
            var records = await ReadBack(page.Hits, where, text, ct);
            foreach (var hit in page.Hits)
            {
                place = new Place(hit.Place, ++seen);
                if (!records.TryGetValue((hit.Type, hit.Id), out var record)) continue;
                if (found.Count == limit) return (found, found[^1].Place);
                found.Add((place, record));
            }

            if (!page.HasMore) return (found, null);
            max = Math.Min(max * 4, MaxPerQuery);
        }
    }

    /// <summary>Finds a page that the store sorts: first finds all hits, then queries the store among them.</summary>
    private async ValueTask<Result<RecordPage>> FindSortedPage(ListRequest request, CancellationToken ct)
    {
        var (query, text) = (request.Query, request.Search!);
        var search = new SearchQuery([query.Type], text, ISearchIndex.MaxHits);
        var page = await index.Find(search, ct);
        if (page.HasMore)
        {
            if (!IsFilter(query.Where) || await FindFilteredIds(query.Type, query.Where, ct) is not { } few) return TooManyMatches;
            page = await index.Find(search with { Among = few }, ct);
        }

        var versions = page.Hits.ToDictionary(hit => hit.Id, hit => hit.Version, StringComparer.Ordinal);
        var sorted = await store.Query(query with { Where = Among(page.Hits, query.Where) }, ct);
        var match = new TextMatch(text);
        return sorted with { Records = [.. sorted.Records.Where(record => IsStillFound(record, versions[record.Id], match))] };
    }

    /// <summary>Reads the hits from the store. Drops those that are gone, do not pass the filter, or have changed and no longer match the text.</summary>
    private async ValueTask<Dictionary<(string Type, string Id), StoredRecord>> ReadBack(
        IReadOnlyList<SearchHit> hits, Condition where, string text, CancellationToken ct)
    {
        var (records, match) = (new Dictionary<(string Type, string Id), StoredRecord>(), new TextMatch(text));
        foreach (var ofType in hits.GroupBy(hit => hit.Type, StringComparer.Ordinal))
        {
            var versions = ofType.ToDictionary(hit => hit.Id, hit => hit.Version, StringComparer.Ordinal);
            var found = IsFilter(where)
                ? (await store.Query(new RecordQuery(ofType.Key, Among([.. ofType], where), [Newest(ofType.Key)], null, versions.Count), ct)).Records
                : await store.FindMany(ofType.Key, versions.Keys, ct);
            foreach (var record in found.Where(record => IsStillFound(record, versions[record.Id], match))) records.Add((record.Type, record.Id), record);
        }

        return records;
    }

    private static bool IsStillFound(StoredRecord record, long indexed, TextMatch match) =>
        record.Version == indexed || match.IsIn([.. SearchChange.FieldsOf(Record.Load(Crm.Catalog.Find(record.Type), record))]);

    /// <summary>Finds the ids of the records that pass a filter; null if they exceed <see cref="ISearchIndex.MaxHits"/>.</summary>
    private async ValueTask<IReadOnlyCollection<string>?> FindFilteredIds(string type, Condition where, CancellationToken ct)
    {
        var page = await store.Query(new RecordQuery(type, where, [Newest(type)], null, ISearchIndex.MaxHits), ct);
        return page.Next is null ? [.. page.Records.Select(record => record.Id)] : null;
    }

    private static Condition.All Among(IReadOnlyList<SearchHit> hits, Condition where) =>
        new([new Condition.In(KeyPath.Id, [.. hits.Select(hit => hit.Id)]), where]);

    private static SortKey Newest(string type) => new(new KeyPath(Crm.Catalog.Find(type).CreatedAt.Name), Descending: true);

    private static bool IsFilter(Condition where) => where is not Condition.All { Conditions.Count: 0 };

    /// <summary>Marks how far a search has read.</summary>
    /// <param name="Hit">The last hit read.</param>
    /// <param name="Seen">The number of hits read since the first page.</param>
    private sealed record Place(SearchPlace Hit, long Seen);
}

/// <summary>Holds one page of a search over several types.</summary>
/// <param name="Records">The records, best first.</param>
/// <param name="Next">Where the next page starts; null if this is the last.</param>
/// <param name="Counts">The number of records of each type that the index finds, at most <see cref="ISearchIndex.MaxHits"/>.</param>
public sealed record FoundPage(IReadOnlyList<StoredRecord> Records, Keyset? Next, IReadOnlyDictionary<string, int> Counts);
