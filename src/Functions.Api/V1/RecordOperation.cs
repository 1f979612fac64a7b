using Microsoft.AspNetCore.Http;
using NodeStash.Core.Access;
using NodeStash.Core.Records;
using NodeStash.Functions.Api.Http;
using NodeStash.Functions.Api.V1.Queries;

namespace NodeStash.Functions.Api.V1;

/// <summary>
/// The operations that every resource has, declared from its schema. Where a resource departs from them, its endpoint says so with <c>with</c>.
/// </summary>
internal static class RecordOperation
{
    private const string ValueType = "custom_field_value";

    private static readonly ErrorCode[] rules = [ErrorCode.Conflict, ErrorCode.UnprocessableEntity];

    public static Operation List(Schema schema, string? path = null) => new()
    {
        Name = $"{schema.Collection}-list",
        Method = "GET",
        Route = Path(schema, path),
        Summary = $"List {Plural(schema)}.",
        Scopes = [Scope.Reading(schema.Scopes)],
        Parameters = ListQuery.Of(schema),
        OtherParameters = (name, text, errors) => Filters.Read(schema, name, text, errors),
        OtherNames = ListQuery.OtherNames(schema),
        Answers = [new Success(StatusCodes.Status200OK, schema.EnvelopeType) { Attributes = Shown(schema), IsList = true }],
    };

    public static Operation Create(Schema schema, string? path = null) => new()
    {
        Name = $"{schema.Collection}-create",
        Method = "POST",
        Route = Path(schema, path),
        Summary = $"Create {One(schema)}.",
        Scopes = [Scope.Writing(schema.Scopes)],
        Parameters = [Parameter.DryRun],
        Body = new Form([.. schema.Fields.Where(field => field.Access is FieldAccess.ReadWrite or FieldAccess.CreateOnly)]),
        Answers = [new Success(StatusCodes.Status201Created, schema.EnvelopeType) { Attributes = Shown(schema) }],
        OwnErrors = rules,
    };

    public static Operation Get(Schema schema, string? path = null, string id = "id") => new()
    {
        Name = $"{schema.Collection}-get",
        Method = "GET",
        Route = $"{Path(schema, path)}/{{{id}}}",
        Summary = $"Read {One(schema)}.",
        Scopes = [Scope.Reading(schema.Scopes)],
        Parameters = ListQuery.ViewOf(schema),
        Answers =
        [
            new Success(StatusCodes.Status200OK, schema.EnvelopeType) { Attributes = Shown(schema) },
            new Success(StatusCodes.Status304NotModified, null),
            .. schema.SuccessorKey is null ? Array.Empty<Success>() : [new Success(StatusCodes.Status301MovedPermanently, null)],
        ],
        TakesIfNoneMatch = true,
    };

    public static Operation Update(Schema schema, string? path = null, string id = "id") => new()
    {
        Name = $"{schema.Collection}-update",
        Method = "PATCH",
        Route = $"{Path(schema, path)}/{{{id}}}",
        Summary = $"Change the given fields of {One(schema)}.",
        Scopes = [Scope.Writing(schema.Scopes)],
        Parameters = [Parameter.DryRun],
        Body = new Form([.. schema.Fields.Where(field => field.Access is FieldAccess.ReadWrite)]),
        Answers = [new Success(StatusCodes.Status200OK, schema.EnvelopeType) { Attributes = Shown(schema) }],
        OwnErrors = rules,
        TakesIfMatch = true,
    };

    public static Operation Delete(Schema schema, string? path = null, string id = "id") => new()
    {
        Name = $"{schema.Collection}-delete",
        Method = "DELETE",
        Route = $"{Path(schema, path)}/{{{id}}}",
        Summary = $"Delete {One(schema)}.",
        Scopes = [Scope.Writing(schema.Scopes)],
        Parameters = [Parameter.DryRun],
        Answers = [new Success(StatusCodes.Status204NoContent, null)],
        OwnErrors = rules,
        TakesIfMatch = true,
    };

    public static Operation Batch(Schema schema, string? path = null) => new()
    {
        Name = $"{schema.Collection}-batch",
        Method = "POST",
        Route = $"{Path(schema, path)}/batch",
        Summary = $"Create, update, upsert and delete up to 100 {Plural(schema)}.",
        Scopes = [Scope.Writing(schema.Scopes)],
        Parameters = [Parameter.DryRun],
        Body = Core.Records.Batch.FormOf(schema),
        Answers = [new Success(StatusCodes.Status200OK, schema.EnvelopeType) { Attributes = Shown(schema), IsList = true }],
        OwnErrors = [.. rules, ErrorCode.NotFound],
    };

    public static Operation GetFields(Schema schema, string? path = null) => new()
    {
        Name = $"{schema.Collection}-fields-get",
        Method = "GET",
        Route = $"{Path(schema, path)}/{{id}}/custom-fields",
        Summary = $"Read the custom field values of {One(schema)}.",
        Scopes = [Scope.Reading(schema.Scopes)],
        Answers = [new Success(StatusCodes.Status200OK, ValueType) { IsList = true }],
    };

    public static Operation SetFields(Schema schema, string? path = null) => new()
    {
        Name = $"{schema.Collection}-fields-set",
        Method = "PUT",
        Route = $"{Path(schema, path)}/{{id}}/custom-fields",
        Summary = $"Set the given custom field values of {One(schema)}; null clears one.",
        Scopes = [Scope.Writing(schema.Scopes)],
        Parameters = [Parameter.DryRun],
        Body = new Form(new ObjectField("fields") { Description = "Values by the slugs of custom fields; they may stand bare in the body, too." }),
        Answers = [new Success(StatusCodes.Status200OK, ValueType) { IsList = true }],
        OwnErrors = rules,
        TakesIfMatch = true,
    };

    public static Operation Timeline(Schema schema) => new()
    {
        Name = $"{schema.Collection}-timeline",
        Method = "GET",
        Route = $"{Path(schema, null)}/{{id}}/timeline",
        Summary = $"List the activities and events of {One(schema)}, newest first.",
        Scopes = [Scope.Reading(schema.Scopes)],
        Parameters = [Parameter.Limit(25), Parameter.Cursor],
        Answers = [new Success(StatusCodes.Status200OK, "activity") { IsList = true }],
    };

    /// <summary>The attributes that clients see, the id first.</summary>
    public static IReadOnlyList<Field> Shown(Schema schema) => [.. schema.Fields.Where(field => field.Access is not FieldAccess.Internal)];

    private static string Path(Schema schema, string? path) => $"v1/{path ?? schema.Collection}";

    private static string Plural(Schema schema) => schema.Collection switch
    {
        "api-keys" => "API keys",
        "objects" => "custom objects",
        var collection => collection.Replace('-', ' '),
    };

    private static string One(Schema schema) => $"{(schema.Noun[0] is 'a' or 'A' or 'e' or 'i' or 'o' or 'u' ? "an" : "a")} {schema.Noun}";
}
