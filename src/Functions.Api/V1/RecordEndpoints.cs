using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Values;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>Serves the records of one custom object. docs/api/v1.md, Custom objects.</summary>
public sealed class RecordEndpoints(Http.Api api)
{
    private const string Path = "objects/{slug}/records";

    private static readonly Operation list = RecordOperation.List(CustomRecord.Schema, Path);
    private static readonly Operation create = RecordOperation.Create(CustomRecord.Schema, Path);
    private static readonly Operation get = RecordOperation.Get(CustomRecord.Schema, Path);
    private static readonly Operation update = RecordOperation.Update(CustomRecord.Schema, Path);
    private static readonly Operation delete = RecordOperation.Delete(CustomRecord.Schema, Path);
    private static readonly Operation getFields = RecordOperation.GetFields(CustomRecord.Schema, Path);
    private static readonly Operation setFields = RecordOperation.SetFields(CustomRecord.Schema, Path);
    private static readonly Operation batch = RecordOperation.Batch(CustomRecord.Schema, Path);

    [Function("records-list")]
    public Task<IResult> List([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/objects/{slug}/records")] HttpRequest request, string slug) =>
        api.Run(request, list, call => Of(call, slug, schema => call.List(schema)));

    [Function("records-create")]
    public Task<IResult> Create([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/objects/{slug}/records")] HttpRequest request, string slug) =>
        api.Run(request, create, call => Of(call, slug, call.Create));

    [Function("records-get")]
    public Task<IResult> Get(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/objects/{slug}/records/{id}")] HttpRequest request, string slug, string id) =>
        api.Run(request, get, call => Of(call, slug, schema => call.Get(schema, id)));

    [Function("records-update")]
    public Task<IResult> Update(
        [HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "v1/objects/{slug}/records/{id}")] HttpRequest request, string slug, string id) =>
        api.Run(request, update, call => Of(call, slug, schema => call.Update(schema, id)));

    [Function("records-delete")]
    public Task<IResult> Delete(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/objects/{slug}/records/{id}")] HttpRequest request, string slug, string id) =>
        api.Run(request, delete, call => Of(call, slug, schema => call.Delete(schema, id)));

    [Function("records-fields-get")]
    public Task<IResult> GetFields(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/objects/{slug}/records/{id}/custom-fields")] HttpRequest request, string slug,
        string id) =>
        api.Run(request, getFields, call => Of(call, slug, schema => call.GetFieldValues(schema, id)));

    [Function("records-fields-set")]
    public Task<IResult> SetFields(
        [HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "v1/objects/{slug}/records/{id}/custom-fields")] HttpRequest request, string slug,
        string id) =>
        api.Run(request, setFields, call => Of(call, slug, schema => call.SetFieldValues(schema, id)));

    [Function("records-batch")]
    public Task<IResult> Batch(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/objects/{slug}/records/batch")] HttpRequest request, string slug) =>
        api.Run(request, batch, call => Of(call, slug, call.Batch));

    private static async ValueTask<Outcome> Of(Call call, string slug, Func<Schema, ValueTask<Outcome>> work) =>
        Text.IsSlug(slug, CustomObject.MaxSlugLength) && await call.Caller.Store.FindOwner(CustomObject.UniqueKeyOf(slug), call.Aborted) is not null
            ? await work(CustomRecord.Of(slug))
            : Error.NoObject(slug);
}
