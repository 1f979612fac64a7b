using System.Text.Json;
using NodeStash.Core.Storage;

namespace NodeStash.Core.Records;

/// <summary>Holds the operations on one resource that a client sends in one request. Source: docs/api/v1.md, Batches.</summary>
/// <param name="Operations">The operations, 1 to 100, in the order they run.</param>
/// <param name="IsAtomic">Whether one failed operation undoes all of them; otherwise each succeeds or fails on its own.</param>
public sealed record Batch(IReadOnlyList<BatchOperation> Operations, bool IsAtomic)
{
    private static readonly FlagField Atomic = new("atomic")
    {
        Default = false, Description = "Whether all operations are done or none; else each on its own.",
    };

    /// <summary>Describes the body of a batch request for a resource.</summary>
    public static Form FormOf(Schema schema) => new(OperationsOf(schema), Atomic);

    /// <summary>Reads the body of a batch request and reports every error of its form. The data of an operation is checked when it runs.</summary>
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

/// <summary>Represents one operation of a batch.</summary>
public abstract record BatchOperation
{
    private BatchOperation()
    {
    }

    /// <summary>Creates a record.</summary>
    /// <param name="Data">The fields of the new record, not checked yet.</param>
    public sealed record Create(JsonElement Data) : BatchOperation;

    /// <summary>Changes some fields of a record.</summary>
    /// <param name="Id">The id of the record.</param>
    /// <param name="Data">The fields to change, not checked yet.</param>
    public sealed record Update(string Id, JsonElement Data) : BatchOperation;

    /// <summary>Changes the record with a unique value, or creates it if there is none.</summary>
    /// <param name="Match">The unique field to find the record by.</param>
    /// <param name="Data">The fields to set, not checked yet; they include the unique field.</param>
    public sealed record Upsert(Unique Match, JsonElement Data) : BatchOperation;

    /// <summary>Deletes a record.</summary>
    /// <param name="Id">The id of the record.</param>
    public sealed record Delete(string Id) : BatchOperation;

    /// <summary>Runs the operation.</summary>
    /// <param name="schema">The resource of the batch.</param>
    /// <param name="records">The records to change.</param>
    /// <returns>The outcome, or the error that refused the operation.</returns>
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

/// <summary>Reads one operation of a batch body. Its <c>op</c> decides which members it may have.</summary>
internal sealed class BatchOperationField : Field
{
    private readonly Schema schema;
    private readonly ChoiceField op = new("op", "create", "update", "upsert", "delete") { IsRequired = true, Description = "What to do." };
    private readonly LinkField id;
    private readonly ObjectField data = new("data") { IsRequired = true, Description = "The fields of the record." };
    private readonly TextField matchOn = new("match_on", 100) { IsRequired = true, Description = "The unique field by which an upsert finds the record." };

    /// <summary>Maps each op to its members.</summary>
    private readonly Dictionary<string, Form> forms;

    public BatchOperationField(Schema schema)
        : base("operation")
    {
        this.schema = schema;
        id = new LinkField("id", schema.Prefix, schema.Type) { IsRequired = true, Description = "The id of the record." };
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
        if (!json.TryGetProperty(op.Name, out var opJson)) return errors.Add($"{path}.{op.Name}", "Required");
        if (op.Read(opJson, $"{path}.{op.Name}", errors) is not string kind) return null;
        var errorsBefore = errors.All.Count;
        var given = forms[kind].Read(json, path + ".", errors);
        var unique = kind is "upsert" && given[matchOn] is string name ? FindUnique(name, $"{path}.{matchOn.Name}", errors) : null;
        if (errors.All.Count > errorsBefore) return null;
        return kind switch
        {
            "create" => new BatchOperation.Create((JsonElement)given[data]!),
            "update" => new BatchOperation.Update((string)given[id]!, (JsonElement)given[data]!),
            "upsert" => new BatchOperation.Upsert(unique!, (JsonElement)given[data]!),
            _ => new BatchOperation.Delete((string)given[id]!),
        };
    }

    public override void Write(Utf8JsonWriter writer, object value) => throw new NotSupportedException("Operations are read only.");

    public override object? ReadKey(string text, string parameter, ValidationErrors errors) => errors.Add(parameter, "Can't be used as a filter");

    private Unique? FindUnique(string name, string path, ValidationErrors errors)
    {
        if (schema.Uniques.FirstOrDefault(unique => unique.Field == name) is { } unique) return unique;
        var fields = string.Join(" or ", schema.Uniques.Select(one => one.Field));
        return (Unique?)errors.Add(path, fields.Length > 0
            ? $"Expected {fields}: a unique field of {schema.Collection}"
            : $"{schema.Collection} have no unique field to match on; create or update instead");
    }
}

/// <summary>Describes the result of one batch operation.</summary>
/// <param name="Record">The record after the operation; null if it was deleted.</param>
/// <param name="IsNew">Whether the operation created the record.</param>
public sealed record BatchOutcome(StoredRecord? Record, bool IsNew);
