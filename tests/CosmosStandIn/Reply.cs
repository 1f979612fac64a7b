using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace NodeStash.CosmosStandIn;

/// <summary>An answer, in the words of the protocol.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Body">The content.</param>
internal sealed record Reply(int Status, byte[] Body)
{
    private Container? container;
    private long? lsn;

    public Reply(int status, JsonObject? content = null)
        : this(status, content is null ? [] : Json.Bytes(content))
    {
    }

    public string? ETag { get; init; }

    public double Charge { get; init; } = Charges.Least;

    public int SubStatus { get; init; }

    public string? Continuation { get; init; }

    public int? ItemCount { get; init; }

    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Of a batch, which is written once the lock is released.</summary>
    public IReadOnlyList<OperationResult>? Results { get; init; }

    public static Reply Of(ServiceError error) =>
        new(error.Status, new JsonObject { ["code"] = ((HttpStatusCode)error.Status).ToString(), ["message"] = error.Message })
        {
            SubStatus = error.SubStatus,
        };

    /// <summary>Marks it with the container it is from, and how far that is now.</summary>
    public Reply From(Container from) => this with { container = from, lsn = lsn ?? from.Lsn };

    /// <summary>Says that it is of an earlier state.</summary>
    public Reply Of(Container.View view) => this with { lsn = view.Lsn };

    public HttpResponseMessage ToMessage(HttpRequestMessage request)
    {
        var message = new HttpResponseMessage((HttpStatusCode)Status) { RequestMessage = request, Content = new ByteArrayContent(Body) };
        message.ReasonPhrase ??= "Retry With"; // the one status of the service that HTTP does not know
        message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        Set("x-ms-request-charge", Charge.ToString(CultureInfo.InvariantCulture));
        Set("x-ms-activity-id", request.Headers.TryGetValues("x-ms-activity-id", out var ids) ? ids.First() : Guid.CreateVersion7().ToString());
        Set("x-ms-serviceversion", "version=2.14.0.0");
        Set("etag", ETag);
        Set("x-ms-substatus", SubStatus == 0 ? null : SubStatus.ToString(CultureInfo.InvariantCulture));
        Set("x-ms-continuation", Continuation);
        Set("x-ms-item-count", ItemCount?.ToString(CultureInfo.InvariantCulture));
        Set("x-ms-retry-after-ms", RetryAfter?.TotalMilliseconds.ToString(CultureInfo.InvariantCulture));
        if (container is not null)
        {
            var number = lsn!.Value.ToString(CultureInfo.InvariantCulture);
            Set("x-ms-session-token", $"0:-1#{number}");
            Set("lsn", number);
            Set("x-ms-alt-content-path", container.Link);
            Set("x-ms-content-path", container.Rid);
            Set("x-ms-cosmos-query-requiresdistribution", "False");
        }

        return message;

        void Set(string name, string? value)
        {
            if (value is not null) message.Headers.TryAddWithoutValidation(name, value);
        }
    }
}
