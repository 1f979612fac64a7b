using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Access;
using NodeStash.Core.Records;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>Makes workspaces, for whoever operates the deployment. contract/access.md, Workspaces and users.</summary>
public sealed class WorkspaceEndpoints(Http.Api api, OperatorSecret operators, Workspaces workspaces)
{
    private const int LongestName = 100;

    private static readonly string[] Plans = ["free", "starter", "pro", "scale", "enterprise"];

    [ForOperator]
    [Function("workspaces-create")]
    public Task<IResult> Create([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/workspaces")] HttpRequest request) =>
        api.RunPublic(request, async _ =>
        {
            if (Http.Api.BearerOf(request) is not { } secret || !operators.Is(secret)) return Http.Api.Unauthenticated;
            var (body, faults) = (await Body.Read(request, mayBeEmpty: false), new Faults());
            foreach (var member in body.EnumerateObject().Where(member => member.Name is not ("name" or "plan"))) faults.Add(member.Name, "Unknown field");
            if (TextOf(body, "name")?.Trim() is not { Length: > 0 and <= LongestName } name) return Error.Invalid([.. faults.All, new("name", $"Expected a text of 1 to {LongestName} characters")]);
            var plan = body.TryGetProperty("plan", out var chosen) ? chosen.ToString() : Plans[0];
            if (!Plans.Contains(plan, StringComparer.Ordinal)) faults.Add("plan", $"Expected one of {string.Join(", ", Plans)}");
            if (faults.Any) return Error.Invalid(faults.All);

            // Done to its end, for what is interrupted leaves a workspace that nobody has a key to.
            var (workspace, key) = await workspaces.Create(name, plan!, CancellationToken.None);
            return Answer.One(StatusCodes.Status201Created, "workspace", workspace.Id, JsonForm.Object(writer =>
            {
                writer.WriteString("id"u8, workspace.Id);
                writer.WriteString("name"u8, workspace.Name);
                writer.WriteString("plan"u8, workspace.Plan);
                writer.WriteString("created_at"u8, Text.Format(workspace.CreatedAt));
                writer.WriteString("api_key"u8, key.Secret);
            }), null, null, null);
        });

    private static string? TextOf(JsonElement body, string name) => body.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;
}
