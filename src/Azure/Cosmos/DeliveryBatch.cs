using System.Net;
using System.Runtime.InteropServices;
using Microsoft.Azure.Cosmos;

namespace NodeStash.Azure.Cosmos;

/// <summary>Collects writes to documents of one partition that are done together or not at all. Each needs its document as it was read, or absent.</summary>
internal sealed class DeliveryBatch(PartitionClient client)
{
    /// <summary>Maximum number of operations in a batch. Source: Microsoft Learn, "Transactional batch operations".</summary>
    public const int MaxOperations = 100;

    private readonly TransactionalBatch batch = client.Container.CreateTransactionalBatch(client.Key);

    /// <summary>Number of writes collected.</summary>
    public int Count { get; private set; }

    /// <summary>Creates a document, or replaces the one that was read with the ETag.</summary>
    public DeliveryBatch Put(string id, ReadOnlyMemory<byte> document, string? etag)
    {
        Count++;
        if (etag is null) batch.CreateItemStream(Stream(document), If(null));
        else batch.ReplaceItemStream(id, Stream(document), If(etag));
        return this;
    }

    /// <summary>Changes a document that was read with the ETag.</summary>
    public DeliveryBatch Patch(string id, IReadOnlyList<PatchOperation> changes, string etag)
    {
        Count++;
        batch.PatchItem(id, changes, new TransactionalBatchPatchItemRequestOptions { IfMatchEtag = etag, EnableContentResponseOnWrite = false });
        return this;
    }

    /// <summary>Deletes a document, if it has the ETag; null for any.</summary>
    public DeliveryBatch Delete(string id, string? etag)
    {
        Count++;
        batch.DeleteItem(id, If(etag));
        return this;
    }

    /// <summary>Does all writes, or none.</summary>
    /// <returns>False where a document was not as it was read: read all of them again.</returns>
    /// <exception cref="TransientException">The service did not do the writes, or did not confirm them.</exception>
    public async ValueTask<bool> Send(CancellationToken ct)
    {
        using var answer = await ServiceErrors.Send(() => batch.ExecuteAsync(ct), ct);
        if (answer.IsSuccessStatusCode) return true;
        if (answer.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.PreconditionFailed) return false;
        if (answer.StatusCode is HttpStatusCode.NotFound && ServiceErrors.SubStatus(answer.Headers) == 0) return false;
        throw ServiceErrors.ToException(answer.StatusCode, answer.Headers, () => answer.ErrorMessage);
    }

    private static TransactionalBatchItemRequestOptions If(string? etag) => new() { IfMatchEtag = etag, EnableContentResponseOnWrite = false };

    private static MemoryStream Stream(ReadOnlyMemory<byte> document) =>
        MemoryMarshal.TryGetArray(document, out var bytes)
            ? new MemoryStream(bytes.Array!, bytes.Offset, bytes.Count, writable: false)
            : new MemoryStream(document.ToArray(), writable: false);
}
