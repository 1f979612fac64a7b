using NodeStash.Core.Storage;
namespace NodeStash.Azure.Cosmos;

/// <summary>
/// Resolves conditions on linked records. A query of Cosmos DB sees one document at a time, so the ids of matching linked records are looked up first. If
/// there are too many, records are found by the rest of the condition and checked in chunks, which need few ids each.
/// </summary>
internal sealed class LinkedConditions(PartitionClient client)
{
    /// <summary>Maximum number of ids looked up for a whole query.</summary>
    private const int MaxResolvedIds = 1000;

    /// <summary>Number of records checked at a time.</summary>
    public const int Chunk = 200;

    /// <summary>Replaces each linked condition by the ids that match it; null if there are too many.</summary>
    public async ValueTask<Condition?> Resolve(Condition condition, CancellationToken ct) => await ReplaceLinks(
        condition,
        async linked =>
        {
            if (await Resolve(linked.Where, ct) is not { } inner) return null;
            var ids = await client.All(SqlBuilder.Records("VALUE c.id", linked.Type, inner).Query(), MaxResolvedIds + 1, ct);
            return ids.Count > MaxResolvedIds ? null : new Condition.In(linked.Path, [.. ids.Select(id => (object?)id.GetString())]);
        });

    /// <summary>Filters records by the condition.</summary>
    /// <param name="type">The type of the records.</param>
    /// <param name="ids">Ids of at most <see cref="Chunk"/> records.</param>
    /// <param name="condition">Any condition.</param>
    /// <param name="ct">Ends the wait.</param>
    public async ValueTask<IReadOnlySet<string>> Filter(string type, IReadOnlyCollection<string> ids, Condition condition, CancellationToken ct)
    {
        if (ids.Count == 0) return new HashSet<string>();
        var those = new Condition.In(KeyPath.Id, [.. ids]);
        var resolved = await ReplaceLinks(condition, async linked =>
        {
            var pointed = await client.All(SqlBuilder.Records($"VALUE {SqlBuilder.Path(linked.Path)}", type, those).Query(), ids.Count, ct);
            var targets = pointed.Where(id => id.ValueKind is System.Text.Json.JsonValueKind.String).Select(id => id.GetString()!)
                .Distinct(StringComparer.Ordinal).ToList();
            return new Condition.In(linked.Path, [.. await Filter(linked.Type, targets, linked.Where, ct)]);
        });
        var found = await client.All(SqlBuilder.Records("VALUE c.id", type, new Condition.All([those, resolved!])).Query(), ids.Count, ct);
        return found.Select(id => id.GetString()!).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>Weakens the condition to one without links, which holds wherever the given one does.</summary>
    public static Condition WithoutLinks(Condition condition) => condition switch
    {
        Condition.All all => new Condition.All([.. all.Conditions.Select(WithoutLinks)]),
        Condition.Any any => new Condition.Any([.. any.Conditions.Select(WithoutLinks)]),
        Condition.Not not => HasLinks(not.Inner) ? Condition.Always : not,
        Condition.Linked => Condition.Always,
        _ => condition,
    };

    private static bool HasLinks(Condition condition) => condition switch
    {
        Condition.All all => all.Conditions.Any(HasLinks),
        Condition.Any any => any.Conditions.Any(HasLinks),
        Condition.Not not => HasLinks(not.Inner),
        _ => condition is Condition.Linked,
    };

    /// <summary>Replaces each linked condition; null if one has no replacement.</summary>
    private static async ValueTask<Condition?> ReplaceLinks(Condition condition, Func<Condition.Linked, ValueTask<Condition?>> of)
    {
        switch (condition)
        {
            case Condition.All all: return await All(all.Conditions) is { } conditions ? new Condition.All(conditions) : null;
            case Condition.Any any: return await All(any.Conditions) is { } alternatives ? new Condition.Any(alternatives) : null;
            case Condition.Not not: return await ReplaceLinks(not.Inner, of) is { } inner ? new Condition.Not(inner) : null;
            case Condition.Linked linked: return await of(linked);
            default: return condition;
        }

        async ValueTask<IReadOnlyList<Condition>?> All(IReadOnlyList<Condition> conditions)
        {
            var each = new List<Condition>(conditions.Count);
            foreach (var one in conditions)
            {
                if (await ReplaceLinks(one, of) is not { } resolved) return null;
                each.Add(resolved);
            }

            return each;
        }
    }
}
