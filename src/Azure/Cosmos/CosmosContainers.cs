using System.Collections.ObjectModel;
using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Cosmos.Scripts;
using NodeStash.Core.Storage;

namespace NodeStash.Azure.Cosmos;

/// <summary>
/// The containers of the database: what each is partitioned by, indexes and forgets. Said here once; a deployment and a local database are made to
/// it.
/// </summary>
public static class CosmosContainers
{
    /// <summary>Records, unique keys, events and answers, by partition.</summary>
    public const string Crm = "crm";

    /// <summary>Deliveries of events, by partition.</summary>
    public const string Deliveries = "deliveries";

    /// <summary>Credentials and workspaces, each by itself.</summary>
    public const string Access = "access";

    /// <summary>Where the consumers of the change feed are.</summary>
    public const string Leases = "leases";

    private const string DataSet = "/pk";
    private const string Each = "/id";

    /// <summary>Documents live until their own <c>ttl</c>; those that have none, for ever.</summary>
    private const int ByDocument = -1;

    /// <summary>All of them.</summary>
    /// <param name="indexes">The sorts that each are a range of an index; <see cref="Core.Records.Catalog.Indexes"/>.</param>
    public static IReadOnlyList<ContainerProperties> All(IReadOnlyCollection<RecordIndex> indexes) =>
    [
        new(Crm, DataSet) { DefaultTimeToLive = ByDocument, IndexingPolicy = CrmIndex(indexes) },
        new(Deliveries, DataSet) { DefaultTimeToLive = ByDocument, IndexingPolicy = DeliveriesIndex() },
        new(Access, Each) { IndexingPolicy = Only() },
        new(Leases, Each),
    ];

    /// <summary>Makes what is missing of the database, its containers and their stored procedure: for tests and the emulator.</summary>
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
            // Made before.
        }

        return made;
    }

    /// <summary>
    /// What is never searched is not indexed: attributes, bodies, answers. Each documented sort is a composite index of the type, the key and
    /// the id; read backwards it serves the descending sort.
    /// </summary>
    private static IndexingPolicy CrmIndex(IReadOnlyCollection<RecordIndex> indexes)
    {
        var policy = Only("/pk/?", "/id/?", "/_ts/?", "/kind/?", "/type/?", "/keys/*", "/lists/*", "/name/?", "/record_id/?", "/record_version/?", "/at/?");
        foreach (var key in indexes.Select(index => index.Key).Append(RecordDocument.CreatedAt).Distinct().Order(StringComparer.Ordinal))
            policy.CompositeIndexes.Add(Ascending("/type", $"/keys/{KeyName.Of(key)}", "/id"));
        policy.CompositeIndexes.Add(Ascending("/kind", "/_ts", "/record_version", "/id"));
        policy.CompositeIndexes.Add(Ascending("/record_id", "/record_version", "/id"));
        return policy;
    }

    /// <summary>
    /// What is pending has its place in a queue; the log is read by endpoint, or endpoint and status, and id; lanes by endpoint and when they are
    /// due.
    /// </summary>
    private static IndexingPolicy DeliveriesIndex()
    {
        var policy = Only("/pk/?", "/webhook/?", "/status/?", "/queue/?", "/lane_of/?", "/due/?");
        policy.CompositeIndexes.Add(Ascending("/webhook", "/id"));
        policy.CompositeIndexes.Add(Ascending("/webhook", "/status", "/id"));
        policy.CompositeIndexes.Add(Ascending("/lane_of", "/due"));
        return policy;
    }

    private static IndexingPolicy Only(params string[] paths)
    {
        var policy = new IndexingPolicy();
        foreach (var path in paths) policy.IncludedPaths.Add(new IncludedPath { Path = path });
        policy.ExcludedPaths.Add(new ExcludedPath { Path = "/*" });
        return policy;
    }

    private static Collection<CompositePath> Ascending(params string[] paths) =>
        [.. paths.Select(path => new CompositePath { Path = path, Order = CompositePathSortOrder.Ascending })];
}
