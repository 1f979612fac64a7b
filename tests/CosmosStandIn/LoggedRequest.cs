namespace NodeStash.CosmosStandIn;

/// <summary>What was asked for.</summary>
public enum RequestKind
{
    /// <summary>The account, databases, containers, partition key ranges: what a client reads once.</summary>
    Metadata,
    Create,
    Read,
    Replace,
    Upsert,
    Delete,
    Patch,
    Batch,
    Query,

    /// <summary>All documents, by the list of them.</summary>
    ReadFeed,
    ChangeFeed,
    StoredProcedure,
}

/// <param name="Method">E.g. <c>POST</c>.</param>
/// <param name="Kind">What was asked for.</param>
/// <param name="Container">Its name; null where none was meant.</param>
/// <param name="PartitionKey">As the header has it: <c>["ws_1"]</c>; null without one.</param>
/// <param name="Detail">The document's id, the query's text or the number of operations; null for nothing of that.</param>
/// <param name="Status">The HTTP status; 0 where the connection broke.</param>
/// <param name="Charge">The estimate of its cost, in request units.</param>
public sealed record LoggedRequest(string Method, RequestKind Kind, string? Container, string? PartitionKey, string? Detail, int Status, double Charge);
