using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Resources;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>Serves tags. docs/api/v1.md, Tags.</summary>
public sealed class TagEndpoints(Http.Api api)
{
    private static readonly Operation list = RecordOperation.List(Tag.Schema);
    private static readonly Operation create = RecordOperation.Create(Tag.Schema);
    private static readonly Operation get = RecordOperation.Get(Tag.Schema);
    private static readonly Operation update = RecordOperation.Update(Tag.Schema);
    private static readonly Operation delete = RecordOperation.Delete(Tag.Schema);
    private static readonly Operation batch = RecordOperation.Batch(Tag.Schema);

    [Function("tags-list")]
    public Task<IResult> List([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/tags")] HttpRequest request) =>
        api.Run(request, list, call => call.List(Tag.Schema));

    [Function("tags-create")]
    public Task<IResult> Create([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/tags")] HttpRequest request) =>
        api.Run(request, create, call => call.Create(Tag.Schema));

    [Function("tags-get")]
    public Task<IResult> Get([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/tags/{id}")] HttpRequest request, string id) =>
        api.Run(request, get, call => call.Get(Tag.Schema, id));

    [Function("tags-update")]
    public Task<IResult> Update([HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "v1/tags/{id}")] HttpRequest request, string id) =>
        api.Run(request, update, call => call.Update(Tag.Schema, id));

    [Function("tags-delete")]
    public Task<IResult> Delete([HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/tags/{id}")] HttpRequest request, string id) =>
        api.Run(request, delete, call => call.Delete(Tag.Schema, id));

    [Function("tags-batch")]
    public Task<IResult> Batch([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/tags/batch")] HttpRequest request) =>
        api.Run(request, batch, call => call.Batch(Tag.Schema));
}
