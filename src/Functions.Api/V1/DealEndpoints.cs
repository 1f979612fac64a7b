using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Resources;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>Serves deals. docs/api/v1.md, Deals.</summary>
public sealed class DealEndpoints(Http.Api api)
{
    private static readonly Operation list = RecordOperation.List(Deal.Schema);
    private static readonly Operation create = RecordOperation.Create(Deal.Schema);
    private static readonly Operation get = RecordOperation.Get(Deal.Schema);
    private static readonly Operation update = RecordOperation.Update(Deal.Schema);
    private static readonly Operation delete = RecordOperation.Delete(Deal.Schema);
    private static readonly Operation getFields = RecordOperation.GetFields(Deal.Schema);
    private static readonly Operation setFields = RecordOperation.SetFields(Deal.Schema);
    private static readonly Operation getTimeline = RecordOperation.Timeline(Deal.Schema);
    private static readonly Operation batch = RecordOperation.Batch(Deal.Schema);

    [Function("deals-list")]
    public Task<IResult> List([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/deals")] HttpRequest request) =>
        api.Run(request, list, call => call.List(Deal.Schema));

    [Function("deals-create")]
    public Task<IResult> Create([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/deals")] HttpRequest request) =>
        api.Run(request, create, call => call.Create(Deal.Schema));

    [Function("deals-get")]
    public Task<IResult> Get([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/deals/{id}")] HttpRequest request, string id) =>
        api.Run(request, get, call => call.Get(Deal.Schema, id));

    [Function("deals-update")]
    public Task<IResult> Update([HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "v1/deals/{id}")] HttpRequest request, string id) =>
        api.Run(request, update, call => call.Update(Deal.Schema, id));

    [Function("deals-delete")]
    public Task<IResult> Delete([HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/deals/{id}")] HttpRequest request, string id) =>
        api.Run(request, delete, call => call.Delete(Deal.Schema, id));

    [Function("deals-fields-get")]
    public Task<IResult> GetFields([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/deals/{id}/custom-fields")] HttpRequest request, string id) =>
        api.Run(request, getFields, call => call.GetFieldValues(Deal.Schema, id));

    [Function("deals-fields-set")]
    public Task<IResult> SetFields([HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "v1/deals/{id}/custom-fields")] HttpRequest request, string id) =>
        api.Run(request, setFields, call => call.SetFieldValues(Deal.Schema, id));

    [Function("deals-timeline")]
    public Task<IResult> GetTimeline([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/deals/{id}/timeline")] HttpRequest request, string id) =>
        api.Run(request, getTimeline, call => call.GetTimeline(Deal.Schema, Activity.DealId, id));

    [Function("deals-batch")]
    public Task<IResult> Batch([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/deals/batch")] HttpRequest request) =>
        api.Run(request, batch, call => call.Batch(Deal.Schema));
}
