using System.Text.Json;
using NodeStash.Core.Storage;

namespace NodeStash.Core.Records;

/// <summary>Operations on one resource, sent in one request. docs/api/v1.md, Batches.</summary>
/// <param name="Operations">In order.</param>
/// <param name="IsAtomic">Whether all of them are done, or none.</param>
public sealed record Batch(IReadOnlyList<BatchOperation> Operations, bool IsAtomic)
{
    private static readonly FlagField Atomic = new("atomic")
    {
        Default = false, Description = "Whether all operations are done or none; else each on its own.",
    };

    /// <summary>The body of a batch of a resource.</summary>
    public static Form FormOf(Schema schema) => new(OperationsOf(schema), Atomic);

    /// <summary>Reads a body. Its form is checked whole; the fields of each operation are checked when it is done.</summary>
    public static Result<Batch> Read(Schema schema, JsonElement body)
    {
        var operations = OperationsOf(schema);
        var given = new Form(operations, Atomic).Read(body);
        return given.Error is { } error
            ? error
            : new Batch([.. ((IReadOnlyList<object>)given.Value[operations]!).Cast<BatchOperation>()], given.Value[Atomic] is true);
    }

    private static ListField OperationsOf(Schema schema) => new("operations", new BatchOperationField(schema), 1, 100, "operations")
    {
        IsRequired = true, Description = "What to do, in order.",
    };
}

/// <summary>One operation of a batch.</summary>
public abstract record BatchOperation
{
    private BatchOperation()
    {
    }

    public sealed record Create(JsonElement Data) : BatchOperation;

    public sealed record Update(string Id, JsonElement Data) : BatchOperation;

    public sealed record Upsert(Unique Match, JsonElement Data) : BatchOperation;

    public sealed record Delete(string Id) : BatchOperation;

    /// <summary>Does it.</summary>
    public async ValueTask<Result<BatchOutcome>> Run(Schema schema, RecordSet records, CancellationToken ct)
    {
        switch (this)
        {
            case Create create:
                return Outcome(await records.Create(schema, create.Data, ct), isNew: true);
            case Update update:
                return Outcome(await records.Update(schema, update.Id, update.Data, ifVersion: null, ct), isNew: false);
            case Upsert upsert:
                var upserted = await records.Upsert(schema, upsert.Match, upsert.Data, ct);
                return upserted.Error is { } error ? error : new BatchOutcome(upserted.Value.Record, upserted.Value.IsNew);
            case Delete delete:
                return await records.Delete(schema, delete.Id, ifVersion: null, ct) is { } refused ? refused : new BatchOutcome(null, IsNew: false);
            default:
                throw new InvalidOperationException($"Unknown operation {GetType()}.");
        }
    }

    private static Result<BatchOutcome> Outcome(Result<StoredRecord> written, bool isNew) =>
        written.Error is { } error ? error : new BatchOutcome(written.Value, isNew);
}

/// <summary>An operation in the form of a batch: which members it has depends on its <c>op</c>.</summary>
internal sealed class BatchOperationField : Field
{
    private readonly Schema schema;
    private readonly ChoiceField op = new("op", "create", "update", "upsert", "delete") { IsRequired = true, Description = "What to do." };
    private readonly LinkField id;
    private readonly ObjectField data = new("data") { IsRequired = true, Description = "The fields of the record." };
    private readonly TextField matchOn = new("match_on", 100) { IsRequired = true, Description = "The unique field by which an upsert finds the record." };

    /// <summary>The members for each op, and those of an op that is not known.</summary>
    private readonly Dictionary<string, Form> forms;

    public BatchOperationField(Schema schema)
        : base("operation")
    {
        this.schema = schema;
        id = new LinkField("id", schema.Prefix, schema.Type) { IsRequired = true, Description = "Of the record." };
        forms = new(StringComparer.Ordinal)
        {
            ["create"] = new Form(op, data),
            ["update"] = new Form(op, id, data),
            ["upsert"] = new Form(op, matchOn, data),
            ["delete"] = new Form(op, id),
        };
    }

    public override Facets Facets => new(JsonType.Object) { Members = new Form(op, id, matchOn, data) };

    public override object? Read(JsonElement json, string path, ValidationErrors errors)
    {
        if (json.ValueKind is not JsonValueKind.Object) return errors.WrongType(path, "an object", json);
        if (!json.TryGetProperty(op.Name, out var verb)) return errors.Add($"{path}.{op.Name}", "Required");
        if (op.Read(verb, $"{path}.{op.Name}", errors) is not string known) return null;
        var before = errors.All.Count;
        var given = forms[known].Read(json, path + ".", errors);
        var unique = known is "upsert" && given[matchOn] is string name ? Match(name, $"{path}.{matchOn.Name}", errors) : null;
        if (errors.All.Count > before) return null;
        return known switch
        {
            "create" => new BatchOperation.Create((JsonElement)given[data]!),
            "update" => new BatchOperation.Update((string)given[id]!, (JsonElement)given[data]!),
            "upsert" => new BatchOperation.Upsert(unique!, (JsonElement)given[data]!),
            _ => new BatchOperation.Delete((string)given[id]!),
        };
    }

    public override void Write(Utf8JsonWriter writer, object value) => throw new NotSupportedException("Operations are read only.");

    public override object? ReadKey(string text, string parameter, ValidationErrors errors) => errors.Add(parameter, "Can't be filtered by");

    private Unique? Match(string name, string path, ValidationErrors errors)
    {
        if (schema.Uniques.FirstOrDefault(unique => unique.Field == name) is { } unique) return unique;
        var fields = string.Join(" or ", schema.Uniques.Select(one => one.Field));
        return (Unique?)errors.Add(path, fields.Length > 0
            ? $"Expected {fields}: a unique field of {schema.Collection}"
            : $"{schema.Collection} have no unique field to match on; create or update instead");
    }
}

/// <summary>What an operation of a batch did.</summary>
/// <param name="Record">The record as it is then; null where it was deleted.</param>
/// <param name="IsNew">Whether it was created.</param>
public sealed record BatchOutcome(StoredRecord? Record, bool IsNew);
