using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Azure.Cosmos;
using NodeStash.Core.Storage;

namespace NodeStash.Azure.Cosmos;

/// <summary>
/// One logical partition of a container: nothing asked through it can reach another. Reads are repeated where the service falters; it says
/// what failed for good as a <see cref="StoreUnavailableException"/>.
/// </summary>
/// <param name="container">The container.</param>
/// <param name="key">The partition key.</param>
/// <param name="clock">For the waits between attempts.</param>
/// <param name="session">From where a client has written before; null for this process' own session.</param>
internal sealed class PartitionClient(Container container, string key, TimeProvider clock, string? session = null)
{
    /// <summary>The waits after the first, second, … failed attempt; then it is given up. What is throttled has been waited for by the SDK.</summary>
    public static readonly TimeSpan[] Waits = [TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(1)];

    private readonly bool isGiven = session is not null;

    public Container Container => container;

    public PartitionKey Key { get; } = new(key);

    /// <summary>The latest place in the log of writes that was seen; null before the first answer.</summary>
    public string? Session { get; private set; } = session;

    /// <summary>What to send of it: only what a client has brought, as the SDK keeps this process' own.</summary>
    public string? Sent => isGiven ? Session : null;

    /// <summary>The document, or null. One point read.</summary>
    public ValueTask<JsonElement?> Read(string id, CancellationToken ct) => Retried<JsonElement?>(
        async () =>
        {
            if (!IsId(id)) return null;
            using var answer = await Send(() => container.ReadItemStreamAsync(id, Key, new ItemRequestOptions { SessionToken = Sent }, ct), ct);
            return answer is null ? null : await Json(answer.Content, ct);
        },
        ct);

    /// <summary>
    /// The document as it is after every write so far, whoever made it, or null. Dearer than <see cref="Read"/>: a batch is done where writes are.
    /// </summary>
    public ValueTask<JsonElement?> ReadLatest(string id, CancellationToken ct) => Retried<JsonElement?>(
        async () =>
        {
            if (!IsId(id)) return null;
            using var answer = await ServiceErrors.Told(
                () => container.CreateTransactionalBatch(Key).ReadItem(id).ExecuteAsync(new TransactionalBatchRequestOptions { SessionToken = Sent }, ct), ct);
            if (answer.StatusCode is HttpStatusCode.NotFound && ServiceErrors.SubStatus(answer.Headers) == 0) return null;
            if (!answer.IsSuccessStatusCode) throw ServiceErrors.Of(answer.StatusCode, answer.Headers, () => answer.ErrorMessage);
            Saw(answer.Headers.Session);
            return await Json(answer[0].ResourceStream, ct);
        },
        ct);

    /// <summary>What a query finds, at most so many.</summary>
    public ValueTask<IReadOnlyList<JsonElement>> All(QueryDefinition query, int max, CancellationToken ct) => Retried<IReadOnlyList<JsonElement>>(
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

    /// <summary>What a query finds, read as it goes and not repeated: for use inside <see cref="Retried"/>.</summary>
    /// <param name="query">The query.</param>
    /// <param name="pageSize">The most to read at a time.</param>
    /// <param name="ct">Ends the wait.</param>
    public async IAsyncEnumerable<JsonElement> Rows(QueryDefinition query, int pageSize, [EnumeratorCancellation] CancellationToken ct)
    {
        using var pages =
            container.GetItemQueryStreamIterator(query, null, new QueryRequestOptions { PartitionKey = Key, MaxItemCount = pageSize, SessionToken = Sent });
        while (pages.HasMoreResults)
        {
            using var answer = await Send(() => pages.ReadNextAsync(ct), ct) ?? throw new StoreUnavailableException("The container does not exist.");
            foreach (var row in (await Json(answer.Content, ct)).GetProperty("Documents").EnumerateArray()) yield return row;
        }
    }

    /// <summary>Does what only reads, again where the service falters.</summary>
    public async ValueTask<T> Retried<T>(Func<ValueTask<T>> read, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await read();
            }
            catch (FalteringException e)
            {
                if (attempt == Waits.Length) throw e.Final();
                await Task.Delay(Waits[attempt], clock, ct);
            }
        }
    }

    /// <summary>Does a write that may be done twice; what it is about need not exist.</summary>
    public async ValueTask Write(Func<Task<ResponseMessage>> write, CancellationToken ct) => await Retried(
        async () =>
        {
            using var answer = await Send(write, ct);
            return answer is not null;
        },
        ct);

    /// <summary>Notes the session of an answer.</summary>
    public void Saw(string? answered)
    {
        if (answered is not null && !(Number(answered) < Number(Session))) Session = answered;
    }

    /// <summary>Whether any document can have it as its id. Source: Microsoft Learn, "Azure Cosmos DB service quotas", per-item limits.</summary>
    public static bool IsId(string id) => id.Length is > 0 and <= 255 && !id.AsSpan().ContainsAny(@"/\?#");

    /// <summary>Does one request to the service.</summary>
    /// <returns>The answer, a success; null where what was asked for does not exist.</returns>
    private async ValueTask<ResponseMessage?> Send(Func<Task<ResponseMessage>> send, CancellationToken ct)
    {
        var answer = await ServiceErrors.Told(send, ct);
        if (answer.IsSuccessStatusCode)
        {
            Saw(answer.Headers.Session);
            return answer;
        }

        using (answer)
        {
            if (answer.StatusCode is HttpStatusCode.NotFound && ServiceErrors.SubStatus(answer.Headers) == 0) return null;
            throw ServiceErrors.Of(answer.StatusCode, answer.Headers, () => answer.ErrorMessage);
        }
    }

    private static async ValueTask<JsonElement> Json(Stream content, CancellationToken ct)
    {
        using var bytes = new MemoryStream();
        await content.CopyToAsync(bytes, ct);
        return JsonElement.Parse(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
    }

    /// <summary>The number of the last write in a session token such as <c>0:-1#42</c>; null for none.</summary>
    private static long? Number(string? token) =>
        token?.Split('#') is [_, var number, ..] && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
}
