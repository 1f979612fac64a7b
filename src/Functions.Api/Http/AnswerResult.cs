using Microsoft.AspNetCore.Http;
using NodeStash.Core.Records;
using NodeStash.Core.Values;

namespace NodeStash.Functions.Api.Http;

/// <summary>Sends an answer: headers, and a body of known length.</summary>
internal sealed class AnswerResult(Answer answer, IDoor door, string requestId) : IResult
{
    private const string Json = "application/json; charset=utf-8";
    private const string Problem = "application/problem+json";

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = answer.Status;
        var headers = response.Headers;
        headers["X-Request-Id"] = requestId;
        headers.CacheControl = "no-store";
        if (answer.ETag is not null) headers.ETag = answer.ETag;
        if (answer.Location is not null) headers.Location = answer.Location;
        if (answer.IsRepeat) headers["Idempotency-Replayed"] = "true";
        if (answer.Allow is not null) headers.Allow = answer.Allow;
        if (answer.ContentRange is not null) headers.ContentRange = answer.ContentRange;
        if (answer.Error is { Code: ErrorCode.Unavailable, RetryAfter: var wait })
            headers.RetryAfter = Text.Invariant((long)Math.Max(1, Math.Ceiling(wait?.TotalSeconds ?? 1)));
        if (answer.Error?.Code is ErrorCode.InvalidApiKey) headers.WWWAuthenticate = "Bearer";
        if (answer.Body is not { } body) return;

        var problem = answer.Error is { } error && httpContext.Request.Headers.Accept.ToString().Contains(Problem, StringComparison.OrdinalIgnoreCase)
            ? error
            : null;
        response.ContentType = problem is null ? Json : Problem;
        if (problem is not null) body = door.RenderProblem(problem, requestId);
        response.ContentLength = body.Length;
        await response.BodyWriter.WriteAsync(body, httpContext.RequestAborted);
    }
}
