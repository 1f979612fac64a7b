using NodeStash.Core.Storage;
namespace NodeStash.Azure.Cosmos;

/// <summary>
/// Conditions on what a link points to. A query of Cosmos DB sees one document at a time, so the ids of what is meant are looked up first. Where
/// they are too many for that, records are found by the rest of the condition and checked in chunks, of which each needs few ids.
/// </summary>
internal sealed class LinkedConditions(PartitionClient client)
{
    /// <summary>How many ids are looked up for a whole query.</summary>
    private const int MaxIds = 1000;

    /// <summary>How many records are checked at a time.</summary>
    public const int Chunk = 200;

    /// <summary>The condition with ids in the place of what they are looked up by; null where they are too many.</summary>
    public async ValueTask<Condition?> Resolve(Condition condition, CancellationToken ct) => await Each(
        condition,
        async linked =>
        {
            if (await Resolve(linked.Where, ct) is not { } inner) return null;
            var ids = await client.All(SqlBuilder.Records("VALUE c.id", linked.Type, inner).Query(), MaxIds + 1, ct);
            return ids.Count > MaxIds ? null : new Condition.In(linked.Path, [.. ids.Select(id => (object?)id.GetString())]);
        });

    /// <summary>Those of some records for which the condition holds.</summary>
    /// <param name="type">Their type.</param>
    /// <param name="ids">At most <see cref="Chunk"/>, all of the type.</param>
    /// <param name="condition">Any.</param>
    /// <param name="ct">Ends the wait.</param>
    public async ValueTask<IReadOnlySet<string>> Among(string type, IReadOnlyCollection<string> ids, Condition condition, CancellationToken ct)
    {
        if (ids.Count == 0) return new HashSet<string>();
        var those = new Condition.In(KeyPath.Id, [.. ids]);
        var resolved = await Each(condition, async linked =>
        {
            var pointed = await client.All(SqlBuilder.Records($"VALUE {SqlBuilder.Path(linked.Path)}", type, those).Query(), ids.Count, ct);
            var targets = pointed.Where(id => id.ValueKind is System.Text.Json.JsonValueKind.String).Select(id => id.GetString()!)
                .Distinct(StringComparer.Ordinal).ToList();
            return new Condition.In(linked.Path, [.. await Among(linked.Type, targets, linked.Where, ct)]);
        });
        var found = await client.All(SqlBuilder.Records("VALUE c.id", type, new Condition.All([those, resolved!])).Query(), ids.Count, ct);
        return found.Select(id => id.GetString()!).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>What holds wherever the condition does, and asks for no links.</summary>
    public static Condition Without(Condition condition) => condition switch
    {
        Condition.All all => new Condition.All([.. all.Conditions.Select(Without)]),
        Condition.Any any => new Condition.Any([.. any.Conditions.Select(Without)]),
        Condition.Not not => Has(not.Inner) ? Condition.Always : not,
        Condition.Linked => Condition.Always,
        _ => condition,
    };

    private static bool Has(Condition condition) => condition switch
    {
        Condition.All all => all.Conditions.Any(Has),
        Condition.Any any => any.Conditions.Any(Has),
        Condition.Not not => Has(not.Inner),
        _ => condition is Condition.Linked,
    };

    /// <summary>The condition with something else in the place of each link; null where there is none for one.</summary>
    private static async ValueTask<Condition?> Each(Condition condition, Func<Condition.Linked, ValueTask<Condition?>> of)
    {
        switch (condition)
        {
            case Condition.All all: return await All(all.Conditions) is { } conditions ? new Condition.All(conditions) : null;
            case Condition.Any any: return await All(any.Conditions) is { } alternatives ? new Condition.Any(alternatives) : null;
            case Condition.Not not: return await Each(not.Inner, of) is { } inner ? new Condition.Not(inner) : null;
            case Condition.Linked linked: return await of(linked);
            default: return condition;
        }

        async ValueTask<IReadOnlyList<Condition>?> All(IReadOnlyList<Condition> conditions)
        {
            var each = new List<Condition>(conditions.Count);
            foreach (var one in conditions)
            {
                if (await Each(one, of) is not { } resolved) return null;
                each.Add(resolved);
            }

            return each;
        }
    }
}
