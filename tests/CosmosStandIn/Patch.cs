using System.Globalization;
using NodeStash.CosmosStandIn.Sql;

namespace NodeStash.CosmosStandIn;

/// <summary>Partial document update. Source: Microsoft Learn, "Partial document update in Azure Cosmos DB".</summary>
internal static class Patch
{
    private const int MostOperations = 10;

    /// <exception cref="ServiceError">The condition does not hold (412), or an operation can't be done (400).</exception>
    public static JsonObject Apply(ReadOnlyMemory<byte> patch, JsonObject current, IReadOnlyList<string> partitionPath)
    {
        if (Json.Parse(patch) is not JsonObject read || read.GetValueOrDefault("operations") is not JsonArray { Count: > 0 } operations)
        {
            throw ServiceError.BadRequest("The patch has no operations.");
        }

        if (operations.Count > MostOperations) throw ServiceError.BadRequest($"The number of patch operations can't exceed '{MostOperations}'.");
        if (read.GetValueOrDefault("condition") is string condition && Parser.ReadCondition(condition) is { } filter
            && filter.Evaluate(new Row(current)) is not true)
        {
            throw ServiceError.PreconditionFailed();
        }

        var patched = (JsonObject)Json.Copy(current)!;
        foreach (var operation in operations.OfType<JsonObject>())
        {
            var path = ((string)operation["path"]!).TrimStart('/').Split('/')
                .Select(name => name.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)).ToArray();
            if (path is ["id"] or ["_ts"] or ["_etag"] or ["_rid"] or ["_self"] || path.SequenceEqual(partitionPath))
            {
                throw ServiceError.BadRequest($"The property '/{string.Join('/', path)}' can't be patched.");
            }

            Apply((string)operation["op"]!, patched, path, operation.GetValueOrDefault("value"));
        }

        return patched;
    }

    private static void Apply(string kind, JsonObject document, string[] path, object? value)
    {
        object? parent = document;
        foreach (var name in path[..^1])
        {
            parent = parent switch
            {
                JsonObject inner when inner.TryGetValue(name, out var child) => child,
                JsonArray list when int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var place) && place < list.Count => list[place],
                _ => throw Missing(kind, path),
            };
        }

        var last = path[^1];
        switch (parent)
        {
            case JsonObject members:
                var isThere = members.TryGetValue(last, out var before);
                if (kind is "replace" or "remove" && !isThere) throw Missing(kind, path);
                if (kind == "remove") members.Remove(last);
                else members[last] = kind == "incr" && isThere ? Sum(before, value, path) : value;
                break;
            case JsonArray items when last == "-" && kind is "add" or "set":
                items.Add(value);
                break;
            case JsonArray items when int.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
                && (index < items.Count || (index == items.Count && kind == "add")):
                if (kind == "add") items.Insert(index, value);
                else if (kind == "remove") items.RemoveAt(index);
                else items[index] = kind == "incr" ? Sum(items[index], value, path) : value;
                break;
            default: throw Missing(kind, path);
        }
    }

    private static double Sum(object? before, object? by, string[] path) =>
        before is double number && by is double more
            ? number + more
            : throw ServiceError.BadRequest($"'/{string.Join('/', path)}' is no number and can't be incremented.");

    private static ServiceError Missing(string kind, string[] path) =>
        ServiceError.BadRequest($"For operation '{kind}', the path '/{string.Join('/', path)}' does not exist.");
}
