using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Azure.Cosmos;
using NodeStash.Core.Storage;

namespace NodeStash.Azure.Cosmos;

/// <summary>
/// Reads and writes one logical partition of a container, and can't reach another. Retries reads after transient errors, then throws a
/// <see cref="StoreUnavailableException"/>.
/// </summary>
/// <param name="container">The container.</param>
/// <param name="key">The partition key.</param>
/// <param name="clock">Times the delays between attempts.</param>
/// <param name="session">The session token of a client; null for the session of this process.</param>
internal sealed class PartitionClient(Container container, string key, TimeProvider clock, string? session = null)
{
    /// <summary>Delays after the first, second, … failed attempt; there is no attempt after the last. The SDK retries throttled requests itself.</summary>
    public static readonly TimeSpan[] RetryDelays = [TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(1)];

    private readonly bool isGiven = session is not null;

    public Container Container => container;

    public PartitionKey Key { get; } = new(key);

    /// <summary>Latest session token of a response; null before the first.</summary>
    public string? Session { get; private set; } = session;

    /// <summary>Session token to send with requests: only that of a client, because the SDK keeps the one of this process.</summary>
    public string? SessionToken => isGiven ? Session : null;

    /// <summary>Reads a document by one point read; null if there is none.</summary>
    public ValueTask<JsonElement?> Read(string id, CancellationToken ct) => Retry<JsonElement?>(
        async () =>
        {
            if (!IsId(id)) return null;
            using var answer = await Send(() => container.ReadItemStreamAsync(id, Key, new ItemRequestOptions { SessionToken = SessionToken }, ct), ct);
            return answer is null ? null : await Json(answer.Content, ct);
        },
        ct);

    /// <summary>
    /// Reads a document after every write so far by any client; null if there is none. Costs more than <see cref="Read"/>: a batch runs where writes do.
    /// </summary>
    public ValueTask<JsonElement?> ReadLatest(string id, CancellationToken ct) => Retry<JsonElement?>(
        async () =>
        {
            if (!IsId(id)) return null;
            using var answer = await ServiceErrors.Send(
                () => container.CreateTransactionalBatch(Key).ReadItem(id)
                    .ExecuteAsync(new TransactionalBatchRequestOptions { SessionToken = SessionToken }, ct),
                ct);
            if (answer.StatusCode is HttpStatusCode.NotFound && ServiceErrors.SubStatus(answer.Headers) == 0) return null;
            if (!answer.IsSuccessStatusCode) throw ServiceErrors.ToException(answer.StatusCode, answer.Headers, () => answer.ErrorMessage);
            RecordSession(answer.Headers.Session);
            return await Json(answer[0].ResourceStream, ct);
        },
        ct);

    /// <summary>Reads the rows of a query, up to a maximum.</summary>
    public ValueTask<IReadOnlyList<JsonElement>> All(QueryDefinition query, int max, CancellationToken ct) => Retry<IReadOnlyList<JsonElement>>(
        async () =>
        {
            var found = new List<JsonElement>();
            await foreach (var row in Rows(query, max, ct))
            {
                found.Add(row);
                if (found.Count == max) break;
            }

            return found;
        },
        ct);

    /// <summary>Streams the rows of a query without retries, for use inside <see cref="Retry"/>.</summary>
    /// <param name="query">The query.</param>
    /// <param name="pageSize">Maximum number of rows in a request.</param>
    /// <param name="ct">Ends the wait.</param>
    public async IAsyncEnumerable<JsonElement> Rows(QueryDefinition query, int pageSize, [EnumeratorCancellation] CancellationToken ct)
    {
        using var pages = container.GetItemQueryStreamIterator(
            query, null, new QueryRequestOptions { PartitionKey = Key, MaxItemCount = pageSize, SessionToken = SessionToken });
        while (pages.HasMoreResults)
        {
            using var answer = await Send(() => pages.ReadNextAsync(ct), ct)
                ?? throw new StoreUnavailableException("The container does not exist; deploy infra/bicep, or set COSMOS_CREATE for an emulator.");
            foreach (var row in (await Json(answer.Content, ct)).GetProperty("Documents").EnumerateArray()) yield return row;
        }
    }

    /// <summary>Runs a read, and retries it after transient errors.</summary>
    public async ValueTask<T> Retry<T>(Func<ValueTask<T>> read, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await read();
            }
            catch (TransientException e)
            {
                if (attempt == RetryDelays.Length) throw e.ToStoreUnavailable();
                await Task.Delay(RetryDelays[attempt], clock, ct);
            }
        }
    }

    /// <summary>Runs an idempotent write, and retries it after transient errors. Its document need not exist.</summary>
    public async ValueTask Write(Func<Task<ResponseMessage>> write, CancellationToken ct) => await Retry(
        async () =>
        {
            using var answer = await Send(write, ct);
            return answer is not null;
        },
        ct);

    /// <summary>Records the session token of a response, unless it is older.</summary>
    public void RecordSession(string? answered)
    {
        if (answered is not null && !(Number(answered) < Number(Session))) Session = answered;
    }

    /// <summary>Whether a document can have this id. Source: Microsoft Learn, "Azure Cosmos DB service quotas", per-item limits.</summary>
    public static bool IsId(string id) => id.Length is > 0 and <= 255 && !id.AsSpan().ContainsAny(@"/\?#");

    /// <summary>Sends one request to the service.</summary>
    /// <returns>The successful response; null if the document does not exist.</returns>
    private async ValueTask<ResponseMessage?> Send(Func<Task<ResponseMessage>> send, CancellationToken ct)
    {
        var answer = await ServiceErrors.Send(send, ct);
        if (answer.IsSuccessStatusCode)
        {
            RecordSession(answer.Headers.Session);
            return answer;
        }

        using (answer)
        {
            if (answer.StatusCode is HttpStatusCode.NotFound && ServiceErrors.SubStatus(answer.Headers) == 0) return null;
            throw ServiceErrors.ToException(answer.StatusCode, answer.Headers, () => answer.ErrorMessage);
        }
    }

    private static async ValueTask<JsonElement> Json(Stream content, CancellationToken ct)
    {
        using var bytes = new MemoryStream();
        await content.CopyToAsync(bytes, ct);
        return JsonElement.Parse(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
    }

    /// <summary>Reads the number of the last write from a session token such as <c>0:-1#42</c>; null for none.</summary>
    private static long? Number(string? token) =>
        token?.Split('#') is [_, var number, ..] && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
}
