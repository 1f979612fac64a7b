using System.Text.Json;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Azure.Cosmos;

/// <summary>State that was read to plan a commit.</summary>
/// <param name="Removed">Documents of the records it removes, by id; null for a missing one.</param>
/// <param name="Owners">Owners of the unique keys it may remove or share, with the ETag of the document; a null owner for a free key.</param>
internal sealed record PlanState(IReadOnlyDictionary<string, JsonElement?> Removed, IReadOnlyDictionary<string, (string? Owner, string? ETag)> Owners);

/// <summary>
/// Plans the operations of a commit. Their order decides which one is refused first: the answer, the guards, the writes, the events. Earlier changes of
/// the commit to a record or unique key count for its later ones.
/// </summary>
internal sealed class CommitPlan(string partition, RecordDocument documents, PlanState known)
{
    /// <summary>An ETag that no document has.</summary>
    private const string NoETag = "\"none\"";

    private readonly List<CommitOperation> operations = [];
    private readonly Dictionary<string, (string Type, long Version)?> records = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string?> uniqueKeys = new(StringComparer.Ordinal);

    public IReadOnlyList<CommitOperation> Of(Commit commit)
    {
        if (commit.Answer is { } answer)
            operations.Add(
                new CommitOperation.Create(AnswerDocument.Id(answer.Key), AnswerDocument.New(partition, answer), new(CommitResult.Answered, answer.Key)));
        foreach (var guard in commit.Guards) Add(guard);
        foreach (var write in commit.Writes) Add(write);
        foreach (var @event in commit.Events)
            operations.Add(new CommitOperation.Create(@event.Id, EventDocument.New(partition, @event), new(CommitResult.Exists, @event.Id)));
        return operations;
    }

    private void Add(Guard guard)
    {
        switch (guard)
        {
            // A record that this commit removes must be unchanged anyway.
            case Guard.RecordExists exists when known.Removed.GetValueOrDefault(exists.Id) is { } document && RecordDocument.IsOf(exists.Type, document): break;
            case Guard.UniqueKeyHeld held when known.Owners.GetValueOrDefault(held.Key).Owner is not null: break;
            case Guard.RecordExists exists:
                operations.Add(Count(exists.Id, "type", exists.Type, new(CommitResult.Missing, exists.Id)) with { IsVisible = exists.IsVisible });
                break;
            case Guard.UniqueKeyHeld held:
                operations.Add(Count(UniqueKeyDocument.Id(held.Key), "kind", UniqueKeyDocument.Kind, new(CommitResult.Missing, held.Key))); break;
            case Guard.NoneMatch: break; // checked before, see CommitRun
            default: throw new ArgumentException($"unknown guard {guard.GetType()}", nameof(guard));
        }
    }

    private void Add(Write write)
    {
        switch (write)
        {
            case Write.Insert { Record: var record } insert:
                operations.Add(new CommitOperation.Create(record.Id, documents.New(partition, record, insert.Keys), new(CommitResult.Exists, record.Id)));
                records[record.Id] = (record.Type, record.Version);
                break;
            case Write.Replace { Record: var record } replace:
                var before = ETagOf(record.Id, record.Type, record.Version - 1);
                operations.Add(new CommitOperation.Patch(
                    record.Id,
                    [("type", Json(record.Type)), ("version", JsonForm.Write(writer => writer.WriteNumberValue(record.Version - 1)))],
                    documents.Changing(record, replace.Keys), before, before is null ? new(CommitResult.Stale, record.Id) : null));
                records[record.Id] = (record.Type, record.Version);
                break;
            case Write.Remove remove:
                Remove(remove);
                break;
            case Write.Reserve uniqueKey:
                Reserve(uniqueKey);
                break;
            case Write.Release release:
                if (OwnerOf(release.Key) != release.Owner) break;
                operations.Add(
                    new CommitOperation.Delete(
                        UniqueKeyDocument.Id(release.Key), uniqueKeys.ContainsKey(release.Key) ? null : known.Owners[release.Key].ETag, null));
                uniqueKeys[release.Key] = null;
                break;
            default: throw new ArgumentException($"unknown write {write.GetType()}", nameof(write));
        }
    }

    private void Remove(Write.Remove remove)
    {
        var stale = new CommitOutcome(CommitResult.Stale, remove.Id);
        if (records.TryGetValue(remove.Id, out var mine))
            operations.Add(new CommitOperation.Delete(remove.Id, mine == (remove.Type, remove.Version) ? null : NoETag, stale));
        else if (ETagOf(remove.Id, remove.Type, remove.Version) is { } etag) operations.Add(new CommitOperation.Delete(remove.Id, etag, null));
        else operations.Add(new CommitOperation.Delete(remove.Id, NoETag, stale));
        records[remove.Id] = null;
    }

    private void Reserve(Write.Reserve uniqueKey)
    {
        var id = UniqueKeyDocument.Id(uniqueKey.Key);
        var taken = new CommitOutcome(CommitResult.UniqueKeyTaken, uniqueKey.Key);
        if (!uniqueKeys.ContainsKey(uniqueKey.Key) && OwnerOf(uniqueKey.Key) == uniqueKey.Owner) operations.Add(Count(id, "owner", uniqueKey.Owner, null));
        else if (OwnerOf(uniqueKey.Key) != uniqueKey.Owner) operations.Add(new CommitOperation.Create(id, UniqueKeyDocument.New(partition, uniqueKey), taken));
        uniqueKeys[uniqueKey.Key] = uniqueKey.Owner;
    }

    private string? OwnerOf(string key) => uniqueKeys.TryGetValue(key, out var owner) ? owner : known.Owners.GetValueOrDefault(key).Owner;

    /// <summary>Returns the ETag of a record that the commit removes and has not changed yet, if it was read with this version; else null.</summary>
    private string? ETagOf(string id, string type, long version) =>
        !records.ContainsKey(id) && known.Removed.GetValueOrDefault(id) is { } document && RecordDocument.IsOf(type, document)
            && document.GetProperty("version").GetInt64() == version
            ? document.GetProperty("_etag").GetString()
            : null;

    private static CommitOperation.Patch Count(string id, string name, string value, CommitOutcome? refused) =>
        new(id, [(name, Json(value))], [], null, refused);

    private static ReadOnlyMemory<byte> Json(string text) => JsonForm.Write(writer => writer.WriteStringValue(text));
}
