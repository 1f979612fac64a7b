using System.Text.Json;

namespace NodeStash.CosmosStandIn;

/// <summary>What the product's stored procedure, src/Azure/Cosmos/commit.js, promises. <c>tests/Peers</c> runs the script itself.</summary>
public static class CommitScript
{
    public static JsonElement? Run(ProcedureScope scope, IReadOnlyList<JsonElement> arguments)
    {
        foreach (var (place, operation) in arguments[0].EnumerateArray().Index())
        {
            var status = operation.TryGetProperty("create", out var document) ? scope.Create(document).Status
                : operation.TryGetProperty("delete", out var id) ? scope.Delete(id.GetString()!, operation.GetProperty("etag").GetString()).Status
                : Patch(scope, operation);
            if (status >= 400) throw new ProcedureException($"REFUSED {place} {status}");
        }

        return null;
    }

    private static int Patch(ProcedureScope scope, JsonElement operation)
    {
        var id = operation.GetProperty("patch").GetString()!;
        var (status, read) = scope.Read(id);
        if (read is not { } document) return status;
        var members = document.EnumerateObject().ToDictionary(member => member.Name, member => member.Value);
        if (operation.GetProperty("etag").GetString() is { } etag && members["_etag"].GetString() != etag) return 412;
        if (operation.GetProperty("if").EnumerateObject()
            .Any(one => !members.TryGetValue(one.Name, out var value) || !JsonElement.DeepEquals(value, one.Value))) return 412;
        foreach (var set in operation.GetProperty("set").EnumerateObject()) members[set.Name] = set.Value;
        if (!operation.GetProperty("set").EnumerateObject().Any())
            members["guards"] = JsonSerializer.SerializeToElement((members.TryGetValue("guards", out var guards) ? guards.GetInt64() : 0) + 1);
        return scope.Replace(id, JsonSerializer.SerializeToElement(members), members["_etag"].GetString()).Status;
    }
}
