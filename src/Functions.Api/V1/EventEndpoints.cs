using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Access;
using NodeStash.Core.Events;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>The event log, equal to the webhook stream. contract/webhooks.md, Events.</summary>
public sealed class EventEndpoints(Http.Api api)
{
    private const string Type = "event";

    [Function("events-list")]
    public Task<IResult> List([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/events")] HttpRequest request) =>
        api.Run(request, Scope.EventsRead, async call =>
        {
            var query = EventLog.Read(call.Parameters());
            if (query.Error is { } error) return error;
            var page = await call.Caller.Store.ReadEvents(query.Value, call.Aborted);
            return Answer.Listed([.. page.Events.Select(e => (Type, e.Id, e.Body))], EventLog.NextCursor(call.Parameters(), page), page.HasMore);
        });
}
