using System.Text.Json;
using NodeStash.Core.Storage;

namespace NodeStash.Core.Records;

/// <summary>Operations on one resource, sent in one request. contract/v1.md, Common rules.</summary>
/// <param name="Operations">In order.</param>
/// <param name="IsAtomic">Whether all of them are done, or none.</param>
public sealed record Batch(IReadOnlyList<BatchOperation> Operations, bool IsAtomic)
{
    private const int Most = 100;

    /// <summary>Reads a body. Its form is checked whole; the fields of each operation are checked when it is done.</summary>
    public static Result<Batch> Read(Schema schema, JsonElement body)
    {
        var (faults, operations, isAtomic) = (new Faults(), new List<BatchOperation>(), false);
        foreach (var member in body.EnumerateObject())
        {
            if (member.Name is "atomic" && member.Value.ValueKind is JsonValueKind.True or JsonValueKind.False) isAtomic = member.Value.GetBoolean();
            else if (member.Name is "atomic") faults.WrongType(member.Name, "a boolean", member.Value);
            else if (member.Name is not "operations") faults.Add(member.Name, Suggestion.Unknown("field", member.Name, ["operations", "atomic"]));
        }

        if (!body.TryGetProperty("operations", out var listed)) faults.Add("operations", "Required");
        else if (listed.ValueKind is not JsonValueKind.Array) faults.WrongType("operations", "an array", listed);
        else if (listed.GetArrayLength() is 0 or > Most) faults.Add("operations", $"Expected 1 to {Most} operations");
        else operations.AddRange(listed.EnumerateArray().Select((operation, i) => BatchOperation.Read(schema, operation, $"operations[{i}]", faults)).OfType<BatchOperation>());
        return faults.Any ? Error.Invalid(faults.All) : new Batch(operations, isAtomic);
    }
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

    internal static BatchOperation? Read(Schema schema, JsonElement json, string path, Faults faults)
    {
        if (json.ValueKind is not JsonValueKind.Object)
        {
            faults.WrongType(path, "an object", json);
            return null;
        }

        var before = faults.All.Count;
        var verb = ReadText(json, "op", path, faults);
        string[] members = verb switch
        {
            "create" => ["op", "data"],
            "update" => ["op", "id", "data"],
            "upsert" => ["op", "match_on", "data"],
            "delete" => ["op", "id"],
            _ => [],
        };
        if (verb is not null && members is []) faults.Add($"{path}.op", "Expected create, update, upsert or delete");
        if (members is []) return null;
        foreach (var member in json.EnumerateObject().Where(m => !members.Contains(m.Name)))
            faults.Add($"{path}.{member.Name}", Suggestion.Unknown("field", member.Name, members));

        var id = members.Contains("id") ? ReadText(json, "id", path, faults) : null;
        if (id is not null && !Ids.IsId(id, schema.Prefix)) faults.Add($"{path}.id", Ids.Expected(schema.Prefix));
        var data = members.Contains("data") ? ReadData(json, path, faults) : default;
        var match = members.Contains("match_on") ? ReadMatch(schema, json, path, faults) : null;
        if (faults.All.Count > before) return null;
        return verb switch
        {
            "create" => new Create(data),
            "update" => new Update(id!, data),
            "upsert" => new Upsert(match!, data),
            _ => new Delete(id!),
        };
    }

    private static string? ReadText(JsonElement json, string name, string path, Faults faults)
    {
        if (!json.TryGetProperty(name, out var value)) return (string?)faults.Add($"{path}.{name}", "Required");
        return value.ValueKind is JsonValueKind.String ? value.GetString() : (string?)faults.WrongType($"{path}.{name}", "a string", value);
    }

    private static JsonElement ReadData(JsonElement json, string path, Faults faults)
    {
        if (!json.TryGetProperty("data", out var data)) faults.Add($"{path}.data", "Required");
        else if (data.ValueKind is not JsonValueKind.Object) faults.WrongType($"{path}.data", "an object", data);
        return data;
    }

    private static Unique? ReadMatch(Schema schema, JsonElement json, string path, Faults faults)
    {
        if (ReadText(json, "match_on", path, faults) is not { } name) return null;
        if (schema.Uniques.FirstOrDefault(u => u.Field == name) is { } unique) return unique;
        var fields = string.Join(" or ", schema.Uniques.Select(u => u.Field));
        return (Unique?)faults.Add($"{path}.match_on", fields.Length > 0 ? $"Expected {fields}: a unique field of {schema.Collection}" : $"{schema.Collection} have no unique field to match on; create or update instead");
    }

    private static Result<BatchOutcome> Outcome(Result<StoredRecord> written, bool isNew) =>
        written.Error is { } error ? error : new BatchOutcome(written.Value, isNew);
}

/// <summary>What an operation of a batch did.</summary>
/// <param name="Record">The record as it is then; null where it was deleted.</param>
/// <param name="IsNew">Whether it was created.</param>
public sealed record BatchOutcome(StoredRecord? Record, bool IsNew);
