using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Resources;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>Serves pipelines. docs/api/v1.md, Pipelines and stages.</summary>
public sealed class PipelineEndpoints(Http.Api api)
{
    private static readonly Operation list = RecordOperation.List(Pipeline.Schema);
    private static readonly Operation create = RecordOperation.Create(Pipeline.Schema);
    private static readonly Operation get = RecordOperation.Get(Pipeline.Schema);
    private static readonly Operation update = RecordOperation.Update(Pipeline.Schema);
    private static readonly Operation delete = RecordOperation.Delete(Pipeline.Schema);
    private static readonly Operation batch = RecordOperation.Batch(Pipeline.Schema);

    [Function("pipelines-list")]
    public Task<IResult> List([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/pipelines")] HttpRequest request) =>
        api.Run(request, list, call => call.List(Pipeline.Schema));

    [Function("pipelines-create")]
    public Task<IResult> Create([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/pipelines")] HttpRequest request) =>
        api.Run(request, create, call => call.Create(Pipeline.Schema));

    [Function("pipelines-get")]
    public Task<IResult> Get([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/pipelines/{id}")] HttpRequest request, string id) =>
        api.Run(request, get, call => call.Get(Pipeline.Schema, id));

    [Function("pipelines-update")]
    public Task<IResult> Update([HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "v1/pipelines/{id}")] HttpRequest request, string id) =>
        api.Run(request, update, call => call.Update(Pipeline.Schema, id));

    [Function("pipelines-delete")]
    public Task<IResult> Delete([HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/pipelines/{id}")] HttpRequest request, string id) =>
        api.Run(request, delete, call => call.Delete(Pipeline.Schema, id));

    [Function("pipelines-batch")]
    public Task<IResult> Batch([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/pipelines/batch")] HttpRequest request) =>
        api.Run(request, batch, call => call.Batch(Pipeline.Schema));
}
