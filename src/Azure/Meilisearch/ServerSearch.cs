using System.Text.Json;
using Meilisearch;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;
using SearchQuery = NodeStash.Core.Search.SearchQuery;
using ServerQuery = Meilisearch.SearchQuery;

namespace NodeStash.Azure.Meilisearch;

/// <summary>One search among the records of one type.</summary>
/// <param name="server">Searches.</param>
/// <param name="partition">The partition.</param>
/// <param name="build">The build of it that is searched.</param>
/// <param name="type">Of the records.</param>
/// <param name="text">As the server gets it.</param>
/// <param name="among">The only records to find; null for all.</param>
internal sealed class ServerSearch(SearchServer server, Partition partition, string build, string type, string text, IReadOnlyCollection<string>? among)
{
    private const string Score = "_rankingScore";

    /// <summary>A score is from 0 to 1, the best; a rank the other way round, in whole numbers.</summary>
    private const long Ranks = 1L << 48;

    private static readonly string[] Fields = ["partition", "type", "id", "version", ServerSettings.Number];

    private readonly string filter = Filter.Is(ServerSettings.Set, SetOf(partition, build, type))
        + (among is null ? "" : " AND " + Filter.In(ServerSettings.Key, among.Select(id => KeyOf(partition, build, type, id))));

    public static string SetOf(Partition partition, string build, string type) => MeilisearchIndexes.Hash(partition.Key, build, type);

    public static string KeyOf(Partition partition, string build, string type, string id) => MeilisearchIndexes.Hash(partition.Key, build, type, id);

    /// <summary>The hits after the query's place, the best first, one more than asked for where there are more.</summary>
    public async Task<IReadOnlyList<SearchHit>> Run(SearchQuery query, CancellationToken ct)
    {
        var after = query.After is { } place ? await After(place, query.Types, ct) : null;
        var offset = after is null ? 0 : await FirstAfter(after.Value, ct);
        var found = await Page(offset, query.Limit + 1, ct);
        return [.. found.Where(hit => after is not { } last || IsAfter(hit, last)).Select(hit => hit.Hit)];
    }

    /// <summary>How many there are, at most <see cref="ISearchIndex.MaxHits"/>.</summary>
    public async Task<int> Count(CancellationToken ct)
    {
        var counted = await server.Search(text, Asking(new ServerQuery { HitsPerPage = 0 }), ct);
        return Math.Min(((PaginatedSearchResult<JsonElement>)counted).TotalHits, ISearchIndex.MaxHits);
    }

    /// <summary>Where this type goes on after a place that may be in another: of equal rank, the types come in the order asked for.</summary>
    private async Task<(long Rank, long Number)?> After(SearchPlace place, IReadOnlyList<string> types, CancellationToken ct)
    {
        var (placed, here) = (types.Index().First(each => each.Item == place.Type).Index, types.Index().First(each => each.Item == type).Index);
        if (placed < here) return (place.Rank, long.MaxValue);
        if (placed > here) return (place.Rank, long.MinValue);

        // A record that is gone keeps its number for long; after one that is forgotten, its rank is gone through from its beginning.
        var documents = await server.Find([KeyOf(partition, build, type, place.Id)], [ServerSettings.Number], ct);
        return (place.Rank, documents.Count == 0 ? long.MaxValue : documents[0].GetProperty(ServerSettings.Number).GetInt64());
    }

    /// <summary>
    /// How many hits there are before the first one after a place: the server goes by offsets, which move when others come and go, so it is looked
    /// for.
    /// </summary>
    private async Task<int> FirstAfter((long Rank, long Number) place, CancellationToken ct)
    {
        var (from, to) = (0, ServerSettings.MaxHits);
        while (from < to)
        {
            var middle = (from + to) / 2;
            if (await Page(middle, 1, ct) is [var hit] && !IsAfter(hit, place)) from = middle + 1;
            else to = middle;
        }

        return from;
    }

    private static bool IsAfter(Found found, (long Rank, long Number) place) =>
        found.Hit.Rank > place.Rank || (found.Hit.Rank == place.Rank && found.Number < place.Number);

    private async Task<IReadOnlyList<Found>> Page(int offset, int limit, CancellationToken ct)
    {
        var page = await server.Search(text, Asking(new ServerQuery { Offset = offset, Limit = limit, ShowRankingScore = true }), ct);

        // The filter has seen to both; what leaves this partition is worth a second look.
        return [.. page.Hits.Where(hit => hit.GetProperty("partition").GetString() == partition.Key && hit.GetProperty("type").GetString() == type)
            .Select(Read)];
    }

    private ServerQuery Asking(ServerQuery query)
    {
        (query.Filter, query.MatchingStrategy, query.AttributesToRetrieve) = (filter, "all", Fields);
        return query;
    }

    private Found Read(JsonElement hit) => new(
        new SearchHit(type, hit.GetProperty("id").GetString()!, hit.GetProperty("version").GetInt64(),
            (long)Math.Round((1 - hit.GetProperty(Score).GetDouble()) * Ranks)),
        hit.GetProperty(ServerSettings.Number).GetInt64());

    /// <param name="Hit">As answered.</param>
    /// <param name="Number">Of the document; of equal rank, the highest comes first.</param>
    private sealed record Found(SearchHit Hit, long Number);
}
