using System.Globalization;

namespace NodeStash.CosmosStandIn;

/// <summary>A container with one physical partition: all its documents have one sequence of transactions. Used under the account's lock.</summary>
internal sealed class Container
{
    private readonly Dictionary<string, Dictionary<string, Document>> partitions = [];
    private readonly Dictionary<(string Partition, string Id), List<(long Lsn, Document? Document)>> history = [];
    private readonly StandInAccount account;
    private readonly byte[] rid;
    private long lastOrder;
    private long lastSecond;

    public Container(string database, byte[] databaseRid, uint number, JsonObject properties, StandInAccount account)
    {
        this.account = account;
        Name = (string)properties["id"]!;
        Link = $"dbs/{database}/colls/{Name}";

        // The first bit of a collection's number tells it from a user's.
        rid = [.. databaseRid, .. BigEndian(number | 0x80000000)];
        Rid = Resource.Encode(rid);
        Properties = properties;
        Replace(properties);
    }

    public string Name { get; }

    public string Rid { get; }

    /// <summary>The container by names: <c>dbs/crm/colls/access</c>.</summary>
    public string Link { get; }

    public JsonObject Properties { get; private set; }

    /// <summary>The property that holds the partition key.</summary>
    public IReadOnlyList<string> PartitionPath { get; private set; } = [];

    public IndexPolicy Index { get; private set; } = new(Indexed());

    /// <summary>The number of the last transaction.</summary>
    public long Lsn { get; private set; }

    public Dictionary<string, StoredProcedure> Procedures { get; } = [];

    /// <summary>The seconds of Unix time; they never go back.</summary>
    public long Now => lastSecond = Math.Max(lastSecond, account.Time.GetUtcNow().ToUnixTimeSeconds());

    /// <summary>Documents that have not expired, in the order of their creation.</summary>
    public IEnumerable<Document> Documents(string partition)
    {
        var now = Now;
        return partitions.GetValueOrDefault(partition)?.Values.Where(document => !(document.Expires <= now)).OrderBy(document => document.Order)
            ?? Enumerable.Empty<Document>();
    }

    public IEnumerable<Document> AllDocuments() => partitions.Keys.SelectMany(Documents);

    public Document? Find(string partition, string id) =>
        partitions.TryGetValue(partition, out var documents) && documents.TryGetValue(id, out var document) && !(document.Expires <= Now) ? document : null;

    /// <summary>
    /// What a read of a session sees: what that session has seen or written, and what is older than the account's lag. Its documents are those of one moment.
    /// </summary>
    public View For(long sessionLsn)
    {
        var seen = Math.Max(sessionLsn, Math.Max(0, Lsn - account.Lag));
        if (seen >= Lsn) return new View(Lsn, Find, Documents);
        var now = Now;
        var then = history.Select(entry => (entry.Key, entry.Value.FindLast(version => version.Lsn <= seen).Document))
            .Where(entry => entry.Document is { } document && !(document.Expires <= now)).ToDictionary(entry => entry.Key, entry => entry.Document!);
        return new View(seen, (partition, id) => then.GetValueOrDefault((partition, id)),
            partition => then.Values.Where(document => document.Partition == partition).OrderBy(document => document.Order));
    }

    /// <param name="Lsn">The transaction after which it is so.</param>
    /// <param name="Find">The document of a partition and an id, or null.</param>
    /// <param name="Documents">The documents of a partition, in the order of their creation.</param>
    public sealed record View(long Lsn, Func<string, string, Document?> Find, Func<string, IEnumerable<Document>> Documents);

    /// <summary>Takes other properties; the partition key stays.</summary>
    public void Replace(JsonObject properties)
    {
        var key = (JsonObject)properties["partitionKey"]!;
        if (key["paths"] is not JsonArray { Count: 1 } paths) throw ServiceError.NotModelled("A partition key of several paths");
        if (properties.GetValueOrDefault("uniqueKeyPolicy") is JsonObject unique && unique.GetValueOrDefault("uniqueKeys") is JsonArray { Count: > 0 })
            throw ServiceError.NotModelled("A unique key policy");
        if (properties.GetValueOrDefault("indexingPolicy") is not JsonObject) properties["indexingPolicy"] = Indexed();
        Index = new IndexPolicy((JsonObject)properties["indexingPolicy"]!);
        PartitionPath = ((string)paths[0]!).Trim('/').Split('/');
        key["kind"] ??= "Hash";
        key["version"] = 2;
        properties["_rid"] = Rid;
        properties["_ts"] = Now;
        properties["_self"] = $"dbs/{Resource.Encode(rid[..4])}/colls/{Rid}/";
        properties["_etag"] = ETag();
        properties["_docs"] = "docs/";
        properties["_sprocs"] = "sprocs/";
        properties["_triggers"] = "triggers/";
        properties["_udfs"] = "udfs/";
        properties["_conflicts"] = "conflicts/";
        Properties = properties;
    }

    /// <summary>What a write is done in: all of it becomes visible at once, or nothing.</summary>
    public sealed class Transaction(Container container)
    {
        private readonly List<(string Partition, string Id, Document? Before)> undo = [];

        public Container Container => container;

        public long Lsn { get; } = container.Lsn + 1;

        /// <summary>Stores a body under a new ETag and gives what is stored.</summary>
        public Document Put(string partition, string id, JsonObject body)
        {
            var before = container.Find(partition, id);
            var now = container.Now;
            var order = before?.Order ?? ++container.lastOrder;
            var etag = ETag();
            body["_rid"] = Resource.Encode([.. container.rid, .. BitConverter.GetBytes(order)]);
            body["_self"] = $"{container.Properties["_self"]}docs/{body["_rid"]}/";
            body["_etag"] = etag;
            body["_attachments"] = "attachments/";
            body["_ts"] = (double)now;
            var document = new Document(id, partition, body, etag, Lsn, order, Json.Bytes(body).Length, container.ExpiryOf(body, now));
            Set(partition, id, document);
            return document;
        }

        public void Remove(string partition, string id) => Set(partition, id, null);

        public void Commit()
        {
            if (undo.Count == 0) return;
            container.Lsn = Lsn;
            if (container.account.Lag > 0) Remember();
        }

        private void Remember()
        {
            foreach (var (partition, id) in undo.Select(change => (change.Partition, change.Id)).Distinct())
            {
                if (!container.history.TryGetValue((partition, id), out var versions)) container.history[(partition, id)] = versions = [];
                versions.Add((Lsn, container.partitions[partition].GetValueOrDefault(id)));
            }
        }

        public void RollBack()
        {
            for (var i = undo.Count - 1; i >= 0; i--) container.Set(undo[i].Partition, undo[i].Id, undo[i].Before);
            undo.Clear();
        }

        private void Set(string partition, string id, Document? document)
        {
            undo.Add((partition, id, container.partitions.GetValueOrDefault(partition)?.GetValueOrDefault(id)));
            container.Set(partition, id, document);
        }
    }

    private void Set(string partition, string id, Document? document)
    {
        if (!partitions.TryGetValue(partition, out var documents)) partitions[partition] = documents = [];
        if (document is null) documents.Remove(id);
        else documents[id] = document;
    }

    /// <summary>A document's own <c>ttl</c> counts only where the container has time to live on; -1 is never.</summary>
    private long? ExpiryOf(JsonObject body, long now)
    {
        if (Properties.GetValueOrDefault("defaultTtl") is not { } standard) return null;
        var ttl = body.GetValueOrDefault("ttl") is double own ? own : Convert.ToDouble(standard, CultureInfo.InvariantCulture);
        return ttl < 0 ? null : now + (long)ttl;
    }

    private static string ETag() => $"\"{Guid.CreateVersion7():D}\"";

    private static byte[] BigEndian(uint number) => [(byte)(number >> 24), (byte)(number >> 16), (byte)(number >> 8), (byte)number];

    private static JsonObject Indexed() => new()
    {
        ["indexingMode"] = "consistent",
        ["automatic"] = true,
        ["includedPaths"] = new JsonArray { new JsonObject { ["path"] = "/*" } },
        ["excludedPaths"] = new JsonArray { new JsonObject { ["path"] = "/\"_etag\"/?" } },
    };
}
