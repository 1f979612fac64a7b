namespace NodeStash.CosmosStandIn;

/// <param name="Id">Unique in its partition.</param>
/// <param name="Partition">The partition key, as the header has it: <c>["ws_1"]</c>.</param>
/// <param name="Body">Everything, system properties included.</param>
/// <param name="ETag">In quotes.</param>
/// <param name="Lsn">The number of the transaction that wrote it last.</param>
/// <param name="Order">Rises with each document that is created: the order of a query without ORDER BY.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Expires">The second of Unix time from which on it is gone; null for never.</param>
internal sealed record Document(string Id, string Partition, JsonObject Body, string ETag, long Lsn, long Order, int Bytes, long? Expires);
