using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Records;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>
/// Answers requests that no other function takes: unknown paths, and known paths with another method.
/// The Functions host tries routes in the order of function names, so this name must be the last.
/// </summary>
public sealed class FallbackEndpoint(Http.Api api)
{
    private static readonly Operation fallback = new()
    {
        Name = "zz-fallback",
        Method = "*",
        Route = "{*path}",
        Summary = "Say that there is no such path, or which methods it takes.",
        PublicBecause = "It only says that the path is unknown",
        Answers = [],
        OwnErrors = [ErrorCode.NotFound, ErrorCode.MethodNotAllowed],
    };

    [Function("zz-fallback")]
    public Task<IResult> Run([HttpTrigger(AuthorizationLevel.Anonymous, Route = "{*path}")] HttpRequest request) =>
        api.RunWithoutCaller(request, fallback, _ => ValueTask.FromResult<Outcome>(Routes.Find(request.Path.Value ?? "/") is { Count: > 0 } methods
            ? NotAllowed(string.Join(", ", methods))
            : new Outcome.Refused(new Error(ErrorCode.NotFound, "No such path. The resources are below /v1", []))));

    private static Outcome.Refused NotAllowed(string methods) => new(new Error(ErrorCode.MethodNotAllowed, $"This path takes {methods}", []), methods);
}
