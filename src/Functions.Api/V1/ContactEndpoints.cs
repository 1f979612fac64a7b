using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Access;
using NodeStash.Core.Resources;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>contract/v1.md, Contacts.</summary>
public sealed class ContactEndpoints(Http.Api api)
{
    [Function("contacts-list")]
    public Task<IResult> List([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/contacts")] HttpRequest request) =>
        api.Run(request, Scope.ContactsRead, call => call.List(Contact.Schema));

    [Function("contacts-create")]
    public Task<IResult> Create([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/contacts")] HttpRequest request) =>
        api.Run(request, Scope.ContactsWrite, call => call.Create(Contact.Schema));

    [Function("contacts-get")]
    public Task<IResult> Get([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/contacts/{id}")] HttpRequest request, string id) =>
        api.Run(request, Scope.ContactsRead, call => call.Get(Contact.Schema, id));

    [Function("contacts-update")]
    public Task<IResult> Update([HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "v1/contacts/{id}")] HttpRequest request, string id) =>
        api.Run(request, Scope.ContactsWrite, call => call.Update(Contact.Schema, id));

    [Function("contacts-delete")]
    public Task<IResult> Delete([HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/contacts/{id}")] HttpRequest request, string id) =>
        api.Run(request, Scope.ContactsWrite, call => call.Delete(Contact.Schema, id));

    [Function("contacts-fields-get")]
    public Task<IResult> GetFields([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/contacts/{id}/custom-fields")] HttpRequest request, string id) =>
        api.Run(request, Scope.ContactsRead, call => call.GetFieldValues(Contact.Schema, id));

    [Function("contacts-fields-set")]
    public Task<IResult> SetFields([HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "v1/contacts/{id}/custom-fields")] HttpRequest request, string id) =>
        api.Run(request, Scope.ContactsWrite, call => call.SetFieldValues(Contact.Schema, id));

    [Function("contacts-timeline")]
    public Task<IResult> GetTimeline([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/contacts/{id}/timeline")] HttpRequest request, string id) =>
        api.Run(request, Scope.ContactsRead, call => call.GetTimeline(Contact.Schema, Activity.ContactId, id));

    [Function("contacts-batch")]
    public Task<IResult> Batch([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/contacts/batch")] HttpRequest request) =>
        api.Run(request, Scope.ContactsWrite, call => call.Batch(Contact.Schema));

    [Function("contacts-merge")]
    public Task<IResult> Merge([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/contacts/merge")] HttpRequest request) =>
        api.Run(request, Scope.ContactsWrite, async call =>
        {
            var body = await call.Body();
            return await call.Write(records => MergeContacts.Run(records, body, call.Aborted), stored => Answer.Found(Contact.Schema.Type, stored));
        });
}
