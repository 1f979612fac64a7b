using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Access;
using NodeStash.Core.Resources;

namespace NodeStash.Functions.Api.V1;

/// <summary>contract/v1.md, Companies.</summary>
public sealed class CompanyEndpoints(Http.Api api)
{
    [Function("companies-list")]
    public Task<IResult> List([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/companies")] HttpRequest request) =>
        api.Run(request, Scope.CompaniesRead, call => call.List(Company.Schema));

    [Function("companies-create")]
    public Task<IResult> Create([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/companies")] HttpRequest request) =>
        api.Run(request, Scope.CompaniesWrite, call => call.Create(Company.Schema));

    [Function("companies-get")]
    public Task<IResult> Get([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/companies/{id}")] HttpRequest request, string id) =>
        api.Run(request, Scope.CompaniesRead, call => call.Get(Company.Schema, id));

    [Function("companies-update")]
    public Task<IResult> Update([HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "v1/companies/{id}")] HttpRequest request, string id) =>
        api.Run(request, Scope.CompaniesWrite, call => call.Update(Company.Schema, id));

    [Function("companies-delete")]
    public Task<IResult> Delete([HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/companies/{id}")] HttpRequest request, string id) =>
        api.Run(request, Scope.CompaniesWrite, call => call.Delete(Company.Schema, id));

    [Function("companies-fields-get")]
    public Task<IResult> GetFields([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/companies/{id}/custom-fields")] HttpRequest request, string id) =>
        api.Run(request, Scope.CompaniesRead, call => call.GetFieldValues(Company.Schema, id));

    [Function("companies-fields-set")]
    public Task<IResult> SetFields([HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "v1/companies/{id}/custom-fields")] HttpRequest request, string id) =>
        api.Run(request, Scope.CompaniesWrite, call => call.SetFieldValues(Company.Schema, id));

    [Function("companies-timeline")]
    public Task<IResult> GetTimeline([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/companies/{id}/timeline")] HttpRequest request, string id) =>
        api.Run(request, Scope.CompaniesRead, call => call.GetTimeline(Company.Schema, Activity.CompanyId, id));

    [Function("companies-batch")]
    public Task<IResult> Batch([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/companies/batch")] HttpRequest request) =>
        api.Run(request, Scope.CompaniesWrite, call => call.Batch(Company.Schema));
}
