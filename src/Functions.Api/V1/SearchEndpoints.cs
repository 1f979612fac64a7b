using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Access;
using NodeStash.Core.Jobs;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Search;
using NodeStash.Core.Values;
using NodeStash.Functions.Api.Http;
using NodeStash.Functions.Api.V1.Queries;

namespace NodeStash.Functions.Api.V1;

/// <summary>
/// Searches all types at once, and has the index rebuilt. To search one type with filters, list its resource. docs/api/v1.md, Search.
/// </summary>
public sealed class SearchEndpoints(Http.Api api, JobSender jobs)
{
    private static readonly Scope[] Reading = [.. Crm.Catalog.Searchable.Append(CustomRecord.Schema).Select(schema => Scope.Reading(schema.Scopes))];
    private static readonly Scope[] Writing = [.. Crm.Catalog.Searchable.Append(CustomRecord.Schema).Select(schema => Scope.Writing(schema.Scopes))];

    private static readonly Parameter text = ListQuery.SearchText("q", "What to search for.") with { IsRequired = true };

    private static readonly Parameter types = new(
        "types",
        new(JsonType.String),
        "The types to search, with commas between; all that the credential may read if absent.",
        (given, _) => given.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    private static readonly Operation search = new()
    {
        Name = "search",
        Method = "GET",
        Route = "v1/search",
        Summary = "Search records of several types at once, best match first.",
        Scopes = Reading,
        Parameters = [text, types, Parameter.Limit(20), Parameter.Cursor],
        Answers = [new Success(StatusCodes.Status200OK, SearchResult.Type) { IsList = true }],
    };

    private static readonly Operation reindex = new()
    {
        Name = "search-reindex",
        Method = "POST",
        Route = "v1/search/reindex",
        Summary = "Rebuild the search index of the environment.",
        Scopes = [Writing[0]],
        Parameters = [Parameter.DryRun],
        Body = Form.Empty,
        IsBodyOptional = true,
        Answers = [new Success(StatusCodes.Status202Accepted, "job")],
    };

    [Function("search")]
    public Task<IResult> Search([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/search")] HttpRequest request) =>
        api.Run(request, search, async call =>
        {
            var (errors, fingerprint, words) = (new ValidationErrors(), Cursor.Fingerprint(SearchResult.Type, call.Parameters()), (string)call.Query[text]!);

            // Built-in types come first, then custom objects by slug.
            List<Schema> all = [.. Crm.Catalog.Searchable, .. (await CustomObject.All(call.Caller.Store, call.Aborted)).Select(o => CustomRecord.Of(o.Slug))];
            var named = call.Query[types] is string[] names ? Named(names, all, errors) : null;
            var after = call.Query[Parameter.Cursor] is string cursor && !errors.Any ? Cursor.Read(cursor, fingerprint, 3, errors) : null;
            if (after is { Values: not [long, string, long] }) errors.Add("cursor", Cursor.Wrong);
            if (errors.Any) return Error.Invalid(errors.All);

            var searched = named ?? [.. all.Where(schema => call.Caller.May(Scope.Reading(schema.Scopes)))];
            var searchedTypes = searched.Select(schema => schema.Type).ToList();
            if (call.CheckCanRead(searchedTypes) is { } forbidden) return forbidden;
            var page = await call.Caller.Search.Across(searchedTypes, words, after, (int)call.Query[Parameter.PageSize]!, call.Aborted);
            if (page.Error is { } error) return error;

            var match = new TextMatch(words);
            return new Outcome.Listed(
                [.. page.Value.Records.Select(record => new Resource(SearchResult.Type, record.Id, SearchResult.Attributes(record, match)))],
                page.Value.Next is null ? null : Cursor.Write(page.Value.Next, fingerprint),
                HasMore: page.Value.Next is not null,
                Meta: writer =>
                {
                    writer.WriteStartObject("counts"u8);
                    foreach (var schema in searched) writer.WriteNumber(schema.EventNoun!, page.Value.Counts[schema.Type]);
                    writer.WriteEndObject();
                });
        });

    /// <summary>Starts a rebuild of the search index. It reads every type, so it takes the write scope of each.</summary>
    [Function("search-reindex")]
    public Task<IResult> Reindex([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/search/reindex")] HttpRequest request) =>
        api.Run(request, reindex, async call =>
        {
            if (Writing.FirstOrDefault(scope => !call.Caller.May(scope)) is { Name: { } missing }) return Error.InsufficientScope(missing);
            if ((await call.Read()).Error is { } wrong) return wrong;

            var job = call.Ids.New("job_");
            if (!call.IsDryRun) await jobs.Send(new Reindexing(call.Caller.Partition.Key, job), call.Aborted);
            return new Outcome.Accepted(new Resource("job", job, JsonForm.Object(writer =>
            {
                writer.WriteString("id"u8, job);
                writer.WriteString("kind"u8, "search_reindex"u8);
                writer.WriteString("requested_at"u8, Text.Format(call.Clock.GetUtcNow()));
            })));
        });

    private static IReadOnlyList<Schema> Named(string[] names, IReadOnlyList<Schema> all, ValidationErrors errors)
    {
        var expected = $"expected of {string.Join(", ", Crm.Catalog.Searchable.Select(schema => schema.EventNoun))}, and slugs of custom objects";
        if (names.Length == 0) errors.Add(types.Name, $"Nothing is named; {expected}");
        foreach (var name in names.Where(name => all.All(schema => schema.EventNoun != name)))
            errors.Add(types.Name, $"'{name}' can't be searched; {expected}");
        return [.. all.Where(schema => names.Contains(schema.EventNoun))];
    }
}
