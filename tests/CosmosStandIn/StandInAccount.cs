using System.Collections.Concurrent;
using Microsoft.Azure.Cosmos;

namespace NodeStash.CosmosStandIn;

/// <summary>
/// An account of Azure Cosmos DB for tests, in memory, behind the real client library: it answers what the library sends in gateway mode. It is as strict
/// as the service where the service is strict, and refuses what it does not model; see the README.
/// </summary>
/// <param name="time">Where <c>_ts</c> and the end of documents with a time to live come from.</param>
public sealed class StandInAccount(TimeProvider time) : HttpMessageHandler
{
    private readonly Lock gate = new();
    private readonly ConcurrentQueue<LoggedRequest> log = [];
    private readonly Dictionary<string, Database> databases = [];
    private uint lastNumber;

    static StandInAccount()
    {
        // The client library reads these once: no look for a virtual machine's metadata, and its own compiler for query plans instead of the gateway's.
        Environment.SetEnvironmentVariable("COSMOS_DISABLE_IMDS_ACCESS", "true");
        Environment.SetEnvironmentVariable("AZURE_COSMOS_USE_QUERY_PLAN_INTEROP_LINUX", "true");
    }

    /// <summary>What was asked, in order; the oldest first.</summary>
    public IReadOnlyList<LoggedRequest> Log => [.. log];

    /// <summary>
    /// The containers where a query that names no partition key is answered: what needs one is too dear to go unnoticed. The client library's own
    /// change feed processor lists its leases so.
    /// </summary>
    public ISet<string> AllowsCrossPartitionQueriesIn { get; } = new HashSet<string> { "leases", "access" };

    /// <summary>
    /// How many transactions a read may be behind, for a client that has neither seen nor made them; it then is as far behind as it may be. That is
    /// what session consistency allows. 0 unless set: every read sees the last write.
    /// </summary>
    public int Lag { get; init; }

    /// <summary>What is to go wrong.</summary>
    public Faults Faults { get; } = new();

    /// <summary>Is awaited before each request is done: a test can let something else happen first. Null for nothing.</summary>
    public Func<PendingRequest, Task>? OnRequest { get; set; }

    /// <summary>Forgets what was asked so far.</summary>
    public void ClearLog() => log.Clear();

    /// <summary>Opens a client of the account. Any number can be open; each is to be disposed of.</summary>
    /// <param name="configure">Sets further options.</param>
    public CosmosClient Connect(Action<CosmosClientOptions>? configure = null)
    {
        var options = new CosmosClientOptions
        {
            ConnectionMode = ConnectionMode.Gateway, LimitToEndpoint = true,
            HttpClientFactory = () => new HttpClient(this, disposeHandler: false)
        };
        configure?.Invoke(options);
        return new CosmosClient("https://stand-in.localhost", Convert.ToBase64String("no secret: the stand-in checks no signature"u8), options);
    }

    /// <summary>Says what stands in for the stored procedures of an id, in every container they are created in.</summary>
    public void OnStoredProcedure(string id, StoredProcedure procedure) => Procedures[id] = procedure;

    internal TimeProvider Time => time;

    internal Dictionary<string, StoredProcedure> Procedures { get; } = [];

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var body = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
        var asked = new Request(request, body);
        var pending = new PendingRequest(asked.Kind, asked.Container, asked.PartitionKey, asked.Detail);
        if (OnRequest is { } before) await before(pending);
        var problem = Faults.Strike(pending);
        Reply? reply;
        try
        {
            reply = await Answer(asked, problem);
        }
        catch (ServiceError error)
        {
            reply = Reply.Of(error);
        }

        log.Enqueue(new LoggedRequest(
            request.Method.Method, asked.Kind, asked.Container, asked.PartitionKey, asked.Detail, reply?.Status ?? 0, reply?.Charge ?? 0));
        return reply?.ToMessage(request) ?? throw new HttpRequestException("The connection broke.", new IOException("The response ended prematurely."));
    }

    /// <returns>Null where the connection breaks.</returns>
    private async Task<Reply?> Answer(Request asked, Fault? problem)
    {
        asked.Fault = problem;
        switch (problem)
        {
            case Fault.TooManyRequests: return Reply.Of(new ServiceError(429, "Request rate is large.", 3200)) with { RetryAfter = Faults.RetryAfter };
            case Fault.RetryWith: return Reply.Of(new ServiceError(449, "Conflicting request to resource has been attempted. Retry to avoid conflicts."));
            case Fault.ServiceUnavailable: return Reply.Of(new ServiceError(503, "Service is currently unavailable."));
            case Fault.TimeoutBefore: return Reply.Of(new ServiceError(408, "Request timed out."));
            case Fault.DisconnectBefore: return null;
        }

        var reply = await Answer(asked);
        return problem switch
        {
            Fault.TimeoutAfter => Reply.Of(new ServiceError(408, "Request timed out.")),
            Fault.DisconnectAfter => null,
            _ => reply,
        };
    }

    private async Task<Reply> Answer(Request asked)
    {
        if (asked.Kind == RequestKind.Batch)
        {
            if (asked.Body.Length > Operation.MaxDocumentBytes) throw ServiceError.TooLarge();
            asked.Operations = await BatchWire.Read(new MemoryStream(asked.Body), asked.RequiredPartitionKey);
            asked.Detail = $"{asked.Operations.Count} operations";
        }

        Reply reply;
        lock (gate) reply = Route(asked);
        return reply.Results is { } results ? reply with { Body = await BatchWire.Write(results) } : reply;
    }

    private Reply Route(Request asked) => asked.Path switch
    {
        [] => new Reply(200, Account()),
        ["dbs"] when asked.Method == "POST" => CreateDatabase(asked),
        ["dbs", var database] => asked.Method switch
        {
            "GET" => new Reply(200, Find(database).Properties),
            "DELETE" => Delete(Find(database)),
            _ => throw ServiceError.NotModelled($"{asked.Method} of a database"),
        },
        ["dbs", var database, "colls"] => asked.Method == "POST" ? Find(database).Create(asked, ++lastNumber) : Find(database).List(),
        ["dbs", var database, "colls", var container, .. var rest] => Within(Find(database), Find(database).Find(container), rest, asked),
        _ => throw ServiceError.NotModelled($"{asked.Method} /{string.Join('/', asked.Path)}"),
    };

    private Reply Within(Database database, Container container, string[] path, Request asked)
    {
        return path switch
        {
            [] => asked.Method switch
            {
                "GET" => new Reply(200, container.Properties),
                "PUT" => Database.Replace(container, asked),
                "DELETE" => database.Delete(container),
                _ => throw ServiceError.NotModelled($"{asked.Method} of a container"),
            },
            ["pkranges"] => Ranges(container, asked),
            ["docs", .. var document] =>
                Within(container,
                    () => new DocumentRequest(container, asked, AllowsCrossPartitionQueriesIn.Contains(container.Name)).Answer(
                        document is [var id] ? id : null)),
            ["sprocs", .. var procedure] =>
                Within(container, () => new ProcedureRequest(container, asked, Procedures).Answer(procedure is [var id] ? id : null)),
            _ => throw ServiceError.NotModelled($"/{string.Join('/', path)} of a container"),
        };
    }

    /// <summary>What is answered from a container's partition, a refusal too, tells how far that is.</summary>
    private static Reply Within(Container container, Func<Reply> answer)
    {
        try
        {
            return answer().From(container);
        }
        catch (ServiceError error)
        {
            return Reply.Of(error).From(container);
        }
    }

    /// <summary>One range, which is all keys; asked again from its ETag, nothing is new.</summary>
    private static Reply Ranges(Container container, Request asked) => asked.Header("If-None-Match") is not null
        ? new Reply(304) { ETag = "\"1\"" }
        : new Reply(200, new JsonObject
        {
            ["_rid"] = container.Rid,
            ["PartitionKeyRanges"] = new JsonArray
            {
                new JsonObject
                {
                    ["id"] = "0",
                    ["_rid"] = Resource.Encode([.. Convert.FromBase64String(container.Rid.Replace('-', '/')), 2, 0, 0, 0, 0, 0, 0, 0x50]),
                    ["minInclusive"] = "",
                    ["maxExclusive"] = "FF",
                    ["ridPrefix"] = 0,
                    ["throughputFraction"] = 1,
                    ["status"] = "online",
                    ["parents"] = new JsonArray(),
                },
            },
            ["_count"] = 1,
        })
        { ETag = "\"1\"" };

    private Reply CreateDatabase(Request asked)
    {
        var name = (string)asked.JsonBody["id"]!;
        if (databases.ContainsKey(name)) throw ServiceError.Conflict();
        return new Reply(201, (databases[name] = new Database(name, ++lastNumber, this)).Properties);
    }

    private Reply Delete(Database database)
    {
        databases.Remove(database.Name);
        return new Reply(204);
    }

    private Database Find(string name) =>
        databases.GetValueOrDefault(name) ?? databases.Values.FirstOrDefault(database => database.Rid == name) ?? throw ServiceError.NotFound(name);

    private static JsonObject Account()
    {
        var regions = new JsonArray { new JsonObject { ["name"] = "Stand-in", ["databaseAccountEndpoint"] = "https://stand-in.localhost/" } };
        return new JsonObject
        {
            ["_self"] = "",
            ["id"] = "stand-in",
            ["_rid"] = "stand-in.localhost",
            ["media"] = "//media/",
            ["addresses"] = "//addresses/",
            ["_dbs"] = "//dbs/",
            ["writableLocations"] = regions,
            ["readableLocations"] = regions,
            ["enableMultipleWriteLocations"] = false,
            ["userReplicationPolicy"] = new JsonObject { ["asyncReplication"] = false, ["minReplicaSetSize"] = 3, ["maxReplicasetSize"] = 4 },
            ["userConsistencyPolicy"] = new JsonObject { ["defaultConsistencyLevel"] = "Session" },
            ["systemReplicationPolicy"] = new JsonObject { ["minReplicaSetSize"] = 3, ["maxReplicasetSize"] = 4 },
            ["readPolicy"] = new JsonObject { ["primaryReadCoefficient"] = 1, ["secondaryReadCoefficient"] = 1 },
            ["queryEngineConfiguration"] = """{"maxSqlQueryInputLength":524288,"maxJoinsPerSqlQuery":10,"maxLogicalAndPerSqlQuery":2000,"maxLogicalOrPerSqlQuery":2000,"maxUdfRefPerSqlQuery":10,"maxInExpressionItemsCount":16000,"queryMaxInMemorySortDocumentCount":500,"maxQueryRequestTimeoutFraction":0.9,"sqlAllowNonFiniteNumbers":false,"sqlAllowAggregateFunctions":true,"sqlAllowSubQuery":true,"sqlAllowScalarSubQuery":true,"allowNewKeywords":true,"sqlAllowLike":true,"sqlAllowGroupByClause":true,"maxSpatialQueryCells":12,"spatialMaxGeometryPointCount":256,"sqlDisableQueryILOptimization":false,"sqlDisableFilterPlanOptimization":false,"sqlAllowTop":true,"enableSpatialIndexing":true}""",
        };
    }
}
