using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using NodeStash.Core.Access;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Support.Doors;

/// <summary>
/// A second public system over the engine: people with names in camel case, bare JSON without an envelope, pages by offset with a Content-Range, and an
/// archive, of which /v1 has none.
/// What it needs beside these lines is not particular to /v1.
/// </summary>
public sealed class OtherDoor : IDoor
{
    private static readonly Parameter offset = Number("offset", 10_000, 0);
    private static readonly Parameter limit = Number("limit", 100, 10);

    private static readonly Parameter withArchived = Parameter.Flag("withArchived", "Whether archived people are shown, too.");

    private static readonly Operation list = Of("people-list", "GET", Scope.ContactsRead) with { Parameters = [offset, limit, withArchived] };
    private static readonly Operation create = Of("people-create", "POST", Scope.ContactsWrite);
    private static readonly Operation get = Of("people-get", "GET", Scope.ContactsRead) with { Parameters = [withArchived] };
    private static readonly Operation archive = Of("archive", "DELETE", Scope.ContactsWrite) with { Parameters = [Parameter.DryRun], TakesIfMatch = true };
    private static readonly Operation restore = Of("restore", "POST", Scope.ContactsWrite) with { Parameters = [Parameter.DryRun], TakesIfMatch = true };

    /// <summary>Serves it on a port of its own, over the services of a running product.</summary>
    public static async Task<WebApplication> Serve(IServiceProvider product)
    {
        var door = new OtherDoor();
        var api = ActivatorUtilities.CreateInstance<Functions.Api.Http.Api>(product, door, ActivatorUtilities.CreateInstance<Idempotency>(product, door));
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapGet("/api/people", (HttpRequest request) => api.Run(request, list, List));
        app.MapPost("/api/people", (HttpRequest request) => api.Run(request, create, Create));
        app.MapGet("/api/people/{id}", (HttpRequest request, string id) => api.Run(request, get, call => Get(call, id)));
        app.MapDelete(
            "/api/{resource}/{id}", (HttpRequest request, string resource, string id) => api.Run(request, archive, call => Archive(call, Named(resource), id)));
        app.MapPost("/api/{resource}/{id}/restore",
            (HttpRequest request, string resource, string id) => api.Run(request, restore, call => Restore(call, Named(resource), id)));
        await app.StartAsync();
        return app;
    }

    public Answer Render(Outcome outcome, string requestId) => outcome switch
    {
        Outcome.Rendered rendered => rendered.Answer,
        Outcome.Refused { Why: var error } =>
            new Answer(StatusOf(error.Code), Json(new { error = error.Message, fields = error.Details.Select(one => Camel(one.Field)) })) { Error = error },
        Outcome.Listed list =>
            new Answer(StatusCodes.Status200OK,
                Json(list.Resources.Select(Flat)))
            { ContentRange = $"people {list.Skipped}-{list.Skipped + list.Resources.Count - 1}/{list.Total}" },
        Outcome.Created { Resource: var created } => new Answer(StatusCodes.Status201Created, Json(Flat(created))),
        Outcome.Found { Resource: var found } => new Answer(StatusCodes.Status200OK, Json(Flat(found))),
        _ => throw new NotSupportedException(outcome.ToString()),
    };

    public ReadOnlyMemory<byte> RenderProblem(Error error, string requestId) => Json(new { title = error.Message });

    private static async ValueTask<Outcome> List(Call call)
    {
        var skip = (int)call.Query[offset]!;
        var newest = new Core.Storage.SortKey(new KeyPath("created_at"), Descending: true);
        var query = new RecordQuery(Contact.Schema.Type, Condition.Always, [newest], null, (int)call.Query[limit]!)
        {
            Skip = skip, WithTotal = true, WithArchived = call.Query.Is(withArchived),
        };
        var page = await call.Records.List(query, call.Aborted);
        return new Outcome.Listed([.. page.Records.Select(record => Resource.WithArchivedAt(Contact.Schema, record))], null, page.Next is not null)
        {
            Skipped = skip, Total = page.Total,
        };
    }

    private static async ValueTask<Outcome> Create(Call call)
    {
        var body = Renamed(await call.Body(), Text.ToSnakeCase);
        return await call.Write(records => records.Create(Contact.Schema, body, call.Aborted), stored => Outcome.New(Contact.Schema, stored));
    }

    private static async ValueTask<Outcome> Get(Call call, string id)
    {
        var found = await call.Records.Get(Contact.Schema, id, call.Aborted, call.Query.Is(withArchived));
        return found.Error is { } error ? error : Shown(Contact.Schema, found.Value);
    }

    private static ValueTask<Outcome> Archive(Call call, Schema schema, string id) =>
        call.Write(records => records.Archive(schema, id, call.IfMatch(), call.Aborted), stored => Shown(schema, stored));

    private static ValueTask<Outcome> Restore(Call call, Schema schema, string id) =>
        call.Write(records => records.Restore(schema, id, call.IfMatch(), call.Aborted), stored => Shown(schema, stored));

    private static Outcome.Found Shown(Schema schema, StoredRecord record) => new(Resource.WithArchivedAt(schema, record));

    /// <summary>People, another resource by its path, or the records of a custom object.</summary>
    private static Schema Named(string resource) =>
        resource is "people" ? Contact.Schema : Crm.Catalog.All.FirstOrDefault(schema => schema.Collection == resource) ?? CustomRecord.Of(resource);

    private static int StatusOf(ErrorCode code) => code switch
    {
        ErrorCode.NotFound => 404,
        ErrorCode.InvalidApiKey => 401,
        ErrorCode.Conflict => 409,
        ErrorCode.PreconditionFailed => 412,
        _ => 400,
    };

    private static Operation Of(string name, string method, Scope scope) =>
        new() { Name = name, Method = method, Route = "api/people", Summary = "People.", Scopes = [scope], Answers = [] };

    private static Parameter Number(string name, int max, int otherwise) => new(
        name, new(JsonType.Integer), "A number.",
        (text, errors) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= max
            ? number
            : errors.Add(name, "Expected a number"))
    {
        Default = otherwise,
    };

    private static JsonElement Flat(Resource resource) => Renamed(JsonElement.Parse(resource.Attributes.Span), Camel);

    private static JsonElement Renamed(JsonElement json, Func<string, string> rename) =>
        JsonSerializer.SerializeToElement(
            new JsonObject(json.EnumerateObject().Select(member => KeyValuePair.Create(rename(member.Name), JsonNode.Parse(member.Value.GetRawText())))));

    private static string Camel(string name) => string.Concat(name.Split('_').Select((word, i) => i == 0 ? word : char.ToUpperInvariant(word[0]) + word[1..]));

    private static ReadOnlyMemory<byte> Json<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value);
}
