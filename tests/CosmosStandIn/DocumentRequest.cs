using System.Globalization;
using NodeStash.CosmosStandIn.Sql;

namespace NodeStash.CosmosStandIn;

/// <summary>Answers what is asked of a container's documents.</summary>
internal sealed class DocumentRequest(Container container, Request asked, bool allowsCrossPartition)
{
    /// <summary>The most operations of a batch. Source: Microsoft Learn, "Transactional batch operations".</summary>
    private const int MostOperations = 100;

    public Reply Answer(string? id)
    {
        var view = container.For(SessionLsn());
        return asked.Kind switch
        {
            RequestKind.Batch => Batch(),
            RequestKind.Query => Query(view).Of(view),
            RequestKind.ReadFeed => List(view).Of(view),
            RequestKind.ChangeFeed => Changes(),
            RequestKind.Create => One(OperationKind.Create, id),
            RequestKind.Upsert => One(OperationKind.Upsert, id),
            RequestKind.Read => Read(view, id!),
            RequestKind.Replace => One(OperationKind.Replace, id),
            RequestKind.Patch => One(OperationKind.Patch, id),
            _ => One(OperationKind.Delete, id),
        };
    }

    /// <summary>A session that is ahead of this container is not one it gave.</summary>
    private long SessionLsn()
    {
        var token = asked.Header("x-ms-session-token")?.Split(',')[0];
        if (token?.Split('#') is not [_, var number, ..] || !long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var lsn)) return 0;
        return lsn <= container.Lsn ? lsn : throw new ServiceError(404, "The read session is not available for the input session token.", 1002);
    }

    private Reply Read(Container.View view, string id)
    {
        if (view.Find(asked.RequiredPartitionKey, id) is not { } document) return Reply.Of(ServiceError.NotFound(id)).Of(view);
        var charge = Charges.PointRead(document.Bytes);
        var reply = asked.Header("If-None-Match") is { } known && (known == "*" || known == document.ETag) ? new Reply(304) : new Reply(200, document.Body);
        return (reply with { ETag = document.ETag, Charge = charge }).Of(view);
    }

    private Reply One(OperationKind kind, string? id)
    {
        var isMinimal = asked.Header("Prefer")?.Contains("return=minimal", StringComparison.OrdinalIgnoreCase) == true;
        var operation = new Operation(kind, asked.RequiredPartitionKey, id, asked.Body, asked.Header("If-Match"), asked.Header("If-None-Match"), isMinimal);
        var transaction = new Container.Transaction(container);
        try
        {
            var result = operation.Run(transaction);
            transaction.Commit();
            return new Reply(result.Status, result.Body ?? []) { ETag = result.ETag, Charge = result.Charge };
        }
        catch (ServiceError)
        {
            transaction.RollBack();
            throw;
        }
    }

    /// <summary>All operations or none; of a batch that fails, the first to fail says why and the others have 424.</summary>
    private Reply Batch()
    {
        if (!asked.Is("x-ms-cosmos-batch-atomic")) throw ServiceError.NotModelled("A bulk request");
        if (asked.Operations.Count > MostOperations)
            throw ServiceError.BadRequest($"Batch request has more operations than what is supported: {MostOperations}.");
        var transaction = new Container.Transaction(container);
        var results = new List<OperationResult>();
        foreach (var operation in asked.Operations)
        {
            try
            {
                results.Add(operation.Run(transaction));
            }
            catch (ServiceError error)
            {
                transaction.RollBack();
                var failed = Enumerable.Repeat(new OperationResult(424, 0), asked.Operations.Count).ToList();
                failed[results.Count] = new OperationResult(error.Status, Charges.Least, SubStatus: error.SubStatus);
                return new Reply(207) { Results = failed, Charge = results.Sum(result => result.Charge) + Charges.Least };
            }
        }

        transaction.Commit();
        return new Reply(200) { Results = results, Charge = results.Sum(result => result.Charge) };
    }

    private Reply Query(Container.View view)
    {
        if (asked.Is("x-ms-cosmos-is-query-plan-request")) throw ServiceError.NotModelled("The gateway's query plan");
        var body = asked.JsonBody;
        var text = (string)body["query"]!;
        asked.Detail = text;
        var parameters = (body.GetValueOrDefault("parameters") as JsonArray ?? []).OfType<JsonObject>()
            .ToDictionary(parameter => (string)parameter["name"]!, parameter => parameter.GetValueOrDefault("value"));
        var query = Parser.Read(text.Replace("{documentdb-formattableorderbyquery-filter}", "true", StringComparison.Ordinal), parameters);
        if (asked.PartitionKey is null && !allowsCrossPartition && !query.Pins(container.PartitionPath))
        {
            throw ServiceError.BadRequest("Cross partition query is not allowed: set a partition key.");
        }

        var documents = asked.PartitionKey is { } partition ? view.Documents(partition) : container.AllDocuments();
        var page = QueryRun.Page(query, container, documents, asked.PageSize, asked.Header("x-ms-continuation"));
        return Feed(page.Items, page.Charge) with { Continuation = page.Continuation };
    }

    private Reply List(Container.View view)
    {
        var documents = asked.PartitionKey is { } partition ? view.Documents(partition)
            : allowsCrossPartition ? container.AllDocuments()
            : throw ServiceError.BadRequest("A list of all partitions' documents is not allowed: set a partition key.");
        var page = QueryRun.Page(Parser.Read("SELECT * FROM c", []), container, documents, asked.PageSize, asked.Header("x-ms-continuation"));
        return Feed(page.Items, page.Charge) with { Continuation = page.Continuation };
    }

    /// <summary>
    /// The documents as they are now that were written after a transaction, in the order of transactions, each once. A page never ends within a transaction.
    /// </summary>
    private Reply Changes()
    {
        if (!string.Equals(asked.Header("A-IM"), "Incremental Feed", StringComparison.OrdinalIgnoreCase))
            throw ServiceError.NotModelled("A change feed of all versions and deletes");
        var documents = asked.PartitionKey is { } partition ? container.Documents(partition) : container.AllDocuments();
        var after = ChangesAfter();
        var changed = documents.Where(document => document.Lsn > after).OrderBy(document => document.Lsn).ThenBy(document => document.Order).ToList();
        var count = Math.Min(asked.PageSize, changed.Count);
        while (count > 0 && count < changed.Count && changed[count].Lsn == changed[count - 1].Lsn) count++;
        var page = changed[..count];
        var end = count == changed.Count ? container.Lsn : page[^1].Lsn;
        var etag = string.Create(CultureInfo.InvariantCulture, $"\"{end}\"");
        if (page.Count == 0) return new Reply(304) { ETag = etag, ItemCount = 0 };
        var items = page.ConvertAll(document => (object?)new JsonObject(document.Body) { ["_lsn"] = document.Lsn });
        return Feed(items, Charges.Query(page.Count, 0, page.Sum(document => (long)document.Bytes))) with { ETag = etag };
    }

    private long ChangesAfter()
    {
        if (asked.Header("If-None-Match") is { } etag)
        {
            if (etag == "*") return container.Lsn;
            return long.TryParse(etag.Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var lsn) && lsn <= container.Lsn
                ? lsn
                : throw ServiceError.BadRequest("The change feed's continuation is invalid.");
        }

        if (asked.Header("If-Modified-Since") is not { } since) return 0;
        var second = DateTimeOffset.Parse(since, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).ToUnixTimeSeconds();
        var before = container.AllDocuments().Where(document => (double)document.Body["_ts"]! < second).Select(document => document.Lsn);
        return before.DefaultIfEmpty(0).Max();
    }

    private Reply Feed(IReadOnlyList<object?> items, double charge) =>
        new(200, new JsonObject { ["_rid"] = container.Rid, ["Documents"] = items.ToList(), ["_count"] = items.Count })
        {
            Charge = charge,
            ItemCount = items.Count,
        };
}
