using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;

namespace NodeStash.Core.Search;

/// <summary>
/// Searches the records of an environment: the index says which and in which order, the store says what they are. Every hit is read back and held
/// against the filters before it is answered, so what the index has not heard of yet is not shown.
/// </summary>
/// <param name="store">The caller's environment.</param>
/// <param name="index">Its index.</param>
/// <param name="options">How long it may take.</param>
public sealed class RecordSearch(IWorkspaceStore store, ISearchIndex index, SearchOptions options)
{
    /// <summary>The most hits read back at a time.</summary>
    private const int MaxPerQuery = 1000;

    /// <summary>If so many hits did not fill a page, the filter leaves few: it is asked first from then on.</summary>
    private const int FilterFirstFrom = 1000;

    private static readonly Error TooMany = Error.Invalid(
        "search", $"More than {ISearchIndex.MaxHits} records match, which is as far as a search goes: narrow it with more words or filters");

    private Error TookTooLong => new(
        ErrorCode.Unavailable,
        $"The search was given up after {options.MaxDuration.TotalSeconds} seconds: narrow it with longer words or filters, or try again", []);

    /// <summary>A page of one resource's records that match a text and filters.</summary>
    /// <param name="request">Has a text to search for.</param>
    /// <param name="ct">Ends the wait.</param>
    public ValueTask<Result<RecordPage>> List(ListRequest request, CancellationToken ct) => Bounded(bounded => FindPage(request, bounded), ct);

    /// <summary>A page of the records of several types that match a text.</summary>
    /// <param name="types">Of records.</param>
    /// <param name="text">What is searched for.</param>
    /// <param name="after">As answered by the page before; null for the first.</param>
    /// <param name="limit">The most records to answer.</param>
    /// <param name="ct">Ends the wait.</param>
    public ValueTask<Result<FoundPage>> Across(IReadOnlyList<string> types, string text, Keyset? after, int limit, CancellationToken ct) =>
        Bounded(bounded => FindAcross(types, text, after, limit, bounded), ct);

    private async ValueTask<Result<T>> Bounded<T>(Func<CancellationToken, ValueTask<Result<T>>> search, CancellationToken ct)
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
        if (!request.IsByRelevance) return await Sorted(request, ct);
        var query = request.Query;
        var start = query.After is { Values: [long rank, long seen] } after ? new Place(new SearchPlace(rank, query.Type, after.Id), seen) : null;
        var walked = await Walk([query.Type], request.Search!, query.Where, start, query.Limit, ct);
        return walked.Error is { } error
            ? error
            : new RecordPage([.. walked.Value.Found.Select(found => found.Record)],
                walked.Value.Next is { } next ? new Keyset([next.Hit.Rank, next.Seen], next.Hit.Id) : null);
    }

    private async ValueTask<Result<FoundPage>> FindAcross(IReadOnlyList<string> types, string text, Keyset? after, int limit, CancellationToken ct)
    {
        var start = after is { Values: [long rank, string type, long seen] } ? new Place(new SearchPlace(rank, type, after.Id), seen) : null;
        var walked = await Walk(types, text, Condition.Always, start, limit, ct);
        if (walked.Error is { } error) return error;
        var next = walked.Value.Next is { } place ? new Keyset([place.Hit.Rank, place.Hit.Type, place.Seen], place.Hit.Id) : (Keyset?)null;
        return new FoundPage([.. walked.Value.Found.Select(found => found.Record)], next, await index.Count(types, text, ct));
    }

    /// <summary>Goes through the hits in their order until a page is full.</summary>
    private async ValueTask<Result<(List<(Place Place, StoredRecord Record)> Found, Place? Next)>> Walk(
        IReadOnlyList<string> types, string text, Condition where, Place? after, int limit, CancellationToken ct)
    {
        var (found, place, max) = (new List<(Place Place, StoredRecord Record)>(), after, limit + 1);
        while (true)
        {
            var seen = place?.Seen ?? 0;
            var among = IsFilter(where) && seen >= FilterFirstFrom ? await Few(types[0], where, ct) : null;
            if (among is null && seen >= ISearchIndex.MaxHits) return found.Count == 0 ? TooMany : (found, place);
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

    /// <summary>In an order of the store: all hits are found first, and then it is a query like any other.</summary>
    private async ValueTask<Result<RecordPage>> Sorted(ListRequest request, CancellationToken ct)
    {
        var (query, text) = (request.Query, request.Search!);
        var search = new SearchQuery([query.Type], text, ISearchIndex.MaxHits);
        var page = await index.Find(search, ct);
        if (page.HasMore)
        {
            if (!IsFilter(query.Where) || await Few(query.Type, query.Where, ct) is not { } few) return TooMany;
            page = await index.Find(search with { Among = few }, ct);
        }

        var versions = page.Hits.ToDictionary(hit => hit.Id, hit => hit.Version, StringComparer.Ordinal);
        var sorted = await store.Query(query with { Where = Among(page.Hits, query.Where) }, ct);
        var match = new TextMatch(text);
        return sorted with { Records = [.. sorted.Records.Where(record => IsStillFound(record, versions[record.Id], match))] };
    }

    /// <summary>Those of the hits that are there, meet the filter, and are still found by the text where they have changed since they were indexed.</summary>
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

    /// <summary>The ids of the records that meet a filter; null where they are more than a search goes through.</summary>
    private async ValueTask<IReadOnlyCollection<string>?> Few(string type, Condition where, CancellationToken ct)
    {
        var page = await store.Query(new RecordQuery(type, where, [Newest(type)], null, ISearchIndex.MaxHits), ct);
        return page.Next is null ? [.. page.Records.Select(record => record.Id)] : null;
    }

    private static Condition.All Among(IReadOnlyList<SearchHit> hits, Condition where) =>
        new([new Condition.In(KeyPath.Id, [.. hits.Select(hit => hit.Id)]), where]);

    private static SortKey Newest(string type) => new(new KeyPath(Crm.Catalog.Find(type).CreatedAt.Name), Descending: true);

    private static bool IsFilter(Condition where) => where is not Condition.All { Conditions.Count: 0 };

    /// <param name="Hit">The last hit gone through.</param>
    /// <param name="Seen">How many were, from the first page on.</param>
    private sealed record Place(SearchPlace Hit, long Seen);
}

/// <param name="Records">The best first.</param>
/// <param name="Next">Where the next page starts; null where this is the last.</param>
/// <param name="Counts">How many records of each type the index has for the text, at most <see cref="ISearchIndex.MaxHits"/>.</param>
public sealed record FoundPage(IReadOnlyList<StoredRecord> Records, Keyset? Next, IReadOnlyDictionary<string, int> Counts);
