using System.Text.Json;
using Microsoft.Azure.Cosmos;
using NodeStash.Core.Storage;

namespace NodeStash.Azure.Cosmos;

/// <summary>Operation on one document, for a transactional batch and for the stored procedure.</summary>
/// <param name="Id">The id of the document.</param>
/// <param name="Refused">The outcome of the commit if this operation is refused; null if a refusal means that the state read before has changed, so the
/// commit must be planned again.</param>
internal abstract record CommitOperation(string Id, CommitOutcome? Refused)
{
    /// <summary>Number of bytes that it adds to a request.</summary>
    public abstract int Bytes { get; }

    public abstract void AddTo(TransactionalBatch batch);

    /// <summary>Writes the operation as an argument of the stored procedure.</summary>
    public abstract void Write(Utf8JsonWriter writer);

    private static Stream Stream(ReadOnlyMemory<byte> json) => new MemoryStream(json.ToArray(), writable: false);

    /// <summary>Creates a document. Its id must be free.</summary>
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
    /// Changes a document that must have certain values. A patch that sets nothing is a guard: it increments a counter, so a concurrent removal conflicts.
    /// </summary>
    /// <param name="Id">The id of the document.</param>
    /// <param name="If">Properties and the JSON values they must have.</param>
    /// <param name="Set">Properties and the JSON values they get.</param>
    /// <param name="ETag">The ETag it must have; null for any.</param>
    /// <param name="Refused">See <see cref="CommitOperation"/>.</param>
    public sealed record Patch(
        string Id, IReadOnlyList<(string Name, ReadOnlyMemory<byte> Json)> If, IReadOnlyList<(string Name, ReadOnlyMemory<byte> Json)> Set, string? ETag,
        CommitOutcome? Refused)
        : CommitOperation(Id, Refused)
    {
        /// <summary>Whether the record must not be archived. The stored procedure does not check this: see <see cref="CommitRun"/>.</summary>
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

    /// <summary>Deletes a document.</summary>
    /// <param name="Id">The id of the document.</param>
    /// <param name="ETag">The ETag it must have; null for any.</param>
    /// <param name="Refused">See <see cref="CommitOperation"/>.</param>
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
