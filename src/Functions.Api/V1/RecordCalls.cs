using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Functions.Api.Http;
using NodeStash.Functions.Api.V1.Queries;

namespace NodeStash.Functions.Api.V1;

/// <summary>Runs the operations that every resource has.</summary>
internal static class RecordCalls
{
    private const string ValueType = "custom_field_value";

    public static async ValueTask<Outcome> Get(this Call call, Schema schema, string id)
    {
        var view = ListQuery.View(call.Query);
        if (call.CheckCanRead(view.RelatedTypes) is { } forbidden) return forbidden;
        var found = await call.Records.Get(schema, id, call.Aborted);
        if (found.Error is { } error)
        {
            return error.Code is ErrorCode.NotFound && schema.SuccessorKey is { } uniqueKey
                && await call.Caller.Store.FindOwner(uniqueKey(id), call.Aborted) is { } successor
                ? new Outcome.Moved($"{schema.Collection}/{successor}{call.Request.QueryString}")
                : error;
        }

        if (!view.Includes && call.MatchesIfNoneMatch(V1Door.TagOf(found.Value.Version))) return new Outcome.Unchanged(found.Value.Version);
        return Outcome.Of(schema, (await view.Of([found.Value], call.Caller.Store, call.Aborted))[0]);
    }

    public static ValueTask<Outcome> List(this Call call, Schema schema) => call.List(schema, call.Records);

    /// <summary>Lists records of another set than the caller's environment, e.g. those of the workspace itself.</summary>
    public static async ValueTask<Outcome> List(this Call call, Schema schema, RecordSet from)
    {
        var (given, view) = (call.Parameters(), ListQuery.View(call.Query));
        if (call.CheckCanRead(view.RelatedTypes.Concat(ListQuery.RelatedTypes(call.Query))) is { } forbidden) return forbidden;
        var list = ListQuery.Read(schema, call.Query, given);
        if (list.Error is { } wrong) return wrong;
        var page = list.Value.Search is null ? await from.List(list.Value.Query, call.Aborted) : await call.Caller.Search.List(list.Value, call.Aborted);
        return page.Error is { } error
            ? error
            : Outcome.Page(
                [.. (await view.Of(page.Value.Records, call.Caller.Store, call.Aborted)).Select(record => Resource.Of(schema, record))],
                ListQuery.NextCursor(schema, given, page.Value));
    }

    public static async ValueTask<Outcome> Create(this Call call, Schema schema)
    {
        var body = await call.Body();
        return await call.Write(records => records.Create(schema, body, call.Aborted), stored => Outcome.New(schema, stored));
    }

    public static async ValueTask<Outcome> Update(this Call call, Schema schema, string id)
    {
        var (body, ifVersion) = (await call.Body(), call.IfMatch());
        return await call.Write(records => records.Update(schema, id, body, ifVersion, call.Aborted), stored => Outcome.Of(schema, stored));
    }

    /// <summary>Runs the operations of a batch.</summary>
    public static async ValueTask<Outcome> Batch(this Call call, Schema schema)
    {
        var batch = Core.Records.Batch.Read(schema, await call.Body());
        if (batch.Error is { } error) return error;
        return await new BatchRun(call, schema, batch.Value.Operations, call.IsDryRun).Run(batch.Value.IsAtomic);
    }

    /// <summary>Deletes a record. With <c>force</c>, where the operation takes it, also removes what would prevent the deletion.</summary>
    public static ValueTask<Outcome> Delete(this Call call, Schema schema, string id) =>
        call.Delete(records => records.Delete(schema, id, call.IfMatch(), call.Aborted, call.Query.Is(Parameter.Force)));

    /// <summary>Reads the custom field values of a record.</summary>
    public static async ValueTask<Outcome> GetFieldValues(this Call call, Schema schema, string id)
    {
        var found = await call.Records.Get(schema, id, call.Aborted);
        return found.Error is { } error ? error : AnswerOf(schema, found.Value, await CustomField.DefinitionsOf(schema, call.Caller.Store, call.Aborted));
    }

    /// <summary>Sets custom field values of a record.</summary>
    public static async ValueTask<Outcome> SetFieldValues(this Call call, Schema schema, string id)
    {
        var (body, ifVersion) = (await call.Body(), call.IfMatch());
        var definitions = await CustomField.DefinitionsOf(schema, call.Caller.Store, call.Aborted);
        return await call.Write(
            records => FieldOperations.SetValues(records, definitions, schema, id, body, ifVersion, call.Aborted),
            stored => AnswerOf(schema, stored, definitions));
    }

    /// <summary>Reads a page of the timeline of a record.</summary>
    /// <param name="call">The request.</param>
    /// <param name="schema">The resource.</param>
    /// <param name="link">The field of activities that links to the record.</param>
    /// <param name="id">The id of the record.</param>
    public static async ValueTask<Outcome> GetTimeline(this Call call, Schema schema, LinkField link, string id)
    {
        if (call.CheckCanRead([Activity.Schema.Type]) is { } forbidden) return forbidden;
        var found = await call.Records.Get(schema, id, call.Aborted);
        if (found.Error is { } missing) return missing;
        var (errors, fingerprint) = (new ValidationErrors(), Cursor.Fingerprint($"timeline\n{id}", []));
        var place = call.Query[Parameter.Cursor] is string cursor ? Cursor.Read(cursor, fingerprint, 2, errors) : null;
        if (errors.Any) return Error.Invalid(errors.All);
        var page = await Timeline.Read(call.Caller.Store, link, id, place, (int)call.Query[Parameter.PageSize]!, call.Aborted);
        return Outcome.Page(
            [.. page.Entries.Select(e => new Resource(e.Type, e.Id, e.Attributes))], page.Next is null ? null : Cursor.Write(page.Next, fingerprint));
    }

    private static Outcome AnswerOf(Schema schema, Core.Storage.StoredRecord record, IReadOnlyList<FieldDefinition> definitions) =>
        Outcome.Page([.. FieldOperations.ValuesOf(schema, record, definitions).Select(v => new Resource(ValueType, v.Id, v.Attributes()))], nextCursor: null);
}
