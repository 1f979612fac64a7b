using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Resources;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>Serves activities. docs/api/v1.md, Activities.</summary>
public sealed class ActivityEndpoints(Http.Api api)
{
    private static readonly Operation list = RecordOperation.List(Activity.Schema);
    private static readonly Operation create = RecordOperation.Create(Activity.Schema);
    private static readonly Operation get = RecordOperation.Get(Activity.Schema);
    private static readonly Operation update = RecordOperation.Update(Activity.Schema);
    private static readonly Operation delete = RecordOperation.Delete(Activity.Schema);
    private static readonly Operation getFields = RecordOperation.GetFields(Activity.Schema);
    private static readonly Operation setFields = RecordOperation.SetFields(Activity.Schema);
    private static readonly Operation batch = RecordOperation.Batch(Activity.Schema);

    [Function("activities-list")]
    public Task<IResult> List([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/activities")] HttpRequest request) =>
        api.Run(request, list, call => call.List(Activity.Schema));

    [Function("activities-create")]
    public Task<IResult> Create([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/activities")] HttpRequest request) =>
        api.Run(request, create, call => call.Create(Activity.Schema));

    [Function("activities-get")]
    public Task<IResult> Get([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/activities/{id}")] HttpRequest request, string id) =>
        api.Run(request, get, call => call.Get(Activity.Schema, id));

    [Function("activities-update")]
    public Task<IResult> Update([HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "v1/activities/{id}")] HttpRequest request, string id) =>
        api.Run(request, update, call => call.Update(Activity.Schema, id));

    [Function("activities-delete")]
    public Task<IResult> Delete([HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/activities/{id}")] HttpRequest request, string id) =>
        api.Run(request, delete, call => call.Delete(Activity.Schema, id));

    [Function("activities-fields-get")]
    public Task<IResult> GetFields(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/activities/{id}/custom-fields")] HttpRequest request, string id) =>
        api.Run(request, getFields, call => call.GetFieldValues(Activity.Schema, id));

    [Function("activities-fields-set")]
    public Task<IResult> SetFields(
        [HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "v1/activities/{id}/custom-fields")] HttpRequest request, string id) =>
        api.Run(request, setFields, call => call.SetFieldValues(Activity.Schema, id));

    [Function("activities-batch")]
    public Task<IResult> Batch([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/activities/batch")] HttpRequest request) =>
        api.Run(request, batch, call => call.Batch(Activity.Schema));
}
