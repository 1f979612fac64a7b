using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Access;
using NodeStash.Core.Events;
using NodeStash.Core.Records;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;
using NodeStash.Core.Telemetry;
using NodeStash.Core.Tenancy;
using NodeStash.Core.Values;

namespace NodeStash.Functions.Api.Http;

/// <summary>Runs every request: authenticates, authorizes, replays, reads the query, does the work, renders and logs.</summary>
public sealed partial class Api(
    Authentication authentication, OperatorSecret operators, Idempotency idempotency, IDoor door, Ids ids, TimeProvider clock, ILogger<Api> log)
{
    private const string Bearer = "Bearer ";

    /// <summary>
    /// Header with the state of the data that a request has seen. If a client sends it back, any instance reads at least that state
    /// (<see cref="IWorkspaceStore.Session"/>).
    /// </summary>
    private const string Session = "X-NodeStash-Session";

    internal static readonly Error Unauthenticated = new(ErrorCode.InvalidApiKey, "Missing or invalid Authorization header", []);

    /// <summary>Runs an operation that needs a credential of a workspace.</summary>
    /// <param name="request">The request.</param>
    /// <param name="operation">The operation; it has scopes.</param>
    /// <param name="work">Does the work for the caller.</param>
    public Task<IResult> Run(HttpRequest request, Operation operation, Func<Call, ValueTask<Outcome>> work) =>
        Respond(request, operation, requestId => Serve(request, operation, requestId, work));

    /// <summary>Runs an operation that is public or takes the operator's secret.</summary>
    /// <param name="request">The request.</param>
    /// <param name="operation">The operation; it is public or for the operator.</param>
    /// <param name="work">Does the work, given the request's id.</param>
    public Task<IResult> RunWithoutCaller(HttpRequest request, Operation operation, Func<string, ValueTask<Outcome>> work) => Respond(
        request,
        operation,
        requestId => operation.IsForOperator && CheckOperator(request, operation) is { } refused ? ValueTask.FromResult<Outcome>(refused) : work(requestId));

    /// <summary>Checks the operator's secret and the query string; null where both are valid.</summary>
    private Error? CheckOperator(HttpRequest request, Operation operation) =>
        BearerOf(request) is { } secret && operators.Is(secret) ? operation.ReadQuery(Call.ParametersOf(request)).Error : Unauthenticated;

    /// <summary>Serves a request of a workspace, step by step.</summary>
    private async ValueTask<Outcome> Serve(HttpRequest request, Operation operation, string requestId, Func<Call, ValueTask<Outcome>> work)
    {
        // Authenticate and authorize.
        if (await Authenticate(request) is not { } caller) return Unauthenticated;
        request.HttpContext.Items[typeof(Caller)] = caller;
        Activity.Current?.SetTag("nodestash.workspace_id", caller.Partition.WorkspaceId);
        if (!operation.Scopes.Any(caller.May)) return Error.InsufficientScope(operation.Scopes[0].Name);

        // Replay the answer of an earlier request with the same key.
        using var idempotent = await idempotency.Begin(request, operation, caller, requestId);
        if (idempotent is not null && await idempotent.Replay() is { } before) return before;

        // Read the query string.
        var query = operation.ReadQuery(Call.ParametersOf(request));
        if (query.Error is { } wrong) return wrong;

        try
        {
            // Do the work, and store the answer for repeats.
            var origin = new Origin(caller.Source, caller.Actor, requestId);
            var outcome = await work(new Call(request, operation, query.Value, caller, origin, ids, clock, idempotent));
            return idempotent is null ? outcome : await idempotency.SaveAnswer(idempotent, outcome, caller, requestId);
        }
        catch (AlreadyAnsweredException) when (idempotent is not null)
        {
            return await idempotent.Replay() ?? Idempotency.InProgress;
        }
    }

    /// <summary>Gives a request an id, has the door render its outcome, and logs it.</summary>
    private async Task<IResult> Respond(HttpRequest request, Operation operation, Func<string, ValueTask<Outcome>> work)
    {
        var requestId = ids.New("req_");
        var start = clock.GetTimestamp();
        using var activity = Instruments.Traces.StartActivity("api.request", ActivityKind.Server);
        activity?.SetTag("nodestash.request_id", requestId);
        activity?.SetTag("nodestash.operation", operation.Name);
        var answer = door.Render(await CatchFailures(request, requestId, work), requestId);

        var took = clock.GetElapsedTime(start);
        Instruments.Requests.Record(
            took.TotalSeconds, new("method", request.Method), new("status", answer.Status), new("code", answer.Error?.Code), new("operation", operation.Name));
        activity?.SetStatus(answer.Status >= 500 ? ActivityStatusCode.Error : ActivityStatusCode.Ok);
        var caller = request.HttpContext.Items[typeof(Caller)] as Caller;
        if (caller?.Store.Session is { } session) request.HttpContext.Response.Headers[Session] = session;
        if (log.IsEnabled(LogLevel.Information))
            Answered(log, request.Method, Routes.WithoutContent(request.Path.Value ?? "/"), answer.Status, took.TotalMilliseconds, requestId,
                caller?.Partition.WorkspaceId);
        return new AnswerResult(answer, door, requestId);
    }

    /// <summary>Does the work and turns every exception into an outcome.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "The one place where whatever goes wrong becomes INTERNAL_ERROR.")]
    private async ValueTask<Outcome> CatchFailures(HttpRequest request, string requestId, Func<string, ValueTask<Outcome>> work)
    {
        try
        {
            return await work(requestId);
        }
        catch (RefusedException e)
        {
            return e.Error;
        }
        catch (SearchUnavailableException e) when (e.IsBeingMade)
        {
            SearchNotYet(log, e.Message, requestId);
            return Error.StoreDown(e.RetryAfter);
        }
        catch (StoreUnavailableException e)
        {
            StoreDown(log, e.Message, requestId);
            return Error.StoreDown(e.RetryAfter);
        }
        catch (CommitTooLargeException)
        {
            return Error.TooLarge;
        }
        catch (OperationCanceledException) when (request.HttpContext.RequestAborted.IsCancellationRequested)
        {
            // The client has gone, so nobody reads this.
            return new Error(ErrorCode.Unavailable, "The request was aborted", []);
        }
        catch (BadHttpRequestException e)
        {
            return e.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? Body.TooLarge
                : Error.Invalid("body", "The body could not be read; check its length and encoding, then send it again");
        }
        catch (Exception e)
        {
            Failed(log, e, requestId);
            return new Error(ErrorCode.InternalError, "Something went wrong on our side; the request id tells us what", []);
        }
    }

    /// <summary>Reads the bearer credential of a request; null where it has none, or several.</summary>
    internal static string? BearerOf(HttpRequest request)
    {
        var header = request.Headers.Authorization;
        return header.Count == 1 && header[0] is { } value && value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
            ? value[Bearer.Length..].Trim()
            : null;
    }

    private async ValueTask<Caller?> Authenticate(HttpRequest request)
    {
        if (BearerOf(request) is not { } secret) return null;
        try
        {
            return await authentication.Authenticate(secret, request.Headers[Session] is [var session] ? session : null, request.HttpContext.RequestAborted);
        }
        catch (FormatException)
        {
            throw new RefusedException(Error.Invalid(Session, "Not a session of this API: pass it as it was answered, or leave it out"));
        }
    }

    [LoggerMessage(
        EventId = 1, Level = LogLevel.Information, Message = "{Method} {Path} {Status} in {Milliseconds:0.0} ms, request {RequestId}, workspace {WorkspaceId}")]
    private static partial void Answered(ILogger logger, string method, string path, int status, double milliseconds, string requestId, string? workspaceId);

    [LoggerMessage(EventId = 2, Level = LogLevel.Error, Message = "The store is not available: {Reason}, request {RequestId}")]
    private static partial void StoreDown(ILogger logger, string reason, string requestId);

    [LoggerMessage(EventId = 4, Level = LogLevel.Warning, Message = "A search is refused for now: {Reason}, request {RequestId}")]
    private static partial void SearchNotYet(ILogger logger, string reason, string requestId);

    [LoggerMessage(EventId = 3, Level = LogLevel.Error, Message = "Request {RequestId} failed")]
    private static partial void Failed(ILogger logger, Exception e, string requestId);
}
