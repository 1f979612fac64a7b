using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Access;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Core.Tenancy;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>Serves API keys. docs/api/access.md, API keys. Keys belong to the workspace, so both environments see the same ones.</summary>
public sealed class ApiKeyEndpoints(Http.Api api, ApiKeys keys)
{
    private static readonly Operation list = RecordOperation.List(ApiKey.Schema);
    private static readonly Operation create = RecordOperation.Create(ApiKey.Schema);
    private static readonly Operation get = RecordOperation.Get(ApiKey.Schema);
    private static readonly Operation revoke =
        RecordOperation.Delete(ApiKey.Schema) with { Name = "api-keys-revoke", Summary = "Revoke an API key: it opens nothing from then on." };
    private static readonly Operation rotate = SecretRotation.Of(ApiKey.Schema, "api-keys-rotate", "rotate");

    [Function("api-keys-list")]
    public Task<IResult> List([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/api-keys")] HttpRequest request) =>
        api.Run(request, list, call => call.List(ApiKey.Schema, KeysOf(call)));

    [Function("api-keys-create")]
    public Task<IResult> Create([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/api-keys")] HttpRequest request) =>
        api.Run(request, create, async call =>
        {
            var created = await keys.Create(
                call.Caller, secret => Writable(call, stored => Outcome.New(ApiKey.Schema, stored, secret.Value)), await call.Body(), call.Aborted);
            return created.Error is { } error ? error : Outcome.New(ApiKey.Schema, created.Value.Key, created.Value.Secret);
        });

    [Function("api-keys-get")]
    public Task<IResult> Get([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/api-keys/{id}")] HttpRequest request, string id) =>
        api.Run(request, get, call => (call with { Records = KeysOf(call) }).Get(ApiKey.Schema, id));

    [Function("api-keys-revoke")]
    public Task<IResult> Revoke([HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/api-keys/{id}")] HttpRequest request, string id) =>
        api.Run(request, revoke, async call =>
            await ApiKeys.Revoke(call.Caller, Writable(call, _ => Outcome.Deleted), id, call.IfMatch(), call.Aborted) is { } error ? error : Outcome.Deleted);

    [Function("api-keys-rotate")]
    public Task<IResult> Rotate([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/api-keys/{id}/rotate")] HttpRequest request, string id) =>
        api.Run(request, rotate, async call =>
        {
            var grace = await SecretRotation.ReadGrace(call);
            if (grace.Error is { } wrong) return wrong;
            var rotated = await keys.Rotate(
                call.Caller, secret => Writable(call, stored => SecretRotation.ToOutcome(ApiKey.Schema, stored, secret.Value)), id, grace.Value, call.Aborted);
            return rotated.Error is { } error ? error : SecretRotation.ToOutcome(ApiKey.Schema, rotated.Value.Key, rotated.Value.Secret);
        });

    private static RecordSet KeysOf(Call call) => new(Crm.Catalog, call.Caller.WorkspaceStore, call.Origin, call.Ids, call.Clock);

    private static RecordSet Writable(Call call, Func<StoredRecord, Outcome> outcomeOf) => call.OpenForWriting(call.Caller.WorkspaceStore, outcomeOf);
}
