using System.Globalization;
using System.Net;
using Microsoft.Azure.Cosmos;
using NodeStash.Core.Storage;

namespace NodeStash.Azure.Cosmos;

/// <summary>A transient error: the request failed or its response was lost. Retry it.</summary>
/// <param name="message">The response of the service.</param>
/// <param name="inner">The exception; null if the service responded.</param>
/// <param name="maybeSucceeded">Whether a write may have succeeded.</param>
internal sealed class TransientException(string message, Exception? inner, bool maybeSucceeded) : Exception(message, inner)
{
    public bool MayHaveSucceeded => maybeSucceeded;

    /// <summary>Delay before the next attempt, if the service named one.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public StoreUnavailableException ToStoreUnavailable() => new(Message, InnerException) { RetryAfter = RetryAfter };
}

/// <summary>Converts error responses of Cosmos DB to exceptions. Source: Microsoft Learn, "HTTP status codes for Azure Cosmos DB".</summary>
internal static class ServiceErrors
{
    private const HttpStatusCode RetryWith = (HttpStatusCode)449;
    private const int ReadSessionNotAvailable = 1002;

    /// <summary>Sends one request.</summary>
    /// <exception cref="TransientException">The service did not respond, or failed transiently.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled the request.</exception>
    public static async ValueTask<T> Send<T>(Func<Task<T>> send, CancellationToken ct)
    {
        try
        {
            return await send();
        }
        catch (CosmosException e)
        {
            throw ToException(e.StatusCode, e.Headers, () => e.ResponseBody);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TimeoutException
            || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            throw new TransientException("Cosmos DB does not respond.", e, maybeSucceeded: true);
        }
    }

    /// <summary>Creates the exception for an error response.</summary>
    /// <param name="status">A status that is neither a success nor expected by the request.</param>
    /// <param name="headers">The headers of the response.</param>
    /// <param name="message">Reads the message for logs. Called only if needed, because it includes the diagnostics of the SDK, which are long and
    /// costly.</param>
    public static Exception ToException(HttpStatusCode status, Headers headers, Func<string?> message) => status switch
    {
        HttpStatusCode.TooManyRequests =>
            new StoreUnavailableException("Cosmos DB throttles requests: its throughput is used up. Retry later, or raise the throughput.")
            {
                RetryAfter = RetryAfter(headers),
            },
        RetryWith =>
            new TransientException("Cosmos DB answered 449: another request writes the same document.", null, maybeSucceeded: false)
            {
                RetryAfter = RetryAfter(headers),
            },
        HttpStatusCode.NotFound when SubStatus(headers) == ReadSessionNotAvailable =>
            new TransientException("Cosmos DB has not replicated the writes of the session yet.", null, maybeSucceeded: false),
        HttpStatusCode.RequestTimeout or HttpStatusCode.Gone or >= HttpStatusCode.InternalServerError =>
            new TransientException($"Cosmos DB answered {(int)status}.", null, maybeSucceeded: true) { RetryAfter = RetryAfter(headers) },
        HttpStatusCode.RequestEntityTooLarge => new CommitTooLargeException("a document or request exceeds the size limit of Cosmos DB"),
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.NotFound =>
            new StoreUnavailableException($"Cosmos DB answered {(int)status}: check the address, the database and the role of the app's identity."),
        _ => new InvalidOperationException($"Cosmos DB answered {(int)status}: {message()}"),
    };

    public static int SubStatus(Headers headers) =>
        int.TryParse(headers["x-ms-substatus"], NumberStyles.None, CultureInfo.InvariantCulture, out var code) ? code : 0;

    private static TimeSpan? RetryAfter(Headers headers) =>
        double.TryParse(headers["x-ms-retry-after-ms"], NumberStyles.Float, CultureInfo.InvariantCulture, out var wait)
            ? TimeSpan.FromMilliseconds(wait)
            : null;
}
