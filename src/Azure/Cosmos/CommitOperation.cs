using System.Text.Json;
using Microsoft.Azure.Cosmos;
using NodeStash.Core.Storage;

namespace NodeStash.Azure.Cosmos;

/// <summary>One operation on a document, as a transactional batch and as the stored procedure do it.</summary>
/// <param name="Id">Of the document.</param>
/// <param name="Refused">How the commit ends where this can't be done; null where that means that what was read before has changed, so that the
/// commit is to be planned anew.</param>
internal abstract record CommitOperation(string Id, CommitOutcome? Refused)
{
    /// <summary>The bytes it adds to a request.</summary>
    public abstract int Bytes { get; }

    public abstract void AddTo(TransactionalBatch batch);

    /// <summary>Writes it as an argument of the stored procedure.</summary>
    public abstract void Write(Utf8JsonWriter writer);

    private static Stream Stream(ReadOnlyMemory<byte> json) => new MemoryStream(json.ToArray(), writable: false);

    /// <summary>Stores a document whose id must be free.</summary>
    public sealed record Create(string Id, ReadOnlyMemory<byte> Document, CommitOutcome? Refused) : CommitOperation(Id, Refused)
    {
        public override int Bytes => Document.Length;

        public override void AddTo(TransactionalBatch batch) =>
            batch.CreateItemStream(Stream(Document), new TransactionalBatchItemRequestOptions { EnableContentResponseOnWrite = false });

        public override void Write(Utf8JsonWriter writer)
        {
            writer.WritePropertyName("create");
            writer.WriteRawValue(Document.Span, skipInputValidation: true);
        }
    }

    /// <summary>
    /// Changes a document that must have certain values. Where there is nothing to change it is counted on as a guard: whoever removes it sees that.
    /// </summary>
    /// <param name="Id">Of the document.</param>
    /// <param name="If">Names and JSON values its properties must have.</param>
    /// <param name="Set">Names and JSON values its properties get.</param>
    /// <param name="ETag">Which it must have; null for any.</param>
    /// <param name="Refused">As for all.</param>
    public sealed record Patch(
        string Id, IReadOnlyList<(string Name, ReadOnlyMemory<byte> Json)> If, IReadOnlyList<(string Name, ReadOnlyMemory<byte> Json)> Set, string? ETag,
        CommitOutcome? Refused)
        : CommitOperation(Id, Refused)
    {
        /// <summary>Whether it must not be an archived record. The stored procedure does not look at that: see <see cref="CommitRun"/>.</summary>
        public bool IsVisible { get; init; }

        public override int Bytes => Set.Sum(set => set.Json.Length);

        private IEnumerable<string> Conditions => If.Select(one => $"c[\"{one.Name}\"] = {System.Text.Encoding.UTF8.GetString(one.Json.Span)}")
            .Concat(IsVisible ? [$"NOT IS_DEFINED({SqlBuilder.Path(ArchiveState.Path)})"] : []);

        public override void AddTo(TransactionalBatch batch)
        {
            PatchOperation[] changes = Set.Count == 0
                ? [PatchOperation.Increment("/guards", 1)]
                : [.. Set.Select(set => PatchOperation.Set("/" + set.Name, Stream(set.Json)))];
            batch.PatchItem(Id, changes, new TransactionalBatchPatchItemRequestOptions
            {
                FilterPredicate = If.Count == 0 ? null : "FROM c WHERE " + string.Join(" AND ", Conditions),
                IfMatchEtag = ETag,
                EnableContentResponseOnWrite = false,
            });
        }

        public override void Write(Utf8JsonWriter writer)
        {
            writer.WriteString("patch", Id);
            Write(writer, "if", If);
            Write(writer, "set", Set);
            writer.WriteString("etag", ETag);
        }

        private static void Write(Utf8JsonWriter writer, string name, IReadOnlyList<(string Name, ReadOnlyMemory<byte> Json)> values)
        {
            writer.WriteStartObject(name);
            foreach (var (key, json) in values)
            {
                writer.WritePropertyName(key);
                writer.WriteRawValue(json.Span, skipInputValidation: true);
            }

            writer.WriteEndObject();
        }
    }

    /// <summary>Removes a document.</summary>
    /// <param name="Id">Of the document.</param>
    /// <param name="ETag">Which it must have; null for any.</param>
    /// <param name="Refused">As for all.</param>
    public sealed record Delete(string Id, string? ETag, CommitOutcome? Refused) : CommitOperation(Id, Refused)
    {
        public override int Bytes => 0;

        public override void AddTo(TransactionalBatch batch) => batch.DeleteItem(Id, new TransactionalBatchItemRequestOptions { IfMatchEtag = ETag });

        public override void Write(Utf8JsonWriter writer)
        {
            writer.WriteString("delete", Id);
            writer.WriteString("etag", ETag);
        }
    }
}
