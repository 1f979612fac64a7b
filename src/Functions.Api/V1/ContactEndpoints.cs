using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Access;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>Serves contacts. docs/api/v1.md, Contacts.</summary>
public sealed class ContactEndpoints(Http.Api api)
{
    private static readonly Operation list = RecordOperation.List(Contact.Schema);
    private static readonly Operation create = RecordOperation.Create(Contact.Schema);
    private static readonly Operation get = RecordOperation.Get(Contact.Schema);
    private static readonly Operation update = RecordOperation.Update(Contact.Schema);
    private static readonly Operation delete = RecordOperation.Delete(Contact.Schema);
    private static readonly Operation getFields = RecordOperation.GetFields(Contact.Schema);
    private static readonly Operation setFields = RecordOperation.SetFields(Contact.Schema);
    private static readonly Operation getTimeline = RecordOperation.Timeline(Contact.Schema);
    private static readonly Operation batch = RecordOperation.Batch(Contact.Schema);

    private static readonly Operation merge = new()
    {
        Name = "contacts-merge",
        Method = "POST",
        Route = "v1/contacts/merge",
        Summary = "Make one contact of several.",
        Scopes = [Scope.ContactsWrite],
        Parameters = [Parameter.DryRun],
        Body = MergeContacts.Form,
        Answers = [new Success(StatusCodes.Status200OK, Contact.Schema.Type) { Attributes = RecordOperation.Shown(Contact.Schema) }],
        OwnErrors = [ErrorCode.NotFound, ErrorCode.Conflict, ErrorCode.UnprocessableEntity],
    };

    [Function("contacts-list")]
    public Task<IResult> List([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/contacts")] HttpRequest request) =>
        api.Run(request, list, call => call.List(Contact.Schema));

    [Function("contacts-create")]
    public Task<IResult> Create([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/contacts")] HttpRequest request) =>
        api.Run(request, create, call => call.Create(Contact.Schema));

    [Function("contacts-get")]
    public Task<IResult> Get([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/contacts/{id}")] HttpRequest request, string id) =>
        api.Run(request, get, call => call.Get(Contact.Schema, id));

    [Function("contacts-update")]
    public Task<IResult> Update([HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "v1/contacts/{id}")] HttpRequest request, string id) =>
        api.Run(request, update, call => call.Update(Contact.Schema, id));

    [Function("contacts-delete")]
    public Task<IResult> Delete([HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/contacts/{id}")] HttpRequest request, string id) =>
        api.Run(request, delete, call => call.Delete(Contact.Schema, id));

    [Function("contacts-fields-get")]
    public Task<IResult> GetFields(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/contacts/{id}/custom-fields")] HttpRequest request, string id) =>
        api.Run(request, getFields, call => call.GetFieldValues(Contact.Schema, id));

    [Function("contacts-fields-set")]
    public Task<IResult> SetFields(
        [HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "v1/contacts/{id}/custom-fields")] HttpRequest request, string id) =>
        api.Run(request, setFields, call => call.SetFieldValues(Contact.Schema, id));

    [Function("contacts-timeline")]
    public Task<IResult> GetTimeline([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/contacts/{id}/timeline")] HttpRequest request, string id) =>
        api.Run(request, getTimeline, call => call.GetTimeline(Contact.Schema, Activity.ContactId, id));

    [Function("contacts-batch")]
    public Task<IResult> Batch([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/contacts/batch")] HttpRequest request) =>
        api.Run(request, batch, call => call.Batch(Contact.Schema));

    [Function("contacts-merge")]
    public Task<IResult> Merge([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/contacts/merge")] HttpRequest request) =>
        api.Run(request, merge, async call =>
        {
            var body = await call.Body();
            return await call.Write(records => MergeContacts.Run(records, body, call.Aborted), stored => Outcome.Of(Contact.Schema, stored));
        });
}
