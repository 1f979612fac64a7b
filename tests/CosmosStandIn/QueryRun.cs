using System.Text;
using System.Text.Json;
using NodeStash.CosmosStandIn.Sql;

namespace NodeStash.CosmosStandIn;

/// <param name="Items">What was found.</param>
/// <param name="Continuation">What to ask on with; null at the end.</param>
/// <param name="Charge">The estimate of its cost, in request units.</param>
internal sealed record QueryPage(IReadOnlyList<object?> Items, string? Continuation, double Charge);

/// <summary>
/// Answers a page of a query. A continuation holds the place of the last result, not a count of them, so that a page goes on behind it whatever was
/// written meanwhile.
/// </summary>
internal static class QueryRun
{
    /// <summary>The most bytes of a page. Source: Microsoft Learn, "Pagination in Azure Cosmos DB".</summary>
    private const int MaxPageBytes = 4 * 1024 * 1024;

    /// <summary>The continuation that goes on from the beginning, after a page without results.</summary>
    private const string Start = "start";

    /// <exception cref="ServiceError">No index serves it, or the continuation is none.</exception>
    public static QueryPage Page(Query query, Container container, IEnumerable<Document> documents, int pageSize, string? continuation)
    {
        var order = query.OrderBy.Select(key => (key.Key.Path!, key.Descending)).ToList();
        if (order.Count > 0) container.Index.EnsureSorts(order);
        var all = documents.ToList();
        var found = all.Where(document => query.Where is null || query.Where.Evaluate(new Row(document.Body)) is true).ToList();

        // A partition key that is not indexed has the whole partition looked through.
        var paths = query.Where is null ? [] : Paths(query.Where);
        var loaded = paths.Append(container.PartitionPath).All(container.Index.Covers) ? found : all;
        if (pageSize == 0) return new QueryPage([], continuation ?? Start, Charges.Least);
        var from = continuation is null or Start ? null : ReadPlace(continuation);
        return query.IsGrouped || query.IsDistinct ? Groups(query, found, loaded, pageSize, from) : Rows(query, container.Index, found, loaded, pageSize, from);
    }

    private static QueryPage Rows(Query query, IndexPolicy index, List<Document> found, List<Document> loaded, int pageSize, JsonObject? from)
    {
        var rows = found.Select(document => (Keys: query.OrderBy.Select(key => key.Key.Evaluate(new Row(document.Body))).ToList(), Document: document))
            .Where(row => row.Keys.Zip(query.OrderBy)
                .All(key => Value.IsDefined(key.First) || (query.OrderBy.Count == 1 && index.KeepsMissing(key.Second.Key.Path!))))
            .ToList();
        rows.Sort((left, right) => Order(query, left, right));
        var (offset, limit) = (query.Offset, query.Limit);
        if (from is not null)
        {
            var last = (((JsonArray)from["keys"]!).Select(key => key is JsonObject ? Value.Undefined : key).ToList(),
                found.FirstOrDefault() ?? new Document("", "", [], "", 0, 0, 0, null));
            last.Item2 = last.Item2 with { Order = (long)(double)from["order"]! };
            rows.RemoveAll(row => Order(query, row, last) <= 0);
            (offset, limit) = ((int)(double)from["offset"]!, from["limit"] is double left ? (int)left : null);
        }

        var page = new List<object?>();
        var (bytes, read, passed) = (0L, 0L, 0);
        foreach (var (keys, document) in rows)
        {
            if (limit == 0) break;
            if (page.Count > 0 && (page.Count == pageSize || bytes + document.Bytes > MaxPageBytes))
            {
                var previous = rows[passed - 1];
                return new QueryPage(page, WritePlace(previous.Keys, previous.Document.Order, offset, limit), Charge(found, loaded, read));
            }

            passed++;
            read += document.Bytes;
            if (offset > 0)
            {
                offset--;
                continue;
            }

            limit--;
            if (query.Select.Evaluate(new Row(document.Body)) is var item && !Value.IsDefined(item)) continue;
            page.Add(item);
            bytes += document.Bytes;
        }

        return new QueryPage(page, null, Charge(found, loaded, read));
    }

    private static QueryPage Groups(Query query, List<Document> found, List<Document> loaded, int pageSize, JsonObject? from)
    {
        IEnumerable<Row> rows = !query.IsGrouped
            ? found.Select(document => new Row(document.Body))
            : query.GroupBy.Count == 0
                ? [new Row([], found.ConvertAll(document => document.Body))]
                : found.GroupBy(
                    document => Json.Text(
                        query.GroupBy.Select(key => new JsonArray { key.Evaluate(new Row(document.Body)) }.FindAll(Value.IsDefined)).ToList<object?>()))
                    .Select(group => new Row(group.First().Body, [.. group.Select(document => document.Body)]));
        var items = rows.Select(row => query.Select.Evaluate(row)).Where(Value.IsDefined);
        if (query.IsDistinct) items = items.DistinctBy(Json.Text);
        items = items.Skip(query.Offset);
        if (query.Limit is { } limit) items = items.Take(limit);
        var given = from is null ? 0 : (int)(double)from["order"]!;
        var page = items.Skip(given).Take(pageSize + 1).ToList();
        var more = page.Count > pageSize;
        if (more) page.RemoveAt(pageSize);
        return new QueryPage(page, more ? WritePlace([], given + pageSize, 0, null) : null, Charge(found, loaded, found.Sum(document => (long)document.Bytes)));
    }

    private static int Order(Query query, (List<object?> Keys, Document Document) left, (List<object?> Keys, Document Document) right)
    {
        for (var i = 0; i < query.OrderBy.Count; i++)
        {
            if (Value.Order(left.Keys[i], right.Keys[i]) is var order && order != 0) return query.OrderBy[i].Descending ? -order : order;
        }

        // Of equal keys the service gives the order of creation, reversed with the first direction.
        var byCreation = left.Document.Order.CompareTo(right.Document.Order);
        return query.OrderBy is [{ Descending: true }, ..] ? -byCreation : byCreation;
    }

    private static double Charge(List<Document> found, List<Document> loaded, long bytes) =>
        Charges.Query(found.Count, ReferenceEquals(found, loaded) ? 0 : loaded.Count,
            ReferenceEquals(found, loaded) ? bytes : loaded.Sum(document => (long)document.Bytes));

    private static IEnumerable<IReadOnlyList<string>> Paths(Expression expression) =>
        expression.Path is { } path ? [path] : expression.Parts.SelectMany(Paths);

    private static string WritePlace(List<object?> keys, long order, int offset, int? limit) => Convert.ToBase64String(Json.Bytes(new JsonObject
    {
        ["keys"] = keys.ConvertAll(key => Value.IsDefined(key) ? key : new JsonObject()),
        ["order"] = order,
        ["offset"] = offset,
        ["limit"] = limit,
    }));

    private static JsonObject ReadPlace(string continuation)
    {
        try
        {
            return (JsonObject)Json.Parse(Encoding.UTF8.GetString(Convert.FromBase64String(continuation)))!;
        }
        catch (Exception fault) when (fault is FormatException or JsonException or InvalidCastException)
        {
            throw ServiceError.BadRequest("Invalid Continuation Token");
        }
    }
}
