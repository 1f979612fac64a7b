using System.Text.Json;
using Meilisearch;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;
using SearchQuery = NodeStash.Core.Search.SearchQuery;
using ServerQuery = Meilisearch.SearchQuery;

namespace NodeStash.Azure.Meilisearch;

/// <summary>Runs one search among the records of one type.</summary>
/// <param name="server">The server.</param>
/// <param name="partition">The partition.</param>
/// <param name="build">The searched build of the partition.</param>
/// <param name="type">The type of the records.</param>
/// <param name="text">The query for the server, from <see cref="ServerTerms.Query"/>.</param>
/// <param name="among">Ids of the only records to find; null for all.</param>
internal sealed class ServerSearch(SearchServer server, Partition partition, string build, string type, string text, IReadOnlyCollection<string>? among)
{
    private const string Score = "_rankingScore";

    /// <summary>Scale of ranks. The server scores hits from 0 to 1, the best; a rank is a whole number, the lowest the best.</summary>
    private const long RankScale = 1L << 48;

    private static readonly string[] Fields = ["partition", "type", "id", "version", ServerSettings.Number];

    private readonly string filter = Filter.Is(ServerSettings.Set, SetOf(partition, build, type))
        + (among is null ? "" : " AND " + Filter.In(ServerSettings.Key, among.Select(id => KeyOf(partition, build, type, id))));

    public static string SetOf(Partition partition, string build, string type) => MeilisearchIndexes.Hash(partition.Key, build, type);

    public static string KeyOf(Partition partition, string build, string type, string id) => MeilisearchIndexes.Hash(partition.Key, build, type, id);

    /// <summary>Finds the hits after the position of the query, the best first, and one more than its limit if there are more.</summary>
    public async Task<IReadOnlyList<SearchHit>> Run(SearchQuery query, CancellationToken ct)
    {
        var after = query.After is { } place ? await After(place, query.Types, ct) : null;
        var offset = after is null ? 0 : await FindOffset(after.Value, ct);
        var found = await Page(offset, query.Limit + 1, ct);
        return [.. found.Where(hit => after is not { } last || IsAfter(hit, last)).Select(hit => hit.Hit)];
    }

    /// <summary>Counts the hits, up to <see cref="ISearchIndex.MaxHits"/>.</summary>
    public async Task<int> Count(CancellationToken ct)
    {
        var counted = await server.Search(text, WithFilter(new ServerQuery { HitsPerPage = 0 }), ct);
        return Math.Min(((PaginatedSearchResult<JsonElement>)counted).TotalHits, ISearchIndex.MaxHits);
    }

    /// <summary>Finds the position in this type for a position that may be in another. At equal rank, types have the order of the query.</summary>
    private async Task<(long Rank, long Number)?> After(SearchPlace place, IReadOnlyList<string> types, CancellationToken ct)
    {
        var (placed, here) = (types.Index().First(each => each.Item == place.Type).Index, types.Index().First(each => each.Item == type).Index);
        if (placed < here) return (place.Rank, long.MaxValue);
        if (placed > here) return (place.Rank, long.MinValue);

        // A removed record keeps its number until its removal expires. After that, the search continues at the start of its rank.
        var documents = await server.Find([KeyOf(partition, build, type, place.Id)], [ServerSettings.Number], ct);
        return (place.Rank, documents.Count == 0 ? long.MaxValue : documents[0].GetProperty(ServerSettings.Number).GetInt64());
    }

    /// <summary>
    /// Finds the offset of the first hit after a position, by binary search: the server pages by offset, and offsets move when records come and go.
    /// </summary>
    private async Task<int> FindOffset((long Rank, long Number) place, CancellationToken ct)
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
        var page = await server.Search(text, WithFilter(new ServerQuery { Offset = offset, Limit = limit, ShowRankingScore = true }), ct);

        // The filter selects both already. Data must never leave its partition, so it is checked again.
        return [.. page.Hits.Where(hit => hit.GetProperty("partition").GetString() == partition.Key && hit.GetProperty("type").GetString() == type)
            .Select(Read)];
    }

    private ServerQuery WithFilter(ServerQuery query)
    {
        (query.Filter, query.MatchingStrategy, query.AttributesToRetrieve) = (filter, "all", Fields);
        return query;
    }

    private Found Read(JsonElement hit) => new(
        new SearchHit(type, hit.GetProperty("id").GetString()!, hit.GetProperty("version").GetInt64(),
            (long)Math.Round((1 - hit.GetProperty(Score).GetDouble()) * RankScale)),
        hit.GetProperty(ServerSettings.Number).GetInt64());

    /// <param name="Hit">The hit to return.</param>
    /// <param name="Number">The number of the document; at equal rank, the highest comes first.</param>
    private sealed record Found(SearchHit Hit, long Number);
}
