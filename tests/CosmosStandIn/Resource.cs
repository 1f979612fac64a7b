namespace NodeStash.CosmosStandIn;

/// <summary>Resource ids: bytes in base 64 with <c>-</c> for <c>/</c>; four of the database, four of the container, eight of the document.</summary>
internal static class Resource
{
    public static string Encode(byte[] id) => Convert.ToBase64String(id).Replace('/', '-');
}
