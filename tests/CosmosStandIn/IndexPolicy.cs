namespace NodeStash.CosmosStandIn;

/// <summary>
/// Which properties of a container can be searched and sorted by. Source: Microsoft Learn, "Indexing policies in Azure Cosmos DB".
/// </summary>
internal sealed class IndexPolicy
{
    private readonly List<(string[] Path, bool IsExact, bool IsIncluded)> rules = [];
    private readonly List<(string[] Path, bool Descending)[]> composites = [];
    private readonly bool isOn;

    /// <exception cref="ServiceError">The policy is not one the service takes.</exception>
    public IndexPolicy(JsonObject policy)
    {
        isOn = !string.Equals(policy.GetValueOrDefault("indexingMode") as string, "none", StringComparison.OrdinalIgnoreCase);
        foreach (var name in (string[])["includedPaths", "excludedPaths"])
        {
            foreach (var path in Objects(policy.GetValueOrDefault(name)).Select(rule => (string)rule["path"]!))
            {
                if (!path.EndsWith("/?", StringComparison.Ordinal) && !path.EndsWith("/*", StringComparison.Ordinal))
                {
                    throw ServiceError.BadRequest($"The indexing path '{path}' could not be accepted: it must end with '/?' or '/*'.");
                }

                rules.Add((Segments(path[..^2]), path.EndsWith('?'), name == "includedPaths"));
            }
        }

        if (isOn && !rules.Exists(rule => rule is { Path.Length: 0, IsExact: false }))
        {
            throw ServiceError.BadRequest("The special mandatory indexing path \"/\" is missing in the collection's indexing policy.");
        }

        foreach (var composite in policy.GetValueOrDefault("compositeIndexes") as JsonArray ?? [])
        {
            var paths = Objects(composite)
                .Select(part => (Segments((string)part["path"]!),
                    string.Equals(part.GetValueOrDefault("order") as string, "descending", StringComparison.OrdinalIgnoreCase))).ToArray();
            if (paths.Length < 2) throw ServiceError.BadRequest("A composite index must have at least two paths.");
            composites.Add(paths);
        }
    }

    /// <summary>How many composite indexes there are.</summary>
    public int Composites => composites.Count;

    /// <summary>Whether a property is in the index; id and _ts are always, the partition key only if the policy says so.</summary>
    public bool Covers(IReadOnlyList<string> path) => isOn && (path is ["id"] or ["_ts"] || Best(path)?.IsIncluded == true);

    /// <summary>Whether documents without the property are in an ORDER BY of it: only where the path is included by itself, not below a wildcard.</summary>
    public bool KeepsMissing(IReadOnlyList<string> path) => Best(path) is { IsIncluded: true, IsExact: true };

    /// <exception cref="ServiceError">No index has this order.</exception>
    public void EnsureSorts(IReadOnlyList<(IReadOnlyList<string> Path, bool Descending)> order)
    {
        if (order.Any(key => !Covers(key.Path))) throw ServiceError.BadRequest("The index path corresponding to the specified order-by item is excluded.");
        if (order.Count > 1 && !composites.Exists(composite => Serves(composite, order)))
        {
            throw ServiceError.BadRequest("The order by query does not have a corresponding composite index that it can be served from.");
        }
    }

    /// <summary>The same paths in the same sequence, all in the directions of the index or all in the opposite ones.</summary>
    private static bool Serves((string[] Path, bool Descending)[] composite, IReadOnlyList<(IReadOnlyList<string> Path, bool Descending)> order) =>
        composite.Length == order.Count
        && composite.Zip(order).All(pair => pair.First.Path.SequenceEqual(pair.Second.Path))
        && composite.Zip(order).Select(pair => pair.First.Descending == pair.Second.Descending).Distinct().Count() == 1;

    /// <summary>The most precise rule decides: a longer path before a shorter one, an exact one before one with a wildcard.</summary>
    private (string[] Path, bool IsExact, bool IsIncluded)? Best(IReadOnlyList<string> path)
    {
        if (!isOn) return null;
        var matching = rules.Where(
            rule => rule.IsExact ? rule.Path.SequenceEqual(path) : rule.Path.Length <= path.Count && rule.Path.SequenceEqual(path.Take(rule.Path.Length)));
        return matching.Select(rule => ((string[], bool, bool)?)rule)
            .MaxBy(rule => rule is var (segments, isExact, _) ? (2 * segments.Length) + (isExact ? 1 : 0) : -1);
    }

    private static IEnumerable<JsonObject> Objects(object? array) => (array as JsonArray ?? []).OfType<JsonObject>();

    /// <summary>The names of a path like <c>/keys/"e mail"/[]</c>, without the quotes.</summary>
    private static string[] Segments(string path) =>
        path.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(segment => segment is ['"', .., '"'] ? segment[1..^1] : segment).ToArray();
}
