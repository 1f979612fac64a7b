using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Access;
using NodeStash.Core.Records;
using NodeStash.Core.Webhooks;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>What became of the events sent to an endpoint. contract/webhooks.md, Endpoints.</summary>
public sealed class DeliveryEndpoints(Http.Api api, DeliveryLog log)
{
    [Function("deliveries-list")]
    public Task<IResult> List([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/webhooks/{id}/deliveries")] HttpRequest request, string id) =>
        api.Run(request, Scope.WebhooksRead, async call =>
        {
            var webhook = await call.Records.Get(Webhook.Schema, id, call.Aborted);
            if (webhook.Error is { } missing) return missing;
            var page = await log.List(call.Caller, id, call.Parameters(), call.Aborted);
            return page.Error is { } error
                ? error
                : Answer.Listed([.. page.Value.Deliveries.Select(d => (DeliveryLog.Type, d.Id, DeliveryLog.Attributes(d, withAnswers: false)))], page.Value.NextCursor);
        });

    [Function("deliveries-get")]
    public Task<IResult> Get(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/webhooks/{id}/deliveries/{deliveryId}")] HttpRequest request, string id, string deliveryId) =>
        api.Run(request, Scope.WebhooksRead, async call =>
        {
            call.NoParameters();
            var webhook = await call.Records.Get(Webhook.Schema, id, call.Aborted);
            if (webhook.Error is { } missing) return missing;
            if (!Ids.IsId(deliveryId, DeliveryLog.Prefix)) return Error.Invalid("delivery_id", Ids.Expected(DeliveryLog.Prefix));
            return await log.Find(call.Caller, id, deliveryId, call.Aborted) is not { } delivery
                ? Error.NotFound(DeliveryLog.Type, deliveryId)
                : Answer.One(StatusCodes.Status200OK, DeliveryLog.Type, deliveryId, DeliveryLog.Attributes(delivery, withAnswers: true), null, null, null);
        });
}
