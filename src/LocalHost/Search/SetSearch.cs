using System.Text.Json;
using NodeStash.LocalHost.Store;

namespace NodeStash.LocalHost.Search;

/// <summary>Runs one search in one set, in few statements, because the cost of each grows with how common its words are.</summary>
/// <param name="session">Reads the index.</param>
/// <param name="find">The expressions of the search.</param>
/// <param name="among">The numbers of the only documents to find, as a JSON array; null for all.</param>
internal sealed class SetSearch(Session session, Expressions find, string? among)
{
    /// <summary>Maximum number of documents ranked in memory. With more, each class is a statement that ends with the page.</summary>
    private const int MaxRanked = 256;

    /// <summary>Maximum number of documents ranked for mistyped words, the newest: several typos may match very many.</summary>
    private const int MaxMistyped = 2000;

    /// <summary>Ranks of the classes. The first two have a rank for names, one for details and one for the rest.</summary>
    private const long FirstExact = 0, FirstPrefix = 3, Parts = 6, FirstMistyped = 7;

    private const int Name = 0, Detail = 1, Any = 2;

    private const long NoMore = long.MaxValue;

    /// <summary>Document that was found.</summary>
    /// <param name="Rank">The rank; the lower the better.</param>
    /// <param name="Number">The number of the document; at equal rank, the highest comes first.</param>
    public readonly record struct Found(long Rank, long Number);

    /// <summary>Finds documents, the best first.</summary>
    /// <param name="limit">Maximum number of documents.</param>
    /// <param name="after">The position to continue from; null for the beginning.</param>
    public List<Found> Run(int limit, Found? after)
    {
        var typed = Numbers(find.All(MatchLevel.Partial), NoMore, MaxRanked + 1);
        var found = typed.Count > MaxRanked ? FindByClass(limit, after) : [.. After(RankFew(typed), after).Take(limit)];

        // If an address is found, similar addresses are not searched.
        if (found.Count < limit && find.HasTypos && !(find.HasAddress && typed.Count > 0))
            found.AddRange(After(FindMistyped(), after).Take(limit - found.Count));
        return found;
    }

    /// <summary>Counts documents, up to a maximum.</summary>
    public int Count(int max) => (int)session.One(
        "SELECT count(*) FROM (SELECT 1 FROM terms WHERE terms MATCH ?1 LIMIT ?2)", row => row.GetInt64(0), find.All(MatchLevel.MistypedTwice), (long)max);

    /// <summary>Finds the numbers of the documents with these ids, as a JSON array.</summary>
    public static string NumbersOf(Session session, long set, IReadOnlyCollection<string> ids) => session.One(
        "SELECT json_group_array(number) FROM documents WHERE of_set = ?1 AND id IN (SELECT value FROM json_each(?2)) AND removed_at IS NULL",
        row => row.GetString(0), set, JsonSerializer.Serialize(ids))!;

    private static IEnumerable<Found> After(IEnumerable<Found> found, Found? after) =>
        after is { } place ? found.Where(f => f.Rank > place.Rank || (f.Rank == place.Rank && f.Number < place.Number)) : found;

    private static IOrderedEnumerable<Found> InOrder(Dictionary<long, long> ranks) =>
        ranks.Select(r => new Found(r.Value, r.Key)).OrderBy(f => f.Rank).ThenByDescending(f => f.Number);

    /// <summary>Ranks documents that have all tokens as typed. Runs only the statements that can still change a rank.</summary>
    private IOrderedEnumerable<Found> RankFew(List<long> all)
    {
        var ranks = all.ToDictionary(number => number, _ => Parts);
        Lower(MatchLevel.Exact, FirstExact);
        if (ranks.ContainsValue(Parts)) Lower(MatchLevel.Prefix, FirstPrefix);
        return InOrder(ranks);

        void Lower(MatchLevel level, long first)
        {
            var open = 0;
            for (var columns = Any; columns >= Name; columns--)
            {
                if (columns < Any && open == 0) return;
                open = 0;
                foreach (var number in Numbers(find.All(level, columns), NoMore, MaxRanked))
                {
                    if (ranks[number] < first) continue;
                    ranks[number] = first + columns;
                    open++;
                }
            }
        }
    }

    /// <summary>Finds documents that have all tokens as typed, class by class until the page is full.</summary>
    private List<Found> FindByClass(int limit, Found? after)
    {
        var (found, exact, prefix) = (new List<Found>(), find.All(MatchLevel.Exact), find.All(MatchLevel.Prefix));
        Step(FirstExact, find.All(MatchLevel.Exact, Name), null);
        Step(FirstExact + Detail, find.All(MatchLevel.Exact, Detail), find.All(MatchLevel.Exact, Name));
        Step(FirstExact + Any, exact, find.All(MatchLevel.Exact, Detail));
        Step(FirstPrefix, find.All(MatchLevel.Prefix, Name), exact);
        Step(FirstPrefix + Detail, find.All(MatchLevel.Prefix, Detail), $"({exact}) OR ({find.All(MatchLevel.Prefix, Name)})");
        Step(FirstPrefix + Any, prefix, $"({exact}) OR ({find.All(MatchLevel.Prefix, Detail)})");
        Step(Parts, find.All(MatchLevel.Partial), prefix);
        return found;

        void Step(long rank, string wanted, string? but)
        {
            if (found.Count == limit || after?.Rank > rank) return;
            var below = after is { } last && last.Rank == rank ? last.Number : NoMore;
            found.AddRange(Numbers(but is null ? wanted : $"({wanted}) NOT ({but})", below, limit - found.Count).Select(number => new Found(rank, number)));
        }
    }

    /// <summary>Finds documents that match with typos only: fewer typos first, then matches in names.</summary>
    private IEnumerable<Found> FindMistyped()
    {
        var candidates = $"({find.All(MatchLevel.MistypedTwice)}) NOT ({find.All(MatchLevel.Partial)})";
        var ranks = Numbers(candidates, NoMore, MaxMistyped).ToDictionary(number => number, _ => FirstMistyped);
        if (ranks.Count == 0) return [];
        for (var token = 0; token < find.Tokens; token++)
        {
            foreach (var level in new[] { MatchLevel.Partial, MatchLevel.Mistyped })
            {
                if (find.One(token, level) is { } near) Raise(2, $"({candidates}) AND ({near})");
            }
        }

        Raise(1, $"({find.All(MatchLevel.MistypedTwice, Name)}) NOT ({find.All(MatchLevel.Partial)})");
        return InOrder(ranks);

        void Raise(long by, string unless)
        {
            foreach (var number in ranks.Keys.ToHashSet().Except(Numbers(unless, NoMore, MaxMistyped))) ranks[number] += by;
        }
    }

    /// <summary>Finds the documents that match an expression, the newest first.</summary>
    private List<long> Numbers(string expression, long below, int limit) => among is null
        ? session.All(
            "SELECT rowid FROM terms WHERE terms MATCH ?1 AND rowid < ?2 ORDER BY rowid DESC LIMIT ?3", row => row.GetInt64(0), expression, below, (long)limit)
        : session.All(
            "SELECT rowid FROM terms WHERE terms MATCH ?1 AND rowid < ?2 AND +rowid IN (SELECT value FROM json_each(?4)) ORDER BY rowid DESC LIMIT ?3",
            row => row.GetInt64(0), expression, below, (long)limit, among);
}
