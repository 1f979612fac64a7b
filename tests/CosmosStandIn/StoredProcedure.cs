using System.Text.Json;

namespace NodeStash.CosmosStandIn;

/// <summary>
/// What stands in for a stored procedure: the stand-in runs no JavaScript. It is done whole, or, if it throws, not at all.
/// </summary>
/// <param name="scope">The documents of the partition it is called for.</param>
/// <param name="arguments">The arguments of the call, in order.</param>
/// <returns>What it answers, as JSON; null for nothing.</returns>
public delegate JsonElement? StoredProcedure(ProcedureScope scope, IReadOnlyList<JsonElement> arguments);

/// <summary>An error a stored procedure throws: everything it did is undone, and the caller gets 400 with the message.</summary>
/// <param name="message">The text of the error.</param>
public sealed class ProcedureException(string message) : Exception(message);

/// <summary>What the server-side API lets a stored procedure do: operations in its own partition, each seen by the next.</summary>
public sealed class ProcedureScope
{
    private readonly Container.Transaction transaction;
    private readonly string partition;

    internal ProcedureScope(Container.Transaction transaction, string partition)
    {
        this.transaction = transaction;
        this.partition = partition;
    }

    internal double Charge { get; private set; } = Charges.Least;

    /// <returns>200 with the document, or 404.</returns>
    public (int Status, JsonElement? Document) Read(string id) => Run(OperationKind.Read, id, null, null);

    /// <returns>201, 409 where there is one, 413, or 400.</returns>
    public (int Status, JsonElement? Document) Create(JsonElement document) => Run(OperationKind.Create, null, document, null);

    public (int Status, JsonElement? Document) Upsert(JsonElement document) => Run(OperationKind.Upsert, null, document, null);

    /// <returns>200, 404, 412 if it does not have the ETag, 413, or 400.</returns>
    public (int Status, JsonElement? Document) Replace(string id, JsonElement document, string? etag) => Run(OperationKind.Replace, id, document, etag);

    /// <returns>204, 404, or 412 if it does not have the ETag.</returns>
    public (int Status, JsonElement? Document) Delete(string id, string? etag) => Run(OperationKind.Delete, id, null, etag);

    /// <returns>Everything the query finds in the partition.</returns>
    /// <exception cref="ProcedureException">The query is refused.</exception>
    public IReadOnlyList<JsonElement> Query(string query, IReadOnlyDictionary<string, JsonElement> parameters)
    {
        try
        {
            var read = Sql.Parser.Read(query, parameters.ToDictionary(parameter => parameter.Key, parameter => Json.From(parameter.Value)));
            var page = QueryRun.Page(read, transaction.Container, transaction.Container.Documents(partition), int.MaxValue, null);
            Charge += page.Charge;
            return [.. page.Items.Select(Element)];
        }
        catch (ServiceError error)
        {
            throw new ProcedureException(error.Message);
        }
    }

    private (int Status, JsonElement? Document) Run(OperationKind kind, string? id, JsonElement? document, string? etag)
    {
        try
        {
            var body = document is { } given ? JsonSerializer.SerializeToUtf8Bytes(given) : [];
            var result = new Operation(kind, partition, id, body, etag, null, IsMinimal: false).Run(transaction);
            Charge += result.Charge;
            return (result.Status, result.Body is { } after ? JsonElement.Parse(after) : null);
        }
        catch (ServiceError error)
        {
            return (error.Status, null);
        }
    }

    private static JsonElement Element(object? value) => JsonElement.Parse(Json.Bytes(value));
}
