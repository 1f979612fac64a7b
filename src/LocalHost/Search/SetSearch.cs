using System.Text.Json;
using NodeStash.LocalHost.Store;

namespace NodeStash.LocalHost.Search;

/// <summary>One search in one set. Hits come in steps, from the best on, and each step is one statement that ends with what is asked for.</summary>
/// <param name="session">Reads the index.</param>
/// <param name="find">What is looked for.</param>
/// <param name="among">The numbers of the only documents to find, as a JSON array; null for all.</param>
internal sealed class SetSearch(Session session, Expressions find, string? among)
{
    /// <summary>Typed wrongly, several words may mean very many records. Of them these many are ranked, the newest.</summary>
    private const int MostMistyped = 2000;

    /// <summary>The ranks, each class with one for names, one for details and one for the rest.</summary>
    private const long FirstExact = 0, FirstBegun = 3, Parts = 6, FirstMistyped = 7;

    private const long NoMore = long.MaxValue;

    /// <param name="Rank">The lower the better.</param>
    /// <param name="Number">Of the document; of equal rank, the highest comes first.</param>
    public readonly record struct Found(long Rank, long Number);

    /// <param name="limit">The most to find.</param>
    /// <param name="after">Where to go on; null for the beginning.</param>
    public List<Found> Run(int limit, Found? after)
    {
        var found = new List<Found>();
        Add(Nearness.Exact, FirstExact, null);
        Add(Nearness.Begun, FirstBegun, find.All(Nearness.Exact));
        if (find.HasParts && found.Count < limit) Step(find.All(Nearness.Part), find.All(Nearness.Begun), Parts);
        var isMeant = find.HasAddress && (found.Count > 0 || after is { Rank: < FirstMistyped });
        if (found.Count < limit && find.HasTypos && !isMeant) found.AddRange(Mistyped().Where(f => after is not { } place || IsAfter(f, place)).Take(limit - found.Count));
        return found;

        // In names first, then in details, then anywhere. Where there is nothing anywhere, that is one statement.
        void Add(Nearness nearness, long rank, string? before)
        {
            const int Name = 0, Detail = 1, Any = 2;
            if (found.Count == limit || after?.Rank > rank + Any || Numbers(But(find.All(nearness), before), NoMore, 1).Count == 0) return;
            Step(find.All(nearness, Name), before, rank);
            Step(find.All(nearness, Detail), Or(before, find.All(nearness, Name)), rank + Detail);
            Step(find.All(nearness, Any), Or(before, find.All(nearness, Detail)), rank + Any);
        }

        void Step(string wanted, string? but, long rank)
        {
            if (found.Count == limit || after?.Rank > rank) return;
            var below = after is { } last && last.Rank == rank ? last.Number : NoMore;
            found.AddRange(Numbers(But(wanted, but), below, limit - found.Count).Select(number => new Found(rank, number)));
        }
    }

    /// <summary>How many there are.</summary>
    public int Count(int most) => (int)session.One(
        "SELECT count(*) FROM (SELECT 1 FROM terms WHERE terms MATCH ?1 LIMIT ?2)", row => row.GetInt64(0), find.All(Nearness.MistypedTwice), (long)most);

    public static bool IsAfter(Found found, Found place) => found.Rank > place.Rank || (found.Rank == place.Rank && found.Number < place.Number);

    /// <summary>What is found only where tokens are mistyped: the fewer edits the better, then in names.</summary>
    private IEnumerable<Found> Mistyped()
    {
        var candidates = $"({find.All(Nearness.MistypedTwice)}) NOT ({find.All(Nearness.Part)})";
        var ranks = Numbers(candidates, NoMore, MostMistyped).ToDictionary(number => number, _ => FirstMistyped);
        if (ranks.Count == 0) return [];
        for (var token = 0; token < find.Tokens; token++)
        {
            foreach (var nearness in new[] { Nearness.Part, Nearness.Mistyped })
            {
                if (find.One(token, nearness) is not { } near) continue;
                foreach (var number in ranks.Keys.ToHashSet().Except(Numbers($"({candidates}) AND ({near})", NoMore, MostMistyped))) ranks[number] += 2;
            }
        }

        foreach (var number in ranks.Keys.ToHashSet().Except(Numbers($"({find.All(Nearness.MistypedTwice, 0)}) NOT ({find.All(Nearness.Part)})", NoMore, MostMistyped))) ranks[number]++;
        return ranks.Select(r => new Found(r.Value, r.Key)).OrderBy(f => f.Rank).ThenByDescending(f => f.Number);
    }

    private static string But(string wanted, string? but) => but is null ? wanted : $"({wanted}) NOT ({but})";

    private static string Or(string? left, string right) => left is null ? right : $"({left}) OR ({right})";

    /// <summary>The documents an expression matches, the newest first.</summary>
    private List<long> Numbers(string expression, long below, int limit) => among is null
        ? session.All("SELECT rowid FROM terms WHERE terms MATCH ?1 AND rowid < ?2 ORDER BY rowid DESC LIMIT ?3", row => row.GetInt64(0), expression, below, (long)limit)
        : session.All(
            "SELECT rowid FROM terms WHERE terms MATCH ?1 AND rowid < ?2 AND +rowid IN (SELECT value FROM json_each(?4)) ORDER BY rowid DESC LIMIT ?3",
            row => row.GetInt64(0), expression, below, (long)limit, among);

    /// <summary>The numbers of the documents with these ids, as a JSON array.</summary>
    public static string NumbersOf(Session session, long set, IReadOnlyCollection<string> ids) => session.One(
        "SELECT json_group_array(number) FROM documents WHERE of_set = ?1 AND id IN (SELECT value FROM json_each(?2)) AND removed_at IS NULL",
        row => row.GetString(0), set, JsonSerializer.Serialize(ids))!;
}
