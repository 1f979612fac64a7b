using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Microsoft.Azure.Cosmos;
using NodeStash.Core.Storage;

namespace NodeStash.Azure.Cosmos;

/// <summary>
/// Reads a page of records in order. A documented sort is a composite index. In any other order, the service sorts by the first key. Records with equal
/// first keys are sorted here or, if there are many, by another query for the remaining keys.
/// </summary>
/// <param name="client">The partition.</param>
/// <param name="documents">Tells which sorts have an index.</param>
/// <param name="query">A query without <see cref="Condition.Linked"/>.</param>
/// <param name="check">Selects the ids of matching records; null if every record of the query matches.</param>
internal sealed class PageReader(
    PartitionClient client, RecordDocument documents, RecordQuery query, Func<IReadOnlyCollection<string>, ValueTask<IReadOnlySet<string>>>? check)
{
    /// <summary>Maximum number of records with one value that are sorted in memory.</summary>
    private const int MaxTied = 500;

    private readonly string columns = RecordDocument.Columns + string.Concat(query.Order.Select((key, i) => $", {SqlBuilder.Path(key.Path)} AS k{i}"));

    public async ValueTask<RecordPage> Read(CancellationToken ct)
    {
        var (rows, skipped) = (new List<JsonElement>(query.Limit + 1), 0);
        await foreach (var row in check is null ? ReadTied([], ct) : ReadChecked(check, ct))
        {
            if (skipped++ < query.Skip) continue;
            rows.Add(row);
            if (rows.Count > query.Limit) break;
        }

        var records = rows.Take(query.Limit).Select(row => RecordDocument.Read(query.Type, row)).ToList();
        return new RecordPage(records, rows.Count > query.Limit ? ReadKeyset(rows[query.Limit - 1]) : null);
    }

    private async IAsyncEnumerable<JsonElement> ReadChecked(
        Func<IReadOnlyCollection<string>, ValueTask<IReadOnlySet<string>>> filter, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var chunk in ReadTied([], ct).Chunk(LinkedConditions.Chunk).WithCancellation(ct))
        {
            var ids = await filter([.. chunk.Select(Id)]);
            foreach (var row in chunk.Where(row => ids.Contains(Id(row)))) yield return row;
        }
    }

    /// <summary>Reads the records whose first sort keys have these values, ordered by the remaining keys and the id.</summary>
    private async IAsyncEnumerable<JsonElement> ReadTied(IReadOnlyList<object?> ties, [EnumeratorCancellation] CancellationToken ct)
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
            await foreach (var row in isNull ? ReadTied([.. ties, null], ct) : ReadGroups(ties, ct)) yield return row;
        }
    }

    /// <summary>Reads the records of <see cref="ReadTied"/> that have a value for the next key.</summary>
    private async IAsyncEnumerable<JsonElement> ReadGroups(IReadOnlyList<object?> ties, [EnumeratorCancellation] CancellationToken ct)
    {
        var key = query.Order[ties.Count];
        object? past = null;
        for (var isDone = false; !isDone;)
        {
            isDone = true;
            var sql = Statement(ties).And(SqlBuilder.HasValue(key.Path));
            if (past is not null && sql.IsBeyond(key, past) is { } beyond) sql.And(beyond);
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

            await foreach (var one in isDone ? InOrder(group).ToAsyncEnumerable() : ReadTied([.. ties, value], ct)) yield return one;
            past = value;
        }
    }

    private SqlBuilder Statement(IReadOnlyList<object?> ties)
    {
        var sql = SqlBuilder.Records(columns, query.Type, query.Where);
        for (var i = 0; i < ties.Count; i++) sql.And(sql.IsEqual(query.Order[i].Path, ties[i]));
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

    private Keyset ReadKeyset(JsonElement row) => new([.. query.Order.Select((_, i) => Value(row, i))], Id(row));

    private static string Id(JsonElement row) => row.GetProperty("id").GetString()!;

    private static string Direction(SortKey key) => key.Descending ? " DESC" : " ASC";

    private static object? Value(JsonElement row, int key) => !row.TryGetProperty($"k{key}", out var value) ? null : value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.True or JsonValueKind.False => value.GetBoolean(),
        JsonValueKind.Number => value.TryGetInt64(out var whole) ? whole : (object)value.GetDouble(),
        _ => null,
    };

    /// <summary>Compares values as the service does: null, booleans, numbers, texts by code point.</summary>
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
