using System.Text.Json;

namespace NodeStash.CosmosStandIn;

/// <summary>Answers what is asked of a container's stored procedures.</summary>
internal sealed class ProcedureRequest(Container container, Request asked, IReadOnlyDictionary<string, StoredProcedure> known)
{
    public Reply Answer(string? id) => (asked.Method, id) switch
    {
        ("POST", null) => Create((string)asked.JsonBody["id"]!),
        ("GET", { } name) => new Reply(200, Properties(name)),
        ("PUT", { } name) => new Reply(200, Properties(name)),
        ("DELETE", { } name) => container.Procedures.Remove(name) ? new Reply(204) : throw ServiceError.NotFound(name),
        ("POST", { } name) => Run(name),
        _ => throw ServiceError.NotModelled("A list of stored procedures"),
    };

    private Reply Create(string id)
    {
        if (!known.TryGetValue(id, out var procedure)) throw ServiceError.NotModelled($"The stored procedure '{id}'");
        if (!container.Procedures.TryAdd(id, procedure)) throw ServiceError.Conflict();
        return new Reply(201, Properties(id));
    }

    private JsonObject Properties(string id)
    {
        if (!container.Procedures.ContainsKey(id)) throw ServiceError.NotFound(id);
        return new JsonObject
        {
            ["id"] = id, ["body"] = "function () {}", ["_rid"] = container.Rid, ["_self"] = $"{container.Properties["_self"]}sprocs/{id}/",
            ["_etag"] = "\"1\"", ["_ts"] = container.Now
        };
    }

    private Reply Run(string id)
    {
        if (!container.Procedures.TryGetValue(id, out var procedure)) throw ServiceError.NotFound(id);
        var transaction = new Container.Transaction(container);
        var scope = new ProcedureScope(transaction, asked.RequiredPartitionKey);
        try
        {
            var arguments = JsonSerializer.Deserialize<JsonElement[]>(asked.Body)!;
            var answer = procedure(scope, arguments);
            transaction.Commit();
            return new Reply(200, answer is { } content ? JsonSerializer.SerializeToUtf8Bytes(content) : []) { Charge = scope.Charge };
        }
        catch (ProcedureException thrown)
        {
            transaction.RollBack();
            throw ServiceError.BadRequest($"Encountered exception while executing function. Exception = Error: {thrown.Message}");
        }
    }
}
