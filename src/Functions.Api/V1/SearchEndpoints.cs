using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Access;
using NodeStash.Core.Jobs;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Search;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>Searches all types at once, and has the index built anew. A search of one type, with filters, is a list of its own resource. contract/v1.md, Common rules.</summary>
public sealed class SearchEndpoints(Http.Api api, JobSender jobs)
{
    private static readonly Scope[] Reading = [.. Catalog.Searchable.Append(CustomRecord.Schema).Select(schema => Scope.Reading(schema.Scopes))];
    private static readonly Scope[] Writing = [.. Catalog.Searchable.Append(CustomRecord.Schema).Select(schema => Scope.Writing(schema.Scopes))];

    [Function("search")]
    public Task<IResult> Search([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/search")] HttpRequest request) =>
        api.Run(request, Reading, async call =>
        {
            var parameters = call.Parameters();
            var all = await SearchAcross.AllOf(call.Caller.Store, call.Aborted);
            var search = SearchAcross.Read(parameters, all);
            if (search.Error is { } wrong) return wrong;
            var searched = search.Value.Types ?? [.. all.Where(schema => call.Caller.May(Scope.Reading(schema.Scopes)))];
            var types = searched.Select(schema => schema.Type).ToList();
            if (call.Lacking(types) is { } lacking) return lacking;
            var page = await call.Caller.Search.Across(types, search.Value.Text, search.Value.After, search.Value.Limit, call.Aborted);
            if (page.Error is { } error) return error;

            var match = new TextMatch(search.Value.Text);
            return Answer.Listed(
                [.. page.Value.Records.Select(record => (SearchResult.Type, record.Id, SearchResult.Attributes(record, match)))],
                SearchAcross.NextCursor(parameters, page.Value.Next),
                meta: writer =>
                {
                    writer.WriteStartObject("counts"u8);
                    foreach (var schema in searched) writer.WriteNumber(schema.EventNoun!, page.Value.Counts[schema.Type]);
                    writer.WriteEndObject();
                });
        });

    /// <summary>What is stored is not touched, but every type is read anew for it: that takes the right to write each.</summary>
    [Function("search-reindex")]
    public Task<IResult> Reindex([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/search/reindex")] HttpRequest request) =>
        api.Run(request, Writing[0], async call =>
        {
            call.NoParameters(Call.DryRun);
            if (Writing.FirstOrDefault(scope => !call.Caller.May(scope)) is { Name: { } lacking }) return Error.InsufficientScope(lacking);
            var faults = new Faults();
            foreach (var member in (await call.OptionalBody()).EnumerateObject()) faults.Add(member.Name, "Unknown field: a rebuild takes none");
            if (faults.Any) return Error.Invalid(faults.All);

            var job = call.Ids.New("job_");
            if (!call.Flag(Call.DryRun)) await jobs.Send(new Reindexing(call.Caller.Partition.Key, job), call.Aborted);
            return Answer.One(StatusCodes.Status202Accepted, "job", job, JsonForm.Object(writer =>
            {
                writer.WriteString("id"u8, job);
                writer.WriteString("kind"u8, "search_reindex"u8);
                writer.WriteString("requested_at"u8, Text.Format(call.Clock.GetUtcNow()));
            }), null, null, null);
        });
}
