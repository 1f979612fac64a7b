using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Records;
using NodeStash.Core.Tenancy;
using NodeStash.Core.Values;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>Creates workspaces for the operator of the deployment. docs/api/access.md, Workspaces.</summary>
public sealed class WorkspaceEndpoints(Http.Api api, Workspaces workspaces)
{
    private static readonly TextField name = new("name", 100) { IsRequired = true, Description = "What the workspace is called.", Example = "\"Acme\"" };

    private static readonly ChoiceField plan = new("plan", "free", "starter", "pro", "scale", "enterprise")
    {
        Default = "free", Description = "Decides its rate limits.",
    };

    private static readonly Operation create = new()
    {
        Name = "workspaces-create",
        Method = "POST",
        Route = "v1/workspaces",
        Summary = "Create a workspace; its first API key is answered once.",
        IsForOperator = true,
        Body = new Form(name, plan),
        Answers = [new Success(
            StatusCodes.Status201Created, "workspace") { Attributes = [name, plan, new TimeField("created_at"), new TextField("api_key", 100)] }],
    };

    [Function("workspaces-create")]
    public Task<IResult> Create([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/workspaces")] HttpRequest request) =>
        api.RunWithoutCaller(request, create, async _ =>
        {
            var given = create.Body!.Read(await Body.Read(request, mayBeEmpty: false));
            if (given.Error is { } wrong) return wrong;

            // It ignores the abort of the request: an interruption would leave a workspace without a key.
            var (workspace, key) = await workspaces.Create(((string)given.Value[name]!).Trim(), (string)given.Value[plan]!, CancellationToken.None);
            var resource = new Resource("workspace", workspace.Id, JsonForm.Object(writer =>
            {
                writer.WriteString("id"u8, workspace.Id);
                writer.WriteString("name"u8, workspace.Name);
                writer.WriteString("plan"u8, workspace.Plan);
                writer.WriteString("created_at"u8, Text.Format(workspace.CreatedAt));
                writer.WriteString("api_key"u8, key.Secret);
            }));
            return new Outcome.Created(resource, Path: null);
        });
}
