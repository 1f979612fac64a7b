using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Webhooks;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>Serves webhook endpoints. docs/api/webhooks.md, Endpoints.</summary>
public sealed class WebhookEndpoints(Http.Api api, WebhookOperations webhooks)
{
    private static readonly Operation list = RecordOperation.List(Webhook.Schema);
    private static readonly Operation create = RecordOperation.Create(Webhook.Schema);
    private static readonly Operation get = RecordOperation.Get(Webhook.Schema);
    private static readonly Operation update = RecordOperation.Update(Webhook.Schema);
    private static readonly Operation rotateSecret = SecretRotation.Of(Webhook.Schema, "webhooks-rotate-secret", "rotate-secret");
    private static readonly Operation delete = RecordOperation.Delete(Webhook.Schema);

    [Function("webhooks-list")]
    public Task<IResult> List([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/webhooks")] HttpRequest request) =>
        api.Run(request, list, call => call.List(Webhook.Schema));

    [Function("webhooks-create")]
    public Task<IResult> Create([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/webhooks")] HttpRequest request) =>
        api.Run(request, create, async call =>
        {
            var (body, secret) = (await call.Body(), WebhookOperations.NewSecret());
            return await call.Write(
                records => webhooks.Create(records, body, secret, call.Aborted), stored => Outcome.New(Webhook.Schema, stored, call.IsDryRun ? null : secret));
        });

    [Function("webhooks-get")]
    public Task<IResult> Get([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/webhooks/{id}")] HttpRequest request, string id) =>
        api.Run(request, get, call => call.Get(Webhook.Schema, id));

    [Function("webhooks-update")]
    public Task<IResult> Update([HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "v1/webhooks/{id}")] HttpRequest request, string id) =>
        api.Run(request, update, async call =>
        {
            var (body, ifVersion) = (await call.Body(), call.IfMatch());
            return await call.Write(
                records => webhooks.Update(records, call.Caller.Partition, id, body, ifVersion, call.Aborted), stored => Outcome.Of(Webhook.Schema, stored));
        });

    [Function("webhooks-rotate-secret")]
    public Task<IResult> RotateSecret(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/webhooks/{id}/rotate-secret")] HttpRequest request, string id) =>
        api.Run(request, rotateSecret, async call =>
        {
            var grace = await SecretRotation.ReadGrace(call);
            if (grace.Error is { } wrong) return wrong;
            var secret = WebhookOperations.NewSecret();
            return await call.Write(
                records => webhooks.RotateSecret(records, id, secret, grace.Value, call.Aborted),
                stored => SecretRotation.ToOutcome(Webhook.Schema, stored, call.IsDryRun ? null : secret));
        });

    [Function("webhooks-delete")]
    public Task<IResult> Delete([HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/webhooks/{id}")] HttpRequest request, string id) =>
        api.Run(request, delete, call => call.Delete(records => webhooks.Delete(records, call.Caller.Partition, id, call.IfMatch(), call.Aborted)));
}
