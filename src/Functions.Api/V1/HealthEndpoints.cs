using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Access;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>Whether the process runs, and whether it can serve.</summary>
public sealed class HealthEndpoints(Http.Api api, IAccessStore access, ISearchIndexes indexes)
{
    /// <summary>An id no workspace has: looking it up takes the same way as any request.</summary>
    private const string Nobody = "ws_00000000000000000000";

    [Public("Load balancers ask without a credential")]
    [Function("health")]
    public Task<IResult> Live([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "health")] HttpRequest request) =>
        api.RunPublic(request, _ => ValueTask.FromResult(Healthy));

    [Public("Load balancers ask without a credential")]
    [Function("health-ready")]
    public Task<IResult> Ready([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "health/ready")] HttpRequest request) =>
        api.RunPublic(request, async _ =>
        {
            await access.FindWorkspace(Nobody, request.HttpContext.RequestAborted);
            try
            {
                await indexes.Check(request.HttpContext.RequestAborted);
            }
            catch (StoreUnavailableException)
            {
                return WithoutSearch;
            }

            return Healthy;
        });

    /// <summary>Ready all the same: everything but searching works, and what is written meanwhile is found later.</summary>
    private static Answer WithoutSearch { get; } = Answer.Bare(StatusCodes.Status200OK, writer =>
    {
        writer.WriteString("status"u8, "degraded"u8);
        writer.WriteStartArray("unavailable"u8);
        writer.WriteStringValue("search"u8);
        writer.WriteEndArray();
    });

    private static Answer Healthy { get; } = Answer.Bare(StatusCodes.Status200OK, writer => writer.WriteString("status"u8, "ok"u8));
}
