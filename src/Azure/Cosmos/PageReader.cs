using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Microsoft.Azure.Cosmos;
using NodeStash.Core.Storage;

namespace NodeStash.Azure.Cosmos;

/// <summary>
/// Reads records in order. A documented sort is a composite index and read as it stands. Of any other order the service sorts by the first
/// key; records that are equal in it are ordered here, or where they are many, by a query of their own for the rest of the order.
/// </summary>
/// <param name="client">Where they are.</param>
/// <param name="documents">Knows which sorts have an index.</param>
/// <param name="query">Without <see cref="Condition.Linked"/>.</param>
/// <param name="check">Tells which of some records, by id, are meant; null where all that the query finds are.</param>
internal sealed class PageReader(
    PartitionClient client, RecordDocument documents, RecordQuery query, Func<IReadOnlyCollection<string>, ValueTask<IReadOnlySet<string>>>? check)
{
    /// <summary>How many records of one value are ordered in memory.</summary>
    private const int MaxTied = 500;

    private readonly string columns = RecordDocument.Columns + string.Concat(query.Order.Select((key, i) => $", {SqlBuilder.Path(key.Path)} AS k{i}"));

    public async ValueTask<RecordPage> Read(CancellationToken ct)
    {
        var (rows, skipped) = (new List<JsonElement>(query.Limit + 1), 0);
        await foreach (var row in check is null ? From([], ct) : Checked(check, ct))
        {
            if (skipped++ < query.Skip) continue;
            rows.Add(row);
            if (rows.Count > query.Limit) break;
        }

        var records = rows.Take(query.Limit).Select(row => RecordDocument.Read(query.Type, row)).ToList();
        return new RecordPage(records, rows.Count > query.Limit ? Place(rows[query.Limit - 1]) : null);
    }

    private async IAsyncEnumerable<JsonElement> Checked(
        Func<IReadOnlyCollection<string>, ValueTask<IReadOnlySet<string>>> meant, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var chunk in From([], ct).Chunk(LinkedConditions.Chunk).WithCancellation(ct))
        {
            var ids = await meant([.. chunk.Select(Id)]);
            foreach (var row in chunk.Where(row => ids.Contains(Id(row)))) yield return row;
        }
    }

    /// <summary>The records of which the first sort keys have these values, in the order of the rest of the keys and the id.</summary>
    private async IAsyncEnumerable<JsonElement> From(IReadOnlyList<object?> ties, [EnumeratorCancellation] CancellationToken ct)
    {
        var depth = ties.Count;
        if (depth == query.Order.Count)
        {
            await foreach (var row in Rows(Statement(ties).Query($" ORDER BY c.id{Direction(query.Order[^1])}"), ct)) yield return row;
            yield break;
        }

        var key = query.Order[depth];
        var path = SqlBuilder.Path(key.Path);
        if (query.Order.Count == 1 && documents.IsSort(query.Type, key.Path))
        {
            await foreach (var row in Rows(Statement(ties).Query($" ORDER BY c.type{Direction(key)}, {path}{Direction(key)}, c.id{Direction(key)}"), ct))
                yield return row;
            yield break;
        }

        foreach (var isNull in key.Descending ? (bool[])[false, true] : [true, false])
        {
            if (isNull && key.Path == KeyPath.Id) continue;
            await foreach (var row in isNull ? From([.. ties, null], ct) : Grouped(ties, ct)) yield return row;
        }
    }

    /// <summary>Those of <see cref="From"/> that have a value for the next key.</summary>
    private async IAsyncEnumerable<JsonElement> Grouped(IReadOnlyList<object?> ties, [EnumeratorCancellation] CancellationToken ct)
    {
        var key = query.Order[ties.Count];
        object? past = null;
        for (var isDone = false; !isDone;)
        {
            isDone = true;
            var sql = Statement(ties).And(SqlBuilder.Something(key.Path));
            if (past is not null && sql.Beyond(key, past) is { } beyond) sql.And(beyond);
            var group = new List<JsonElement>();
            object? value = null;
            await foreach (var row in Rows(sql.Query($" ORDER BY {SqlBuilder.Path(key.Path)}{Direction(key)}"), ct))
            {
                var current = Value(row, ties.Count);
                if (group.Count > 0 && !Equals(current, value))
                {
                    foreach (var one in InOrder(group)) yield return one;
                    group.Clear();
                }

                value = current;
                group.Add(row);
                if (group.Count > MaxTied)
                {
                    isDone = false;
                    break;
                }
            }

            await foreach (var one in isDone ? InOrder(group).ToAsyncEnumerable() : From([.. ties, value], ct)) yield return one;
            past = value;
        }
    }

    private SqlBuilder Statement(IReadOnlyList<object?> ties)
    {
        var sql = SqlBuilder.Records(columns, query.Type, query.Where);
        for (var i = 0; i < ties.Count; i++) sql.And(sql.Tied(query.Order[i].Path, ties[i]));
        return query.After is { } after ? sql.After(query.Order, after) : sql;
    }

    private IAsyncEnumerable<JsonElement> Rows(QueryDefinition sql, CancellationToken ct) => client.Rows(sql, query.Skip + query.Limit + 1, ct);

    private IEnumerable<JsonElement> InOrder(List<JsonElement> group)
    {
        group.Sort((left, right) =>
        {
            for (var i = 0; i < query.Order.Count; i++)
            {
                if (Compare(Value(left, i), Value(right, i)) is var order and not 0) return query.Order[i].Descending ? -order : order;
            }

            var byId = Compare(Id(left), Id(right));
            return query.Order[^1].Descending ? -byId : byId;
        });
        return group;
    }

    private Keyset Place(JsonElement row) => new([.. query.Order.Select((_, i) => Value(row, i))], Id(row));

    private static string Id(JsonElement row) => row.GetProperty("id").GetString()!;

    private static string Direction(SortKey key) => key.Descending ? " DESC" : " ASC";

    private static object? Value(JsonElement row, int key) => !row.TryGetProperty($"k{key}", out var value) ? null : value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.True or JsonValueKind.False => value.GetBoolean(),
        JsonValueKind.Number => value.TryGetInt64(out var whole) ? whole : (object)value.GetDouble(),
        _ => null,
    };

    /// <summary>As the service compares: null, booleans, numbers, texts by code point.</summary>
    private static int Compare(object? left, object? right)
    {
        static int Rank(object? value) => value switch { null => 0, bool => 1, string => 3, _ => 2 };
        return (left, right) switch
        {
            (bool a, bool b) => a.CompareTo(b),
            (string a, string b) => Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b)),
            (long or double, long or double) => Convert.ToDouble(left, null).CompareTo(Convert.ToDouble(right, null)),
            _ => Rank(left).CompareTo(Rank(right)),
        };
    }
}
