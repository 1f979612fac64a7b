using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;

namespace NodeStash.Functions.Webhooks.Delivery;

/// <summary>Sends an event to an address once and returns the attempt. Nothing that a receiver does makes it throw.</summary>
public sealed class WebhookSender : IDisposable
{
    private const string UserAgent = "NodeStash-Webhooks/1";
    private const int MaxReadBytes = 64 * 1024;
    private const int MaxKeptBytes = 4 * 1024;

    private readonly HttpMessageInvoker client;
    private readonly CancellationTokenSource closing = new();
    private readonly WebhookOptions options;
    private readonly TimeProvider clock;

    [SuppressMessage("Reliability", "CA2000", Justification = "The client owns the handler.")]
    public WebhookSender(WebhookOptions options, TimeProvider clock)
    {
        this.options = options;
        this.clock = clock;
        client = new HttpMessageInvoker(new GuardedConnection(options).CreateHandler());
    }

    /// <summary>Signs and posts one event.</summary>
    /// <param name="url">The address of the receiver.</param>
    /// <param name="secrets">The endpoint's live secrets, newest first.</param>
    /// <param name="happened">The event; its body is sent as it is stored.</param>
    /// <param name="number">The number of the attempt, from 1.</param>
    /// <param name="ct">Ends the attempt without an outcome, when the process stops.</param>
    /// <returns>The attempt, and the wait that the receiver asked for; null where it asked for none.</returns>
    public async Task<(DeliveryAttempt Attempt, TimeSpan? RetryAfter)> Send(
        string url, IReadOnlyList<byte[]> secrets, StoredEvent happened, int number, CancellationToken ct)
    {
        var (at, start) = (clock.GetUtcNow(), clock.GetTimestamp());
        DeliveryAttempt Attempt(AttemptOutcome outcome, int? status = null, string? answer = null) =>
            new(number, at, clock.GetElapsedTime(start), outcome, status, answer);

        using var request = Request(url, secrets, happened, at);
        var progress = GuardedConnection.Watch(request);
        using var limit = new CancellationTokenSource(options.Timeout, clock);
        using var end = closing.Token.UnsafeRegister(Cancel, limit);
        using var stop = ct.UnsafeRegister(Cancel, limit);
        try
        {
            using var response = await client.SendAsync(request, limit.Token);
            var answer = await Read(response, limit.Token);
            return (Attempt(OutcomeOf(response.StatusCode), (int)response.StatusCode, answer), RetryAfterOf(response.Headers.RetryAfter, at));
        }
        catch (Exception e) when (e is OperationCanceledException or HttpRequestException or IOException)
        {
            // An attempt that is cancelled may fail with an error of the connection, too.
            if (closing.IsCancellationRequested || ct.IsCancellationRequested) throw new OperationCanceledException("The attempt was ended.", e);
            if (limit.IsCancellationRequested || e is OperationCanceledException)
                return (Attempt(progress.IsConnecting ? AttemptOutcome.ConnectTimeout : AttemptOutcome.Timeout), null);
            return (Attempt(e is HttpRequestException failure ? OutcomeOf(failure) : AttemptOutcome.ConnectionFailure), null);
        }
    }

    /// <summary>Ends the attempts in flight, without an outcome.</summary>
    public void Dispose()
    {
        closing.Cancel();
        client.Dispose();
    }

    private static void Cancel(object? limit) => ((CancellationTokenSource)limit!).Cancel();

    private static HttpRequestMessage Request(string url, IReadOnlyList<byte[]> secrets, StoredEvent happened, DateTimeOffset at)
    {
        var content = new ReadOnlyMemoryContent(happened.Body);
        content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = content };
        request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        request.Headers.TryAddWithoutValidation("webhook-id", happened.Id);
        request.Headers.TryAddWithoutValidation("webhook-timestamp", at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        request.Headers.TryAddWithoutValidation("webhook-signature", Signature.Sign(secrets, happened.Id, at, happened.Body.Span));
        return request;
    }

    /// <summary>Reads up to 64 KiB of the answer, so that the connection can be used again, and keeps the first 4 KiB.</summary>
    private static async Task<string?> Read(HttpResponseMessage response, CancellationToken ct)
    {
        await using var body = await response.Content.ReadAsStreamAsync(ct);
        var buffer = ArrayPool<byte>.Shared.Rent(2 * MaxKeptBytes);
        var kept = 0;
        try
        {
            // The buffer holds the kept bytes in its first half and the discarded ones in its second.
            for (var (total, read) = (0, -1); total < MaxReadBytes && read != 0; total += read)
            {
                read = await body.ReadAsync(kept < MaxKeptBytes ? buffer.AsMemory(kept, MaxKeptBytes - kept) : buffer.AsMemory(MaxKeptBytes, MaxKeptBytes), ct);
                if (kept < MaxKeptBytes) kept += read;
            }

            return kept == 0 ? null : Encoding.UTF8.GetString(buffer, 0, kept);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static AttemptOutcome OutcomeOf(HttpStatusCode status) => (int)status switch
    {
        >= 200 and < 300 => AttemptOutcome.Delivered,
        >= 300 and < 400 => AttemptOutcome.Status3xx,
        410 => AttemptOutcome.Gone,
        >= 400 and < 500 => AttemptOutcome.Status4xx,
        _ => AttemptOutcome.Status5xx,
    };

    private static AttemptOutcome OutcomeOf(HttpRequestException e) => e switch
    {
        { InnerException: RefusedAddressException } => AttemptOutcome.RefusedAddress,
        { InnerException: SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain } } =>
            AttemptOutcome.DnsFailure,
        { HttpRequestError: HttpRequestError.NameResolutionError } => AttemptOutcome.DnsFailure,
        { HttpRequestError: HttpRequestError.SecureConnectionError } => AttemptOutcome.TlsFailure,
        { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded } => AttemptOutcome.InvalidAnswer,
        _ => AttemptOutcome.ConnectionFailure,
    };

    private static TimeSpan? RetryAfterOf(RetryConditionHeaderValue? header, DateTimeOffset now) =>
        header?.Delta ?? (header?.Date is { } date && date > now ? date - now : null);
}
