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

namespace NodeStash.Functions.Api.Http;

/// <summary>The way every request takes: who calls, may they, do it, answer; and what is not an answer becomes one here.</summary>
public sealed partial class Api(Authentication authentication, OperatorSecret operators, Idempotency idempotency, IDoor door, Ids ids, TimeProvider clock, ILogger<Api> log)
{
    private const string Bearer = "Bearer ";

    /// <summary>How far the data was read and written for a request; sent back, any instance reads at least that (<see cref="IWorkspaceStore.Session"/>).</summary>
    private const string Session = "X-NodeStash-Session";

    internal static readonly Error Unauthenticated = new(ErrorCode.InvalidApiKey, "Missing or invalid Authorization header", []);

    /// <summary>Runs an operation that needs a credential of a workspace.</summary>
    /// <param name="request">The request.</param>
    /// <param name="operation">What is asked for; it has scopes.</param>
    /// <param name="work">Does it for the caller.</param>
    public Task<IResult> Run(HttpRequest request, Operation operation, Func<Call, ValueTask<Outcome>> work) => Answered(request, operation, async requestId =>
    {
        var caller = await Authenticate(request);
        if (caller is null) return Unauthenticated;
        Activity.Current?.SetTag("nodestash.workspace_id", caller.Partition.WorkspaceId);
        request.HttpContext.Items[typeof(Caller)] = caller;
        if (!operation.Scopes.Any(caller.May)) return Error.InsufficientScope(operation.Scopes[0].Name);
        var origin = new Origin(caller.Source, caller.Actor, requestId);
        var answer = await idempotency.Run(request, operation, caller, requestId, kept => Run(request, operation, caller, origin, kept, work));
        if (caller.Store.Session is { } session) request.HttpContext.Response.Headers[Session] = session;
        return answer;
    });

    /// <summary>Runs an operation that needs no credential, or the operator's.</summary>
    /// <param name="request">The request.</param>
    /// <param name="operation">What is asked for; it is public or for the operator.</param>
    /// <param name="work">Does it; given the request's id.</param>
    public Task<IResult> RunWithoutCaller(HttpRequest request, Operation operation, Func<string, ValueTask<Outcome>> work) => Answered(
        request,
        operation,
        requestId => operation.IsForOperator && !(BearerOf(request) is { } secret && operators.Is(secret)) ? ValueTask.FromResult<Outcome>(Unauthenticated) : work(requestId));

    private async ValueTask<Outcome> Run(
        HttpRequest request, Operation operation, Caller caller, Origin origin, IdempotentRequest? kept, Func<Call, ValueTask<Outcome>> work)
    {
        var query = operation.ReadQuery(Call.ParametersOf(request));
        return query.Error is { } error ? error : await work(new Call(request, operation, query.Value, caller, origin, ids, clock, kept));
    }

    private async Task<IResult> Answered(HttpRequest request, Operation operation, Func<string, ValueTask<Outcome>> work)
    {
        var requestId = ids.New("req_");
        var start = clock.GetTimestamp();
        using var activity = Instruments.Traces.StartActivity("api.request", ActivityKind.Server);
        activity?.SetTag("nodestash.request_id", requestId);
        activity?.SetTag("nodestash.operation", operation.Name);
        var answer = door.Render(await Outcome(request, requestId, work), requestId);

        var took = clock.GetElapsedTime(start);
        Instruments.Requests.Record(
            took.TotalSeconds, new("method", request.Method), new("status", answer.Status), new("code", answer.Error?.Code), new("operation", operation.Name));
        activity?.SetStatus(answer.Status >= 500 ? ActivityStatusCode.Error : ActivityStatusCode.Ok);
        var workspaceId = (request.HttpContext.Items[typeof(Caller)] as Caller)?.Partition.WorkspaceId;
        if (log.IsEnabled(LogLevel.Information)) Answered(log, request.Method, Routes.WithoutContent(request.Path.Value ?? "/"), answer.Status, took.TotalMilliseconds, requestId, workspaceId);
        return new AnswerResult(answer, door, requestId);
    }

    [SuppressMessage("Design", "CA1031", Justification = "The one place where whatever goes wrong becomes INTERNAL_ERROR.")]
    private async ValueTask<Outcome> Outcome(HttpRequest request, string requestId, Func<string, ValueTask<Outcome>> work)
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
            // Nobody is there to read it.
            return new Error(ErrorCode.Unavailable, "The request was aborted", []);
        }
        catch (BadHttpRequestException e)
        {
            return e.StatusCode == StatusCodes.Status413PayloadTooLarge ? Body.TooLarge : Error.Invalid("body", "The request could not be read");
        }
        catch (Exception e)
        {
            Failed(log, e, requestId);
            return new Error(ErrorCode.InternalError, "Something went wrong on our side; the request id tells us what", []);
        }
    }

    /// <summary>The credential of a request; null where it has none, or several.</summary>
    internal static string? BearerOf(HttpRequest request)
    {
        var header = request.Headers.Authorization;
        return header.Count == 1 && header[0] is { } value && value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? value[Bearer.Length..].Trim() : null;
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
            throw new RefusedException(Error.Invalid(Session, "Pass it as it was answered, or leave it out"));
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "{Method} {Path} {Status} in {Milliseconds:0.0} ms, request {RequestId}, workspace {WorkspaceId}")]
    private static partial void Answered(ILogger logger, string method, string path, int status, double milliseconds, string requestId, string? workspaceId);

    [LoggerMessage(EventId = 2, Level = LogLevel.Error, Message = "The store is not available: {Reason}, request {RequestId}")]
    private static partial void StoreDown(ILogger logger, string reason, string requestId);

    [LoggerMessage(EventId = 4, Level = LogLevel.Warning, Message = "A search is refused for now: {Reason}, request {RequestId}")]
    private static partial void SearchNotYet(ILogger logger, string reason, string requestId);

    [LoggerMessage(EventId = 3, Level = LogLevel.Error, Message = "Request {RequestId} failed")]
    private static partial void Failed(ILogger logger, Exception e, string requestId);
}
