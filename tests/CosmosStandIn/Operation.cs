using System.Text.Json;

namespace NodeStash.CosmosStandIn;

internal enum OperationKind
{
    Create,
    Read,
    Replace,
    Upsert,
    Delete,
    Patch,
}

/// <param name="Status">The HTTP status.</param>
/// <param name="Charge">The estimate of its cost, in request units.</param>
/// <param name="ETag">Of the document as it is now; null where there is none.</param>
/// <param name="Body">The document, or what is wrong; null for nothing.</param>
/// <param name="SubStatus">0 where there is none.</param>
internal sealed record OperationResult(int Status, double Charge, string? ETag = null, byte[]? Body = null, int SubStatus = 0);

/// <summary>One operation on one document, by itself or in a batch.</summary>
/// <param name="Kind">What is to be done.</param>
/// <param name="Partition">The partition key, as the header has it.</param>
/// <param name="Id">The document; null for create and upsert, where the body has it.</param>
/// <param name="Body">The document, or the patch.</param>
/// <param name="IfMatch">The ETag it must have.</param>
/// <param name="IfNoneMatch">The ETag it must not have.</param>
/// <param name="IsMinimal">Whether the answer of a write comes without the document.</param>
internal sealed record Operation(
    OperationKind Kind, string Partition, string? Id, ReadOnlyMemory<byte> Body, string? IfMatch, string? IfNoneMatch, bool IsMinimal)
{
    /// <summary>Two megabytes of JSON. Source: Microsoft Learn, "Azure Cosmos DB service quotas", per-item limits.</summary>
    public const int MaxDocumentBytes = 2 * 1024 * 1024;

    /// <exception cref="ServiceError">It is refused; the caller rolls back.</exception>
    public OperationResult Run(Container.Transaction transaction)
    {
        var container = transaction.Container;
        if (Kind is OperationKind.Create or OperationKind.Upsert)
        {
            var body = ReadBody(container);
            var id = (string)body["id"]!;
            var before = container.Find(Partition, id);
            if (before is not null && Kind == OperationKind.Create) throw ServiceError.Conflict();
            EnsureMatches(before);
            return Written(container.Index, before is null ? 201 : 200, before, transaction.Put(Partition, id, body));
        }

        if (container.Find(Partition, Id!) is not { } current) throw ServiceError.NotFound(Id!);
        switch (Kind)
        {
            case OperationKind.Read:
                return IfNoneMatch == current.ETag || IfNoneMatch == "*"
                    ? new OperationResult(304, Charges.PointRead(current.Bytes), current.ETag)
                    : new OperationResult(200, Charges.PointRead(current.Bytes), current.ETag, Json.Bytes(current.Body));
            case OperationKind.Delete:
                EnsureMatches(current);
                transaction.Remove(Partition, Id!);
                return new OperationResult(204, Charges.Write(container.Index, current.Body, current.Bytes));
            case OperationKind.Replace:
                EnsureMatches(current);
                var body = ReadBody(container);
                if ((string)body["id"]! != Id) throw ServiceError.BadRequest("The id of a document can't be changed.");
                return Written(container.Index, 200, current, transaction.Put(Partition, Id, body));
            default:
                EnsureMatches(current);
                return Written(container.Index, 200, current, transaction.Put(Partition, Id!, Patch.Apply(Body, current.Body, container.PartitionPath)));
        }
    }

    private void EnsureMatches(Document? current)
    {
        if (IfMatch is not null && (current is null || (IfMatch != "*" && IfMatch != current.ETag))) throw ServiceError.PreconditionFailed();
        if (IfNoneMatch is not null && current is not null && (IfNoneMatch == "*" || IfNoneMatch == current.ETag)) throw ServiceError.PreconditionFailed();
    }

    private OperationResult Written(IndexPolicy index, int status, Document? before, Document after)
    {
        if (after.Bytes > MaxDocumentBytes) throw ServiceError.TooLarge();
        return new OperationResult(
            status, Charges.Write(index, after.Body, Math.Max(before?.Bytes ?? 0, after.Bytes)), after.ETag, IsMinimal ? null : Json.Bytes(after.Body));
    }

    private JsonObject ReadBody(Container container)
    {
        object? read;
        try
        {
            read = Json.Parse(Body);
        }
        catch (JsonException fault)
        {
            throw ServiceError.BadRequest($"The input content is invalid: {fault.Message}");
        }

        if (read is not JsonObject body) throw ServiceError.BadRequest("The input content is invalid because it is not an object.");
        if (body.GetValueOrDefault("id") is not string { Length: > 0 and <= 1023 } id)
        {
            throw ServiceError.BadRequest("The input content is invalid because the required properties - 'id; ' - are missing.");
        }

        if (id.AsSpan().ContainsAny("/\\?#")) throw ServiceError.BadRequest("The id has a character that is not allowed: '/', '\\', '?' or '#'.");
        if (body.GetValueOrDefault("ttl") is { } ttl && !(ttl is double seconds && double.IsInteger(seconds) && seconds is -1 or > 0))
        {
            throw ServiceError.BadRequest(
                "The input ttl is invalid. Ensure to provide a nonzero positive (less than or equal to '2147483647') integer, or -1.");
        }

        EnsurePartition(container, body);
        return body;
    }

    private void EnsurePartition(Container container, JsonObject body)
    {
        object? key = body;
        foreach (var name in container.PartitionPath) key = key is JsonObject members && members.TryGetValue(name, out var value) ? value : Sql.Value.Undefined;
        var partition = ReferenceEquals(key, Sql.Value.Undefined) ? "[{}]" : Json.Text(new JsonArray { key });
        if (partition != Partition)
        {
            throw ServiceError.BadRequest("PartitionKey extracted from document doesn't match the one specified in the header.", 1001);
        }
    }
}
