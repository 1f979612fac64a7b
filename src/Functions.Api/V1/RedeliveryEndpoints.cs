using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using NodeStash.Core.Access;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>Has an endpoint tested, and events sent to it again. Both are handed over to delivery; only a test is waited for. contract/webhooks.md, Endpoints.</summary>
public sealed class RedeliveryEndpoints(Http.Api api, DeliveryLog log)
{
    /// <summary>How long a test is waited for: the 15 s an attempt may take, and what it may have to wait for its turn.</summary>
    private static readonly TimeSpan LongestTest = TimeSpan.FromSeconds(30);

    private static readonly Error Disabled = Error.Conflict("The endpoint is disabled: enable it, then have events sent again", Webhook.IsEnabled.Name);

    [Function("webhooks-test")]
    public Task<IResult> Test(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/webhooks/{id}/test")] HttpRequest request, string id, [DurableClient] DurableTaskClient client) =>
        api.Run(request, Scope.WebhooksWrite, async call =>
        {
            call.NoParameters();
            var webhook = await call.Records.Get(Webhook.Schema, id, call.Aborted);
            if (webhook.Error is { } missing) return missing;
            if (RedeliveryBody.Fault(await call.OptionalBody()) is { } wrong) return wrong;

            var instanceId = await client.ScheduleNewOrchestrationInstanceAsync(
                DeliveryWork.SendTest, new TestRequest(call.Caller.Partition.Key, id, call.Caller.Actor, call.Origin.RequestId), call.Aborted);
            var sent = await Outcome(call, client, instanceId);
            return sent is { EventId: { } eventId, Attempt: { } attempt }
                ? Answer.One(StatusCodes.Status200OK, "webhook_test", eventId, DeliveryLog.TestAttributes(id, eventId, attempt), null, null, null)
                : new Error(ErrorCode.Unavailable, "The test could not be sent now; try again", []);
        });

    [Function("deliveries-retry")]
    public Task<IResult> Retry(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/webhooks/{id}/deliveries/{deliveryId}/retry")] HttpRequest request,
        string id, string deliveryId, [DurableClient] DurableTaskClient client) =>
        api.Run(request, Scope.WebhooksWrite, async call =>
        {
            call.NoParameters(Call.DryRun);
            var webhook = await call.Records.Get(Webhook.Schema, id, call.Aborted);
            if (webhook.Error is { } missing) return missing;
            if (!Ids.IsId(deliveryId, DeliveryLog.Prefix)) return Error.Invalid("delivery_id", Ids.Expected(DeliveryLog.Prefix));
            if (await log.Find(call.Caller, id, deliveryId, call.Aborted) is not { } delivery) return Error.NotFound(DeliveryLog.Type, deliveryId);
            if (RedeliveryBody.Fault(await call.OptionalBody()) is { } wrong) return wrong;
            if (!IsEnabled(webhook.Value)) return Disabled;

            var now = call.Clock.GetUtcNow();
            await HandOver(call, client, call.Ids.New("rdl_"), new Redelivery(call.Caller.Partition.Key, id, RedeliveryKind.One, now, now, deliveryId));
            return Answer.One(
                StatusCodes.Status202Accepted, DeliveryLog.Type, deliveryId, DeliveryLog.Attributes(delivery with { Status = DeliveryStatus.Pending }, withAnswers: true), null, null, null);
        });

    [Function("webhooks-recover")]
    public Task<IResult> Recover(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/webhooks/{id}/recover")] HttpRequest request, string id, [DurableClient] DurableTaskClient client) =>
        api.Run(request, Scope.WebhooksWrite, call => Since(call, client, id, isReplay: false));

    [Function("webhooks-replay")]
    public Task<IResult> Replay(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/webhooks/{id}/replay")] HttpRequest request, string id, [DurableClient] DurableTaskClient client) =>
        api.Run(request, Scope.WebhooksWrite, call => Since(call, client, id, isReplay: true));

    private static async ValueTask<Answer> Since(Call call, DurableTaskClient client, string id, bool isReplay)
    {
        call.NoParameters(Call.DryRun);
        var webhook = await call.Records.Get(Webhook.Schema, id, call.Aborted);
        if (webhook.Error is { } missing) return missing;
        var now = call.Clock.GetUtcNow();
        var body = RedeliveryBody.Read(await call.Body(), isReplay, now);
        if (body.Error is { } wrong) return wrong;
        if (!IsEnabled(webhook.Value)) return Disabled;

        var (since, missingOnly) = body.Value;
        var what = !isReplay ? RedeliveryKind.Failed : missingOnly ? RedeliveryKind.Missing : RedeliveryKind.All;
        var redeliveryId = call.Ids.New("rdl_");
        await HandOver(call, client, redeliveryId, new Redelivery(call.Caller.Partition.Key, id, what, since, now));
        return Answer.One(StatusCodes.Status202Accepted, isReplay ? "webhook_replay" : "webhook_recovery", redeliveryId, JsonForm.Object(writer =>
        {
            writer.WriteString("id"u8, redeliveryId);
            writer.WriteString("webhook_id"u8, id);
            writer.WriteString("since"u8, Text.Format(since));
            writer.WriteString("until"u8, Text.Format(now));
            if (isReplay) writer.WriteBoolean("missing_only"u8, missingOnly);
        }), null, null, null);
    }

    private static async ValueTask HandOver(Call call, DurableTaskClient client, string redeliveryId, Redelivery redelivery)
    {
        if (!call.Flag(Call.DryRun))
            await client.ScheduleNewOrchestrationInstanceAsync(DeliveryWork.Redeliver, redelivery, new StartOrchestrationOptions(redeliveryId), call.Aborted);
    }

    /// <summary>What came of a test; null where it did not come in time.</summary>
    private static async ValueTask<TestSent?> Outcome(Call call, DurableTaskClient client, string instanceId)
    {
        using var limit = new CancellationTokenSource(LongestTest, call.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, call.Aborted);
        try
        {
            var ended = await client.WaitForInstanceCompletionAsync(instanceId, getInputsAndOutputs: true, either.Token);
            return ended.RuntimeStatus is OrchestrationRuntimeStatus.Completed ? ended.ReadOutputAs<TestSent>() : null;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return null;
        }
    }

    private static bool IsEnabled(StoredRecord webhook) => Webhook.IsEnabled.Of(Record.Load(Webhook.Schema, webhook));
}
