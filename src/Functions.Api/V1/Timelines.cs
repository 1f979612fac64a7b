using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>The timeline of one record, the same for every resource that has one.</summary>
internal static class Timelines
{
    /// <param name="call">The request.</param>
    /// <param name="schema">Of which resource.</param>
    /// <param name="link">The field of activities that points to it.</param>
    /// <param name="id">Of which record.</param>
    public static async ValueTask<Answer> GetTimeline(this Call call, Schema schema, LinkField link, string id)
    {
        if (call.Lacking([Activity.Schema.Type]) is { } lacking) return lacking;
        var found = await call.Records.Get(schema, id, call.Aborted);
        if (found.Error is { } missing) return missing;
        var page = await Timeline.Read(call.Caller.Store, link, id, call.Parameters(), call.Aborted);
        return page.Error is { } error ? error : Answer.Listed([.. page.Value.Entries.Select(e => (e.Type, e.Id, e.Attributes))], page.Value.NextCursor);
    }
}
