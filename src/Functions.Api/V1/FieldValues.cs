using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>The custom field values of one record, the same for every resource that has them.</summary>
internal static class FieldValues
{
    private const string Type = "custom_field_value";

    public static async ValueTask<Answer> GetFieldValues(this Call call, Schema schema, string id)
    {
        call.NoParameters();
        var found = await call.Records.Get(schema, id, call.Aborted);
        return found.Error is { } error ? error : AnswerOf(schema, found.Value, await CustomField.DefinitionsOf(schema, call.Caller.Store, call.Aborted));
    }

    public static async ValueTask<Answer> SetFieldValues(this Call call, Schema schema, string id)
    {
        var (body, ifVersion) = (await call.Body(), call.IfMatch());
        var definitions = await CustomField.DefinitionsOf(schema, call.Caller.Store, call.Aborted);
        return await call.Write(
            records => FieldOperations.SetValues(records, definitions, schema, id, body, ifVersion, call.Aborted), stored => AnswerOf(schema, stored, definitions));
    }

    private static Answer AnswerOf(Schema schema, StoredRecord record, IReadOnlyList<FieldDefinition> definitions) =>
        Answer.Listed([.. FieldOperations.ValuesOf(schema, record, definitions).Select(v => (Type, v.Id, v.Attributes()))], nextCursor: null);
}
