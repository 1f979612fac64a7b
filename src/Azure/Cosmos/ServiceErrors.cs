using System.Globalization;
using System.Net;
using Microsoft.Azure.Cosmos;
using NodeStash.Core.Storage;

namespace NodeStash.Azure.Cosmos;

/// <summary>The service did not do it this time, or did not say that it has: to be tried again.</summary>
/// <param name="message">What it answered.</param>
/// <param name="inner">What was thrown; null where it answered.</param>
/// <param name="mayHaveHappened">Whether a write may have been done all the same.</param>
internal sealed class FalteringException(string message, Exception? inner, bool mayHaveHappened) : Exception(message, inner)
{
    public bool MayHaveHappened => mayHaveHappened;

    /// <summary>When to try again, if the service said so.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public StoreUnavailableException Final() => new(Message, InnerException) { RetryAfter = RetryAfter };
}

/// <summary>What the answers of Cosmos DB that are not a success mean. Source: Microsoft Learn, "HTTP status codes for Azure Cosmos DB".</summary>
internal static class ServiceErrors
{
    private const HttpStatusCode RetryWith = (HttpStatusCode)449;
    private const int ReadSessionNotAvailable = 1002;

    /// <summary>Does one request.</summary>
    /// <exception cref="FalteringException">There was no answer.</exception>
    /// <exception cref="OperationCanceledException">The caller does not wait any more.</exception>
    public static async ValueTask<T> Told<T>(Func<Task<T>> send, CancellationToken ct)
    {
        try
        {
            return await send();
        }
        catch (CosmosException e)
        {
            throw Of(e.StatusCode, e.Headers, () => e.ResponseBody);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TimeoutException
            || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            throw new FalteringException("Cosmos DB does not answer.", e, mayHaveHappened: true);
        }
    }

    /// <summary>The exception for an answer.</summary>
    /// <param name="status">Not a success, and not one the request expects.</param>
    /// <param name="headers">Of the answer.</param>
    /// <param name="message">Gives what it says, for logs. Asked for only where that matters: it comes with all that the SDK did, which is long and
    /// dear.</param>
    public static Exception Of(HttpStatusCode status, Headers headers, Func<string?> message) => status switch
    {
        HttpStatusCode.TooManyRequests => new StoreUnavailableException("Cosmos DB is busy: its throughput is used up.") { RetryAfter = RetryAfter(headers) },
        RetryWith =>
            new FalteringException("Cosmos DB answered 449, others write the same.", null, mayHaveHappened: false) { RetryAfter = RetryAfter(headers) },
        HttpStatusCode.NotFound when SubStatus(headers) == ReadSessionNotAvailable =>
            new FalteringException("Cosmos DB has not come as far as the session.", null, mayHaveHappened: false),
        HttpStatusCode.RequestTimeout or HttpStatusCode.Gone or >= HttpStatusCode.InternalServerError =>
            new FalteringException($"Cosmos DB answered {(int)status}.", null, mayHaveHappened: true) { RetryAfter = RetryAfter(headers) },
        HttpStatusCode.RequestEntityTooLarge => new CommitTooLargeException("a document or a request is larger than Cosmos DB takes"),
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.NotFound =>
            new StoreUnavailableException($"Cosmos DB answered {(int)status}."),
        _ => new InvalidOperationException($"Cosmos DB answered {(int)status}: {message()}"),
    };

    public static int SubStatus(Headers headers) =>
        int.TryParse(headers["x-ms-substatus"], NumberStyles.None, CultureInfo.InvariantCulture, out var code) ? code : 0;

    private static TimeSpan? RetryAfter(Headers headers) =>
        double.TryParse(headers["x-ms-retry-after-ms"], NumberStyles.Float, CultureInfo.InvariantCulture, out var wait)
            ? TimeSpan.FromMilliseconds(wait)
            : null;
}
