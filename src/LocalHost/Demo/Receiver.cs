using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Webhooks;

namespace NodeStash.LocalHost.Demo;

/// <summary>Receives webhooks as a user's server does: verifies the signature over the received bytes before it parses them. Refuses one event once.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    /// <summary>Maximum age of a signature, as Standard Webhooks suggests.</summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    private readonly WebApplication app;
    private readonly Func<JsonElement, bool> refusedOnce;
    private readonly Narration tell;
    private readonly TimeProvider clock;
    private readonly TaskCompletionSource<string> secret = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock gate = new();
    private readonly List<Arrival> arrivals = [];

    private Receiver(WebApplication app, Func<JsonElement, bool> refusedOnce, Narration tell, TimeProvider clock) =>
        (this.app, this.refusedOnce, this.tell, this.clock) = (app, refusedOnce, tell, clock);

    public string Url => $"{app.Urls.First()}/hooks";

    /// <summary>Deliveries so far, in order of arrival.</summary>
    public IReadOnlyList<Arrival> Arrivals
    {
        get
        {
            lock (gate) return [.. arrivals];
        }
    }

    /// <summary>Starts a receiver.</summary>
    /// <param name="refusedOnce">The event whose first delivery is answered with 500.</param>
    public static async Task<Receiver> Start(Func<JsonElement, bool> refusedOnce, Narration tell, TimeProvider clock, CancellationToken ct)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = ["--hostBuilder:reloadConfigOnChange=false"] });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var receiver = new Receiver(app, refusedOnce, tell, clock);
        app.MapPost("/hooks", receiver.Receive);
        await app.StartAsync(ct);
        return receiver;
    }

    /// <summary>Sets the signing secret. Deliveries that arrive before it wait for it.</summary>
    public void Trust(string signingSecret) => secret.TrySetResult(signingSecret);

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private async Task<IResult> Receive(HttpRequest request)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, request.HttpContext.RequestAborted);
        var signing = await secret.Task.WaitAsync(request.HttpContext.RequestAborted);
        string Header(string name) => request.Headers[name].ToString();
        var isVerified = Signature.Verify(
            signing, Header("webhook-id"), Header("webhook-timestamp"), Header("webhook-signature"), body.ToArray(), clock.GetUtcNow(), Tolerance);

        var arrival = RecordArrival(Header("webhook-id"), isVerified ? JsonElement.Parse(body.ToArray()) : default);
        tell.Webhook(arrival);
        return Results.StatusCode(arrival switch
        {
            { IsVerified: false } => StatusCodes.Status401Unauthorized,
            { IsAccepted: false } => StatusCodes.Status500InternalServerError,
            _ => StatusCodes.Status204NoContent,
        });
    }

    private Arrival RecordArrival(string eventId, JsonElement sent)
    {
        lock (gate)
        {
            var before = arrivals.FindAll(a => a.EventId == eventId);
            var arrival = new Arrival(eventId, sent, before.Count + 1, clock.GetTimestamp());
            arrival = arrival with
            {
                IsAccepted = arrival.IsVerified && (before.Count > 0 || !refusedOnce(sent)),
                Waited = before is [.., { IsAccepted: false } last] ? clock.GetElapsedTime(last.At) : null,
            };
            arrivals.Add(arrival);
            return arrival;
        }
    }
}

/// <summary>Delivery that arrived.</summary>
/// <param name="EventId">The <c>webhook-id</c>.</param>
/// <param name="Sent">The event (docs/api/webhooks.md); undefined if the signature is wrong.</param>
/// <param name="Attempt">Number of the delivery of this event, from 1.</param>
/// <param name="At">Time of arrival, as a timestamp of the clock.</param>
internal sealed record Arrival(string EventId, JsonElement Sent, int Attempt, long At)
{
    /// <summary>Whether the signature and the event id are right.</summary>
    public bool IsVerified => Sent.ValueKind is JsonValueKind.Object && Sent.Member("id").ValueEquals(EventId);

    /// <summary>Whether the receiver answered 2xx.</summary>
    public bool IsAccepted { get; init; }

    /// <summary>Time since the refused delivery that it retries; null if it is no retry.</summary>
    public TimeSpan? Waited { get; init; }

    public string Event => IsVerified ? Sent.Member("event").GetString()! : "?";

    public string RecordId => IsVerified ? Sent.Member("data").Member("id").GetString()! : "?";

    public long Version => IsVerified ? Sent.Member("metadata").Member("version").GetInt64() : 0;

    public JsonElement Attributes => Sent.Member("data").Member("attributes");
}
