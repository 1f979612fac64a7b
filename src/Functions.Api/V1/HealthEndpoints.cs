using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Access;
using NodeStash.Core.Jobs;
using NodeStash.Core.Records;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>Reports whether the process runs and whether it can serve requests.</summary>
public sealed partial class HealthEndpoints(
    Http.Api api, IAccessStore access, IJobQueues queues, ISearchIndexes indexes, TimeProvider clock, ILogger<HealthEndpoints> log)
{
    /// <summary>An id that no workspace has. Looking it up uses the store as any request does.</summary>
    private const string UnusedWorkspaceId = "ws_00000000000000000000";

    /// <summary>Longest wait for a part: shorter than load balancers wait.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(4);

    private static readonly Operation live = new()
    {
        Name = "health",
        Method = "GET",
        Route = "health",
        Summary = "Say that the process runs.",
        PublicBecause = "Load balancers ask without a credential",
        Answers = [new Success(StatusCodes.Status200OK, null)],
    };

    private static readonly Operation ready = live with { Name = "health-ready", Route = "health/ready", Summary = "Say whether requests can be served." };

    [Function("health")]
    public Task<IResult> Live([HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "health")] HttpRequest request) =>
        api.RunWithoutCaller(request, live, _ => ValueTask.FromResult(Ready([])));

    /// <summary>
    /// Names the parts that do not answer: <c>store</c>, <c>queues</c>, <c>search</c>. Without the store it answers 503. Without another part it answers 200:
    /// only requests that need the part are refused.
    /// </summary>
    [Function("health-ready")]
    public Task<IResult> Ready([HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "health/ready")] HttpRequest request) =>
        api.RunWithoutCaller(request, ready, async requestId =>
        {
            using var timeout = new CancellationTokenSource(MaxWait, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, request.HttpContext.RequestAborted);
            var ct = either.Token;
            var wait = default(TimeSpan?);
            var parts = await Task.WhenAll(
                CheckPart("store", async () => await access.FindWorkspace(UnusedWorkspaceId, ct)), CheckPart("queues", async () => await queues.Check(ct)),
                CheckPart("search", async () => await indexes.Check(ct)));
            var missing = parts.OfType<string>().ToList();
            if (missing is ["store", ..]) return Error.StoreDown(wait) with { Details = [.. missing.Select(part => new FieldError(part, "does not answer"))] };
            return Ready(missing);

            async Task<string?> CheckPart(string name, Func<Task> check)
            {
                try
                {
                    await check();
                    return null;
                }
                catch (StoreUnavailableException e)
                {
                    Missing(log, name, e.Message, requestId);
                    if (e.RetryAfter > (wait ?? TimeSpan.Zero)) wait = e.RetryAfter;
                    return name;
                }
                catch (OperationCanceledException) when (timeout.IsCancellationRequested && !request.HttpContext.RequestAborted.IsCancellationRequested)
                {
                    Missing(log, name, "no answer in time", requestId);
                    return name;
                }
            }
        });

    private static Outcome Ready(IReadOnlyList<string> missing) => new Outcome.Report(writer =>
    {
        writer.WriteString("status"u8, missing is [] ? "ok"u8 : "degraded"u8);
        if (missing is []) return;
        writer.WriteStartArray("unavailable"u8);
        foreach (var part in missing) writer.WriteStringValue(part);
        writer.WriteEndArray();
    });

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "Not ready: {Part}: {Reason}, request {RequestId}")]
    private static partial void Missing(ILogger logger, string part, string reason, string requestId);
}
