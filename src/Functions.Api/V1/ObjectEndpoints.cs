using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Values;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>Serves the definitions of custom objects, found by slug or id. docs/api/v1.md, Custom objects.</summary>
public sealed class ObjectEndpoints(Http.Api api)
{
    private static readonly Operation list = RecordOperation.List(CustomObject.Schema);
    private static readonly Operation create = RecordOperation.Create(CustomObject.Schema);
    private static readonly Operation get = RecordOperation.Get(CustomObject.Schema, id: "slug");
    private static readonly Operation update = RecordOperation.Update(CustomObject.Schema, id: "slug");
    private static readonly Operation delete =
        RecordOperation.Delete(CustomObject.Schema, id: "slug") with { Parameters = [Parameter.DryRun, Parameter.Force] };
    private static readonly Operation batch = RecordOperation.Batch(CustomObject.Schema);

    [Function("objects-list")]
    public Task<IResult> List([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/objects")] HttpRequest request) =>
        api.Run(request, list, call => call.List(CustomObject.Schema));

    [Function("objects-create")]
    public Task<IResult> Create([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/objects")] HttpRequest request) =>
        api.Run(request, create, call => call.Create(CustomObject.Schema));

    [Function("objects-get")]
    public Task<IResult> Get([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/objects/{slug}")] HttpRequest request, string slug) =>
        api.Run(request, get, call => OfId(call, slug, id => call.Get(CustomObject.Schema, id)));

    [Function("objects-update")]
    public Task<IResult> Update([HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "v1/objects/{slug}")] HttpRequest request, string slug) =>
        api.Run(request, update, call => OfId(call, slug, id => call.Update(CustomObject.Schema, id)));

    [Function("objects-delete")]
    public Task<IResult> Delete([HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/objects/{slug}")] HttpRequest request, string slug) =>
        api.Run(request, delete, call => OfId(call, slug, id => call.Delete(CustomObject.Schema, id)));

    [Function("objects-batch")]
    public Task<IResult> Batch([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/objects/batch")] HttpRequest request) =>
        api.Run(request, batch, call => call.Batch(CustomObject.Schema));

    private static async ValueTask<Outcome> OfId(Call call, string slugOrId, Func<string, ValueTask<Outcome>> work)
    {
        if (Ids.IsId(slugOrId, CustomObject.Schema.Prefix)) return await work(slugOrId);
        if (!Text.IsSlug(slugOrId, CustomObject.MaxSlugLength))
            return Error.Invalid("slug", $"Expected a slug, or an id of the form {CustomObject.Schema.Prefix} and {Ids.Length} letters or digits");
        return await CustomObject.Find(slugOrId, call.Caller.Store, call.Aborted) is { } found ? await work(found.Id) : Error.NoObject(slugOrId);
    }
}
