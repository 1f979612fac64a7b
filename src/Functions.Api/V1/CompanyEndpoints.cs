using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Resources;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>Serves companies. docs/api/v1.md, Companies.</summary>
public sealed class CompanyEndpoints(Http.Api api)
{
    private static readonly Operation list = RecordOperation.List(Company.Schema);
    private static readonly Operation create = RecordOperation.Create(Company.Schema);
    private static readonly Operation get = RecordOperation.Get(Company.Schema);
    private static readonly Operation update = RecordOperation.Update(Company.Schema);
    private static readonly Operation delete = RecordOperation.Delete(Company.Schema);
    private static readonly Operation getFields = RecordOperation.GetFields(Company.Schema);
    private static readonly Operation setFields = RecordOperation.SetFields(Company.Schema);
    private static readonly Operation getTimeline = RecordOperation.Timeline(Company.Schema);
    private static readonly Operation batch = RecordOperation.Batch(Company.Schema);

    [Function("companies-list")]
    public Task<IResult> List([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/companies")] HttpRequest request) =>
        api.Run(request, list, call => call.List(Company.Schema));

    [Function("companies-create")]
    public Task<IResult> Create([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/companies")] HttpRequest request) =>
        api.Run(request, create, call => call.Create(Company.Schema));

    [Function("companies-get")]
    public Task<IResult> Get([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/companies/{id}")] HttpRequest request, string id) =>
        api.Run(request, get, call => call.Get(Company.Schema, id));

    [Function("companies-update")]
    public Task<IResult> Update([HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "v1/companies/{id}")] HttpRequest request, string id) =>
        api.Run(request, update, call => call.Update(Company.Schema, id));

    [Function("companies-delete")]
    public Task<IResult> Delete([HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/companies/{id}")] HttpRequest request, string id) =>
        api.Run(request, delete, call => call.Delete(Company.Schema, id));

    [Function("companies-fields-get")]
    public Task<IResult> GetFields(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/companies/{id}/custom-fields")] HttpRequest request, string id) =>
        api.Run(request, getFields, call => call.GetFieldValues(Company.Schema, id));

    [Function("companies-fields-set")]
    public Task<IResult> SetFields(
        [HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "v1/companies/{id}/custom-fields")] HttpRequest request, string id) =>
        api.Run(request, setFields, call => call.SetFieldValues(Company.Schema, id));

    [Function("companies-timeline")]
    public Task<IResult> GetTimeline([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/companies/{id}/timeline")] HttpRequest request, string id) =>
        api.Run(request, getTimeline, call => call.GetTimeline(Company.Schema, Activity.CompanyId, id));

    [Function("companies-batch")]
    public Task<IResult> Batch([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/companies/batch")] HttpRequest request) =>
        api.Run(request, batch, call => call.Batch(Company.Schema));
}
