using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Access;
using NodeStash.Core.Resources;

namespace NodeStash.Functions.Api.V1;

/// <summary>The labels of a workspace: contract/resource-router.md, Resources.</summary>
public sealed class TagEndpoints(Http.Api api)
{
    [Function("tags-list")]
    public Task<IResult> List([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/tags")] HttpRequest request) =>
        api.Run(request, Scope.TagsRead, call => call.List(Tag.Schema));

    [Function("tags-create")]
    public Task<IResult> Create([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/tags")] HttpRequest request) =>
        api.Run(request, Scope.TagsWrite, call => call.Create(Tag.Schema));

    [Function("tags-get")]
    public Task<IResult> Get([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/tags/{id}")] HttpRequest request, string id) =>
        api.Run(request, Scope.TagsRead, call => call.Get(Tag.Schema, id));

    [Function("tags-update")]
    public Task<IResult> Update([HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "v1/tags/{id}")] HttpRequest request, string id) =>
        api.Run(request, Scope.TagsWrite, call => call.Update(Tag.Schema, id));

    [Function("tags-delete")]
    public Task<IResult> Delete([HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/tags/{id}")] HttpRequest request, string id) =>
        api.Run(request, Scope.TagsWrite, call => call.Delete(Tag.Schema, id));

    [Function("tags-batch")]
    public Task<IResult> Batch([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/tags/batch")] HttpRequest request) =>
        api.Run(request, Scope.TagsWrite, call => call.Batch(Tag.Schema));
}
