using System.Collections.ObjectModel;
using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Cosmos.Scripts;
using NodeStash.Core.Storage;

namespace NodeStash.Azure.Cosmos;

/// <summary>
/// Defines the containers of the database: partition keys, indexes and times to live. Deployments and local databases follow this definition.
/// </summary>
public static class CosmosContainers
{
    /// <summary>Records, unique keys, events and answers, by partition.</summary>
    public const string Crm = "crm";

    /// <summary>Deliveries of events, by partition.</summary>
    public const string Deliveries = "deliveries";

    /// <summary>Credentials and workspaces, each in its own partition.</summary>
    public const string Access = "access";

    /// <summary>Positions of the consumers of the change feed.</summary>
    public const string Leases = "leases";

    private const string PartitionPath = "/pk";
    private const string IdPath = "/id";

    /// <summary>Time to live that leaves expiry to each document: a document without its own <c>ttl</c> never expires.</summary>
    private const int ByDocument = -1;

    /// <summary>Lists all containers.</summary>
    /// <param name="indexes">Sorts that need an index; see <see cref="Core.Records.Catalog.Indexes"/>.</param>
    public static IReadOnlyList<ContainerProperties> All(IReadOnlyCollection<RecordIndex> indexes) =>
    [
        new(Crm, PartitionPath) { DefaultTimeToLive = ByDocument, IndexingPolicy = CrmIndex(indexes) },
        new(Deliveries, PartitionPath) { DefaultTimeToLive = ByDocument, IndexingPolicy = DeliveriesIndex() },
        new(Access, IdPath) { IndexingPolicy = Include() },
        new(Leases, IdPath),
    ];

    /// <summary>Creates the database, its containers and their stored procedure if missing, for tests and the emulator.</summary>
    public static async Task<Database> Create(CosmosClient client, string database, IReadOnlyCollection<RecordIndex> indexes, CancellationToken ct)
    {
        Database made = await client.CreateDatabaseIfNotExistsAsync(database, cancellationToken: ct);
        foreach (var container in All(indexes)) await made.CreateContainerIfNotExistsAsync(container, cancellationToken: ct);
        try
        {
            await made.GetContainer(Crm).Scripts.CreateStoredProcedureAsync(
                new StoredProcedureProperties(CommitProcedure.Id, CommitProcedure.Body), cancellationToken: ct);
        }
        catch (CosmosException e) when (e.StatusCode is System.Net.HttpStatusCode.Conflict)
        {
            // It exists already.
        }

        return made;
    }

    /// <summary>
    /// Indexes everything that queries use, so not attributes, bodies and answers. Each documented sort is a composite index of type, key and id; read
    /// backwards, it serves the descending sort.
    /// </summary>
    private static IndexingPolicy CrmIndex(IReadOnlyCollection<RecordIndex> indexes)
    {
        var policy = Include("/pk/?", "/id/?", "/_ts/?", "/kind/?", "/type/?", "/keys/*", "/lists/*", "/name/?", "/record_id/?", "/record_version/?", "/at/?");
        foreach (var key in indexes.Select(index => index.Key).Append(RecordDocument.CreatedAt).Distinct().Order(StringComparer.Ordinal))
            policy.CompositeIndexes.Add(Ascending("/type", $"/keys/{KeyName.Of(key)}", "/id"));
        policy.CompositeIndexes.Add(Ascending("/kind", "/_ts", "/record_version", "/id"));
        policy.CompositeIndexes.Add(Ascending("/record_id", "/record_version", "/id"));
        return policy;
    }

    /// <summary>Indexes pending deliveries by queue, all deliveries by endpoint (and status) and id, and lanes by endpoint and due time.</summary>
    private static IndexingPolicy DeliveriesIndex()
    {
        var policy = Include("/pk/?", "/webhook/?", "/status/?", "/queue/?", "/lane_of/?", "/due/?");
        policy.CompositeIndexes.Add(Ascending("/webhook", "/id"));
        policy.CompositeIndexes.Add(Ascending("/webhook", "/status", "/id"));
        policy.CompositeIndexes.Add(Ascending("/lane_of", "/due"));
        return policy;
    }

    private static IndexingPolicy Include(params string[] paths)
    {
        var policy = new IndexingPolicy();
        foreach (var path in paths) policy.IncludedPaths.Add(new IncludedPath { Path = path });
        policy.ExcludedPaths.Add(new ExcludedPath { Path = "/*" });
        return policy;
    }

    private static Collection<CompositePath> Ascending(params string[] paths) =>
        [.. paths.Select(path => new CompositePath { Path = path, Order = CompositePathSortOrder.Ascending })];
}
