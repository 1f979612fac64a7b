using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Access;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;
using NodeStash.Core.Webhooks;
using NodeStash.Functions.Api.Http;
using NodeStash.Functions.Api.V1.Queries;

namespace NodeStash.Functions.Api.V1;

/// <summary>Serves the event log, which equals the webhook stream. docs/api/webhooks.md, Events.</summary>
public sealed class EventEndpoints(Http.Api api)
{
    private const string Type = "event";

    private static readonly TimeField createdAt = new("created_at[gte]");

    private static readonly Parameter name = new("type", new(JsonType.String), "Only events of this name, such as contact.created.", ReadName);

    private static readonly Parameter recordId = new(
        "record_id",
        new(JsonType.String),
        "Only events of this record.",
        (text, errors) => Ids.IsAnyId(text) ? text : errors.Add("record_id", $"Expected an id: a prefix such as ct_ and {Ids.Length} letters or digits"));

    private static readonly Parameter from = new(
        createdAt.Name,
        createdAt.Facets,
        "Only events of this time and later.",
        (text, errors) => Text.TryTime(text, out var time) ? time : createdAt.ReadKey(text, createdAt.Name, errors));

    private static readonly Operation list = new()
    {
        Name = "events-list",
        Method = "GET",
        Route = "v1/events",
        Summary = "Read the event log, oldest first.",
        Scopes = [Scope.EventsRead],
        Parameters = [name, recordId, from, Parameter.Limit(20), Parameter.Cursor],
        Answers = [new Success(StatusCodes.Status200OK, Type) { IsList = true }],
    };

    [Function("events-list")]
    public Task<IResult> List([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/events")] HttpRequest request) =>
        api.Run(request, list, async call =>
        {
            var (errors, fingerprint) = (new ValidationErrors(), Cursor.Fingerprint(Type, call.Parameters()));
            var after = call.Query[Parameter.Cursor] is string cursor && Cursor.Read(cursor, fingerprint, 1, errors) is { Values: [string position] }
                ? position
                : null;
            if (errors.Any) return Error.Invalid(errors.All);
            var query = new EventQuery(
                after, (int)call.Query[Parameter.PageSize]!, (string?)call.Query[name], (string?)call.Query[recordId], (DateTimeOffset?)call.Query[from]);
            var page = await call.Caller.Store.ReadEvents(query, call.Aborted);

            // The end of the log has a cursor, too: later events come after it. It is null only where nothing was ever read.
            var next = page.Position is null ? null : Cursor.Write(new Keyset([page.Position], ""), fingerprint);
            return new Outcome.Listed([.. page.Events.Select(e => new Resource(Type, e.Id, e.Body))], next, page.HasMore);
        });

    private static object? ReadName(string text, ValidationErrors errors)
    {
        var problem = EventPattern.Check(text) ?? (text.Contains('*', StringComparison.Ordinal) ? "Expected one event, such as contact.created" : null);
        return problem is null ? text : errors.Add("type", problem);
    }
}
