using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Access;
using NodeStash.Core.Resources;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>Serves the definitions of custom fields. docs/api/v1.md, Custom fields. Values are served with the record.</summary>
public sealed class CustomFieldEndpoints(Http.Api api)
{
    private static readonly Scope[] write = [Scope.CustomFieldsWrite];
    private static readonly Operation list = RecordOperation.List(CustomField.Schema);
    private static readonly Operation create = RecordOperation.Create(CustomField.Schema) with { Scopes = write };
    private static readonly Operation get = RecordOperation.Get(CustomField.Schema);
    private static readonly Operation update =
        RecordOperation.Update(CustomField.Schema) with { Scopes = write, Parameters = [Parameter.DryRun, Parameter.Force] };
    private static readonly Operation delete = RecordOperation.Delete(CustomField.Schema) with { Scopes = write };
    private static readonly Operation batch = RecordOperation.Batch(CustomField.Schema) with { Scopes = write };

    [Function("custom-fields-list")]
    public Task<IResult> List([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/custom-fields")] HttpRequest request) =>
        api.Run(request, list, call => call.List(CustomField.Schema));

    [Function("custom-fields-create")]
    public Task<IResult> Create([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/custom-fields")] HttpRequest request) =>
        api.Run(request, create, async call =>
        {
            // The count comes before the write, so that the commit can hold the answer.
            var body = await call.Body();
            var unfit = await FieldOperations.CountUnfit(call.DryRunRecords, body, call.Aborted);
            if (unfit.Error is { } error) return error;
            return await call.Write(
                records => records.Create(CustomField.Schema, body, call.Aborted),
                stored => Outcome.New(CustomField.Schema, stored, meta: writer => writer.WriteNumber("values_not_fitting"u8, unfit.Value)));
        });

    [Function("custom-fields-get")]
    public Task<IResult> Get([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/custom-fields/{id}")] HttpRequest request, string id) =>
        api.Run(request, get, call => call.Get(CustomField.Schema, id));

    [Function("custom-fields-update")]
    public Task<IResult> Update([HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "v1/custom-fields/{id}")] HttpRequest request, string id) =>
        api.Run(request, update, async call =>
        {
            var (body, ifVersion, force) = (await call.Body(), call.IfMatch(), call.Query.Is(Parameter.Force));
            return await call.Write(
                records => FieldOperations.Update(records, id, body, ifVersion, force, call.Aborted), stored => Outcome.Of(CustomField.Schema, stored));
        });

    [Function("custom-fields-delete")]
    public Task<IResult> Delete([HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/custom-fields/{id}")] HttpRequest request, string id) =>
        api.Run(request, delete, call => call.Delete(CustomField.Schema, id));

    [Function("custom-fields-batch")]
    public Task<IResult> Batch([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/custom-fields/batch")] HttpRequest request) =>
        api.Run(request, batch, call => call.Batch(CustomField.Schema));
}
