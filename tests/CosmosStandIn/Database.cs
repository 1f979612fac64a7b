namespace NodeStash.CosmosStandIn;

internal sealed class Database
{
    private readonly Dictionary<string, Container> containers = [];
    private readonly byte[] rid;
    private readonly StandInAccount account;

    public Database(string name, uint number, StandInAccount account)
    {
        this.account = account;
        Name = name;
        rid = BitConverter.GetBytes(number);
        Rid = Resource.Encode(rid);
        Properties = new JsonObject
        {
            ["id"] = name, ["_rid"] = Rid, ["_self"] = $"dbs/{Rid}/", ["_etag"] = "\"1\"", ["_colls"] = "colls/", ["_users"] = "users/",
            ["_ts"] = account.Time.GetUtcNow().ToUnixTimeSeconds(),
        };
    }

    public string Name { get; }

    public string Rid { get; }

    public JsonObject Properties { get; }

    public Container Find(string name) =>
        containers.GetValueOrDefault(name) ?? containers.Values.FirstOrDefault(container => container.Rid == name) ?? throw ServiceError.NotFound(name, 1003);

    public Reply Create(Request asked, uint number)
    {
        var properties = asked.JsonBody;
        if (containers.ContainsKey((string)properties["id"]!)) throw ServiceError.Conflict();
        var container = new Container(Name, rid, number, properties, account);
        containers[container.Name] = container;
        return new Reply(201, container.Properties);
    }

    public Reply List() => new(200, new JsonObject
    {
        ["_rid"] = Rid, ["DocumentCollections"] = containers.Values.Select(container => (object?)container.Properties).ToList(), ["_count"] = containers.Count,
    });

    public static Reply Replace(Container container, Request asked)
    {
        var properties = asked.JsonBody;
        if ((string)properties["id"]! != container.Name
            || Json.Text(((JsonObject)properties["partitionKey"]!)["paths"]) != Json.Text(((JsonObject)container.Properties["partitionKey"]!)["paths"]))
        {
            throw ServiceError.BadRequest("The id and the partition key of a container can't be changed.");
        }

        container.Replace(properties);
        return new Reply(200, container.Properties);
    }

    public Reply Delete(Container container)
    {
        containers.Remove(container.Name);
        return new Reply(204);
    }
}
