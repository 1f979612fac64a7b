using System.Text.Json;
using NodeStash.LocalHost.Store;

namespace NodeStash.LocalHost.Search;

/// <summary>One search in one set: a few statements, as each costs what the words in it are common.</summary>
/// <param name="session">Reads the index.</param>
/// <param name="find">What is looked for.</param>
/// <param name="among">The numbers of the only documents to find, as a JSON array; null for all.</param>
internal sealed class SetSearch(Session session, Expressions find, string? among)
{
    /// <summary>So many are ranked in memory; beyond it, each class is a statement of its own that ends where the page does.</summary>
    private const int Few = 256;

    /// <summary>Typed wrongly, several words may mean very many records. Of them these many are ranked, the newest.</summary>
    private const int MaxMistyped = 2000;

    /// <summary>The ranks. The first two classes have one for names, one for details and one for the rest.</summary>
    private const long FirstExact = 0, FirstBegun = 3, Parts = 6, FirstMistyped = 7;

    private const int Name = 0, Detail = 1, Any = 2;

    private const long NoMore = long.MaxValue;

    /// <param name="Rank">The lower the better.</param>
    /// <param name="Number">Of the document; of equal rank, the highest comes first.</param>
    public readonly record struct Found(long Rank, long Number);

    /// <param name="limit">The most to find.</param>
    /// <param name="after">Where to go on; null for the beginning.</param>
    public List<Found> Run(int limit, Found? after)
    {
        var typed = Numbers(find.All(Nearness.Part), NoMore, Few + 1);
        var found = typed.Count > Few ? Many(limit, after) : [.. After(Ranked(typed), after).Take(limit)];

        // What resembles an address is not meant where the address is found.
        if (found.Count < limit && find.HasTypos && !(find.HasAddress && typed.Count > 0)) found.AddRange(After(Mistyped(), after).Take(limit - found.Count));
        return found;
    }

    /// <summary>How many there are.</summary>
    public int Count(int max) => (int)session.One(
        "SELECT count(*) FROM (SELECT 1 FROM terms WHERE terms MATCH ?1 LIMIT ?2)", row => row.GetInt64(0), find.All(Nearness.MistypedTwice), (long)max);

    /// <summary>The numbers of the documents with these ids, as a JSON array.</summary>
    public static string NumbersOf(Session session, long set, IReadOnlyCollection<string> ids) => session.One(
        "SELECT json_group_array(number) FROM documents WHERE of_set = ?1 AND id IN (SELECT value FROM json_each(?2)) AND removed_at IS NULL",
        row => row.GetString(0), set, JsonSerializer.Serialize(ids))!;

    private static IEnumerable<Found> After(IEnumerable<Found> found, Found? after) =>
        after is { } place ? found.Where(f => f.Rank > place.Rank || (f.Rank == place.Rank && f.Number < place.Number)) : found;

    private static IOrderedEnumerable<Found> InOrder(Dictionary<long, long> ranks) =>
        ranks.Select(r => new Found(r.Value, r.Key)).OrderBy(f => f.Rank).ThenByDescending(f => f.Number);

    /// <summary>Few documents that have all tokens as they were typed, ranked. Asked is only what still is open.</summary>
    private IOrderedEnumerable<Found> Ranked(List<long> all)
    {
        var ranks = all.ToDictionary(number => number, _ => Parts);
        Lower(Nearness.Exact, FirstExact);
        if (ranks.ContainsValue(Parts)) Lower(Nearness.Begun, FirstBegun);
        return InOrder(ranks);

        void Lower(Nearness nearness, long first)
        {
            var open = 0;
            for (var columns = Any; columns >= Name; columns--)
            {
                if (columns < Any && open == 0) return;
                open = 0;
                foreach (var number in Numbers(find.All(nearness, columns), NoMore, Few))
                {
                    if (ranks[number] < first) continue;
                    ranks[number] = first + columns;
                    open++;
                }
            }
        }
    }

    /// <summary>The documents that have all tokens as they were typed, class by class until there are enough.</summary>
    private List<Found> Many(int limit, Found? after)
    {
        var (found, exact, begun) = (new List<Found>(), find.All(Nearness.Exact), find.All(Nearness.Begun));
        Step(FirstExact, find.All(Nearness.Exact, Name), null);
        Step(FirstExact + Detail, find.All(Nearness.Exact, Detail), find.All(Nearness.Exact, Name));
        Step(FirstExact + Any, exact, find.All(Nearness.Exact, Detail));
        Step(FirstBegun, find.All(Nearness.Begun, Name), exact);
        Step(FirstBegun + Detail, find.All(Nearness.Begun, Detail), $"({exact}) OR ({find.All(Nearness.Begun, Name)})");
        Step(FirstBegun + Any, begun, $"({exact}) OR ({find.All(Nearness.Begun, Detail)})");
        Step(Parts, find.All(Nearness.Part), begun);
        return found;

        void Step(long rank, string wanted, string? but)
        {
            if (found.Count == limit || after?.Rank > rank) return;
            var below = after is { } last && last.Rank == rank ? last.Number : NoMore;
            found.AddRange(Numbers(but is null ? wanted : $"({wanted}) NOT ({but})", below, limit - found.Count).Select(number => new Found(rank, number)));
        }
    }

    /// <summary>What is found only where tokens are mistyped: the fewer edits the better, then in names.</summary>
    private IEnumerable<Found> Mistyped()
    {
        var candidates = $"({find.All(Nearness.MistypedTwice)}) NOT ({find.All(Nearness.Part)})";
        var ranks = Numbers(candidates, NoMore, MaxMistyped).ToDictionary(number => number, _ => FirstMistyped);
        if (ranks.Count == 0) return [];
        for (var token = 0; token < find.Tokens; token++)
        {
            foreach (var nearness in new[] { Nearness.Part, Nearness.Mistyped })
            {
                if (find.One(token, nearness) is { } near) Raise(2, $"({candidates}) AND ({near})");
            }
        }

        Raise(1, $"({find.All(Nearness.MistypedTwice, Name)}) NOT ({find.All(Nearness.Part)})");
        return InOrder(ranks);

        void Raise(long by, string unless)
        {
            foreach (var number in ranks.Keys.ToHashSet().Except(Numbers(unless, NoMore, MaxMistyped))) ranks[number] += by;
        }
    }

    /// <summary>The documents an expression matches, the newest first.</summary>
    private List<long> Numbers(string expression, long below, int limit) => among is null
        ? session.All(
            "SELECT rowid FROM terms WHERE terms MATCH ?1 AND rowid < ?2 ORDER BY rowid DESC LIMIT ?3", row => row.GetInt64(0), expression, below, (long)limit)
        : session.All(
            "SELECT rowid FROM terms WHERE terms MATCH ?1 AND rowid < ?2 AND +rowid IN (SELECT value FROM json_each(?4)) ORDER BY rowid DESC LIMIT ?3",
            row => row.GetInt64(0), expression, below, (long)limit, among);
}
