using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Access;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;
using NodeStash.Core.Webhooks;
using NodeStash.Functions.Api.Http;
using NodeStash.Functions.Api.V1.Queries;

namespace NodeStash.Functions.Api.V1;

/// <summary>Serves the deliveries to an endpoint and their attempts. docs/api/webhooks.md, Endpoints.</summary>
public sealed class DeliveryEndpoints(Http.Api api, DeliveryLog log)
{
    private static readonly Dictionary<string, DeliveryStatus> statuses =
        Enum.GetValues<DeliveryStatus>().ToDictionary(one => Text.ToSnakeCase(one.ToString()), StringComparer.Ordinal);

    private static readonly Parameter status = new(
        "status",
        new(JsonType.String) { Choices = [.. statuses.Keys] },
        "Only deliveries of this status.",
        (text, errors) => statuses.TryGetValue(text, out var known) ? known : errors.Add("status", $"Expected one of {string.Join(", ", statuses.Keys)}"));

    private static readonly Operation list = new()
    {
        Name = "deliveries-list",
        Method = "GET",
        Route = "v1/webhooks/{id}/deliveries",
        Summary = "List the deliveries to an endpoint, newest first.",
        Scopes = [Scope.WebhooksRead],
        Parameters = [status, Parameter.Limit(20), Parameter.Cursor],
        Answers = [new Success(StatusCodes.Status200OK, DeliveryLog.Type) { IsList = true }],
    };

    private static readonly Operation get = new()
    {
        Name = "deliveries-get",
        Method = "GET",
        Route = "v1/webhooks/{id}/deliveries/{deliveryId}",
        Summary = "Read a delivery, with what the receiver answered to each attempt.",
        Scopes = [Scope.WebhooksRead],
        Answers = [new Success(StatusCodes.Status200OK, DeliveryLog.Type)],
    };

    [Function("deliveries-list")]
    public Task<IResult> List([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/webhooks/{id}/deliveries")] HttpRequest request, string id) =>
        api.Run(request, list, async call =>
        {
            var webhook = await call.Records.Get(Webhook.Schema, id, call.Aborted);
            if (webhook.Error is { } missing) return missing;
            var (errors, fingerprint) = (new ValidationErrors(), Cursor.Fingerprint($"{DeliveryLog.Type}\n{id}", call.Parameters()));
            var after = call.Query[Parameter.Cursor] is string cursor ? Cursor.Read(cursor, fingerprint, 0, errors)?.Id : null;
            if (errors.Any) return Error.Invalid(errors.All);
            var (deliveries, hasMore) =
                await log.List(call.Caller.Partition, id, (DeliveryStatus?)call.Query[status], after, (int)call.Query[Parameter.PageSize]!, call.Aborted);
            return Outcome.Page(
                [.. deliveries.Select(d => new Resource(DeliveryLog.Type, d.Id, DeliveryLog.Attributes(d, withAnswers: false)))],
                hasMore ? Cursor.Write(new Keyset([], deliveries[^1].Id), fingerprint) : null);
        });

    [Function("deliveries-get")]
    public Task<IResult> Get(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/webhooks/{id}/deliveries/{deliveryId}")] HttpRequest request, string id,
        string deliveryId) =>
        api.Run(request, get, async call =>
        {
            var webhook = await call.Records.Get(Webhook.Schema, id, call.Aborted);
            if (webhook.Error is { } missing) return missing;
            if (!Ids.IsId(deliveryId, DeliveryLog.Prefix)) return Error.Invalid("delivery_id", Ids.Expected(DeliveryLog.Prefix));
            return await log.Find(call.Caller.Partition, id, deliveryId, call.Aborted) is not { } delivery
                ? Error.NotFound(DeliveryLog.Type, deliveryId)
                : new Outcome.Found(new Resource(DeliveryLog.Type, deliveryId, DeliveryLog.Attributes(delivery, withAnswers: true)));
        });
}
