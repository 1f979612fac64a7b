using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Access;
using NodeStash.Core.Jobs;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;
using NodeStash.Core.Webhooks;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>
/// Tests endpoints and sends events again, by jobs of the webhooks app. Only a test is waited for. docs/api/webhooks.md, Endpoints.
/// </summary>
public sealed class RedeliveryEndpoints(Http.Api api, DeliveryLog log, JobSender jobs)
{
    /// <summary>Longest wait for a test: the 15 s of an attempt, and the time before its turn.</summary>
    private static readonly TimeSpan MaxTestTime = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20), MaxPause = TimeSpan.FromMilliseconds(500);

    private static readonly Error Disabled = Error.Conflict("The endpoint is disabled: enable it, then have events sent again", Webhook.IsEnabled.Name);

    private static readonly TimeField since = new("since")
    {
        IsRequired = true, Description = "The time of the first event to send again.", Example = "\"2026-01-15T10:30:00Z\"",
    };

    private static readonly FlagField missingOnly = new("missing_only")
    {
        Default = false, Description = "Whether to send only events that have no delivery to the endpoint.",
    };

    private static readonly Operation sendTest = Operation("webhooks-test", "test", "Send a test event to an endpoint, and answer what came of it.") with
    {
        Parameters = [],
        Answers = [new Success(StatusCodes.Status200OK, "webhook_test")],
    };

    private static readonly Operation retry = Operation("deliveries-retry", "deliveries/{deliveryId}/retry", "Send a delivery again.") with
    {
        Answers = [new Success(StatusCodes.Status202Accepted, DeliveryLog.Type)],
    };

    private static readonly Operation recover = Operation("webhooks-recover", "recover", "Send again what failed since a time.") with
    {
        Body = new Form(since),
        IsBodyOptional = false,
        Answers = [new Success(StatusCodes.Status202Accepted, "webhook_recovery") { Attributes = [since, new TimeField("until")] }],
    };

    private static readonly Operation replay = Operation("webhooks-replay", "replay", "Send events again, whatever came of them, since a time.") with
    {
        Body = new Form(since, missingOnly),
        IsBodyOptional = false,
        Answers = [new Success(StatusCodes.Status202Accepted, "webhook_replay") { Attributes = [since, new TimeField("until"), missingOnly] }],
    };

    [Function("webhooks-test")]
    public Task<IResult> Test(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/webhooks/{id}/test")] HttpRequest request, string id) =>
        api.Run(request, sendTest, async call =>
        {
            var webhook = await call.Records.Get(Webhook.Schema, id, call.Aborted);
            if (webhook.Error is { } missing) return missing;
            if ((await call.Read()).Error is { } wrong) return wrong;

            var test = new WebhookTest(
                call.Caller.Partition.Key, call.Ids.New("evt_"), id, call.Caller.Actor, call.Origin.RequestId, call.Clock.GetUtcNow() + MaxTestTime);
            await jobs.Send(test, call.Aborted);
            var outcome = await WaitForTest(call, test);
            if (outcome.Error is { } none) return none;
            return new Outcome.Found(new Resource("webhook_test", test.EventId, DeliveryLog.TestAttributes(id, test.EventId, outcome.Value)));
        });

    [Function("deliveries-retry")]
    public Task<IResult> Retry(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/webhooks/{id}/deliveries/{deliveryId}/retry")] HttpRequest request,
        string id, string deliveryId) =>
        api.Run(request, retry, async call =>
        {
            var webhook = await call.Records.Get(Webhook.Schema, id, call.Aborted);
            if (webhook.Error is { } missing) return missing;
            if (!Ids.IsId(deliveryId, DeliveryLog.Prefix)) return Error.Invalid("delivery_id", Ids.Expected(DeliveryLog.Prefix));
            if (await log.Find(call.Caller.Partition, id, deliveryId, call.Aborted) is not { } delivery) return Error.NotFound(DeliveryLog.Type, deliveryId);
            if ((await call.Read()).Error is { } wrong) return wrong;
            if (!IsEnabled(webhook.Value)) return Disabled;

            var now = call.Clock.GetUtcNow();
            await SendUnlessDryRun(call, new Redelivery(call.Caller.Partition.Key, call.Ids.New("rdl_"), id, RedeliveryKind.One, now, now, deliveryId));
            return new Outcome.Accepted(
                new Resource(DeliveryLog.Type, deliveryId, DeliveryLog.Attributes(delivery with { Status = DeliveryStatus.Pending }, withAnswers: true)));
        });

    [Function("webhooks-recover")]
    public Task<IResult> Recover(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/webhooks/{id}/recover")] HttpRequest request, string id) =>
        api.Run(request, recover, call => RequestRedelivery(call, id, isReplay: false));

    [Function("webhooks-replay")]
    public Task<IResult> Replay(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/webhooks/{id}/replay")] HttpRequest request, string id) =>
        api.Run(request, replay, call => RequestRedelivery(call, id, isReplay: true));

    private async ValueTask<Outcome> RequestRedelivery(Call call, string id, bool isReplay)
    {
        var webhook = await call.Records.Get(Webhook.Schema, id, call.Aborted);
        if (webhook.Error is { } missing) return missing;
        var now = call.Clock.GetUtcNow();
        var given = await call.Read((values, errors) =>
        {
            if (values[since] is not DateTimeOffset time) return;
            if (time > now) errors.Add(since.Name, "Must not be in the future");
            else if (time < Text.ToSecond(now - StoredEvent.Retention))
                errors.Add(since.Name, $"Must not be more than {StoredEvent.Retention.Days} days ago: older events are not kept");
        });
        if (given.Error is { } wrong) return wrong;
        var (from, onlyMissing) = ((DateTimeOffset)given.Value[since]!, given.Value[missingOnly] is true);
        if (!IsEnabled(webhook.Value)) return Disabled;

        var what = !isReplay ? RedeliveryKind.Failed : onlyMissing ? RedeliveryKind.Missing : RedeliveryKind.All;
        var redeliveryId = call.Ids.New("rdl_");
        await SendUnlessDryRun(call, new Redelivery(call.Caller.Partition.Key, redeliveryId, id, what, from, now));
        return new Outcome.Accepted(new Resource(isReplay ? "webhook_replay" : "webhook_recovery", redeliveryId, JsonForm.Object(writer =>
        {
            writer.WriteString("id"u8, redeliveryId);
            writer.WriteString("webhook_id"u8, id);
            writer.WriteString("since"u8, Text.Format(from));
            writer.WriteString("until"u8, Text.Format(now));
            if (isReplay) writer.WriteBoolean("missing_only"u8, onlyMissing);
        })));
    }

    /// <summary>Declares an operation that writes for an endpoint and needs no body.</summary>
    private static Operation Operation(string name, string path, string summary) => new()
    {
        Name = name,
        Method = "POST",
        Route = $"v1/webhooks/{{id}}/{path}",
        Summary = summary,
        Scopes = [Scope.WebhooksWrite],
        Parameters = [Parameter.DryRun],
        Body = Form.Empty,
        IsBodyOptional = true,
        Answers = [],
        OwnErrors = [ErrorCode.Conflict],
    };

    private async ValueTask SendUnlessDryRun(Call call, Redelivery redelivery)
    {
        if (!call.IsDryRun) await jobs.Send(redelivery, call.Aborted);
    }

    /// <summary>
    /// Waits for the attempt of a test. Fails where it does not come in time, or its endpoint is deleted first. Another process may make the attempt, so
    /// the store is polled, with growing pauses.
    /// </summary>
    private static async ValueTask<Result<DeliveryAttempt>> WaitForTest(Call call, WebhookTest test)
    {
        using var limit = new CancellationTokenSource(MaxTestTime, call.Clock);
        for (var pause = FirstPause; !limit.IsCancellationRequested; pause = pause * 1.5 < MaxPause ? pause * 1.5 : MaxPause)
        {
            await Task.Delay(pause, TimeProvider.System, call.Aborted);
            if (await TestOutcome.Find(call.Caller.Store, test.EventId, call.Aborted) is { } attempt) return attempt;
            if ((await call.Records.Get(Webhook.Schema, test.WebhookId, call.Aborted)).Error is { } gone) return gone;
        }

        return new Error(ErrorCode.Unavailable, "The test could not be sent now; try again", []);
    }

    private static bool IsEnabled(StoredRecord webhook) => Webhook.IsEnabled.Of(Record.Load(Webhook.Schema, webhook));
}
