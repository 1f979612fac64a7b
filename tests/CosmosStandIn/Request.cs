using System.Text.Json;

namespace NodeStash.CosmosStandIn;

/// <summary>What the client library asks, in the words of the protocol.</summary>
internal sealed class Request
{
    private readonly HttpRequestMessage message;

    public Request(HttpRequestMessage message, byte[] body)
    {
        this.message = message;
        Body = body;
        Method = message.Method.Method;
        Path = [.. message.RequestUri!.AbsolutePath.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(Uri.UnescapeDataString)];
        Kind = KindOf();
        Container = Path.Length > 3 ? Path[3] : null;
        Detail = Path.Length > 5 ? Path[5] : null;
    }

    public string Method { get; }

    public string[] Path { get; }

    public byte[] Body { get; }

    public RequestKind Kind { get; }

    public string? Container { get; }

    public Fault? Fault { get; set; }

    public string? Detail { get; set; }

    public IReadOnlyList<Operation> Operations { get; set; } = [];

    public JsonObject JsonBody
    {
        get
        {
            try
            {
                return Json.Parse(Body) as JsonObject ?? throw ServiceError.BadRequest("The request body is no object.");
            }
            catch (JsonException fault)
            {
                throw ServiceError.BadRequest($"The request body is invalid: {fault.Message}");
            }
        }
    }

    /// <summary>The partition key as JSON in one form; null where the request has none.</summary>
    public string? PartitionKey => Header("x-ms-documentdb-partitionkey") is { } key ? Json.Text(Json.Parse(key)) : null;

    public string RequiredPartitionKey =>
        PartitionKey ?? throw ServiceError.BadRequest("PartitionKey value must be supplied for this operation.");

    /// <summary>The most items of a page; 100 unless the request says how many, 1,000 where it leaves that to the service.</summary>
    public int PageSize => Fault switch
    {
        CosmosStandIn.Fault.ShortPage => 1,
        CosmosStandIn.Fault.EmptyPage => 0,
        _ => AskedPageSize,
    };

    private int AskedPageSize =>
        Header("x-ms-max-item-count") is { } size
            ? int.Parse(size, System.Globalization.CultureInfo.InvariantCulture) is var count && count > 0 ? count : 1000
            : 100;

    public string? Header(string name) =>
        message.Headers.TryGetValues(name, out var values) || message.Content?.Headers.TryGetValues(name, out values) == true ? string.Join(",", values) : null;

    public bool Is(string name) => string.Equals(Header(name), "true", StringComparison.OrdinalIgnoreCase);

    private RequestKind KindOf() => (Method, Path) switch
    {
        ("POST", [.., "sprocs", _]) => RequestKind.StoredProcedure,
        ("POST", [_, _, _, _, "docs"]) when Is("x-ms-cosmos-is-batch-request") => RequestKind.Batch,
        ("POST", [_, _, _, _, "docs"]) when Is("x-ms-documentdb-isquery") || Is("x-ms-cosmos-is-query-plan-request") => RequestKind.Query,
        ("POST", [_, _, _, _, "docs"]) => Is("x-ms-documentdb-is-upsert") ? RequestKind.Upsert : RequestKind.Create,
        ("GET", [_, _, _, _, "docs"]) => Header("A-IM") is null ? RequestKind.ReadFeed : RequestKind.ChangeFeed,
        (_, [_, _, _, _, "docs", _]) => Method switch
        {
            "GET" => RequestKind.Read,
            "PUT" => RequestKind.Replace,
            "PATCH" => RequestKind.Patch,
            _ => RequestKind.Delete,
        },
        _ => RequestKind.Metadata,
    };
}
