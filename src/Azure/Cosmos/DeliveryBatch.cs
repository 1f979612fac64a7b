using System.Net;
using System.Runtime.InteropServices;
using Microsoft.Azure.Cosmos;

namespace NodeStash.Azure.Cosmos;

/// <summary>Writes to a data set's documents that are done together, each only if its document is as it was read, or not there yet.</summary>
internal sealed class DeliveryBatch(PartitionClient client)
{
    /// <summary>Source: Microsoft Learn, "Transactional batch operations".</summary>
    public const int MaxOperations = 100;

    private readonly TransactionalBatch batch = client.Container.CreateTransactionalBatch(client.Key);

    public int Count { get; private set; }

    /// <summary>Makes a document, or replaces the one that was read with the ETag.</summary>
    public DeliveryBatch Put(string id, ReadOnlyMemory<byte> document, string? etag)
    {
        Count++;
        if (etag is null) batch.CreateItemStream(Stream(document), If(null));
        else batch.ReplaceItemStream(id, Stream(document), If(etag));
        return this;
    }

    public DeliveryBatch Patch(string id, IReadOnlyList<PatchOperation> changes, string etag)
    {
        Count++;
        batch.PatchItem(id, changes, new TransactionalBatchPatchItemRequestOptions { IfMatchEtag = etag, EnableContentResponseOnWrite = false });
        return this;
    }

    public DeliveryBatch Delete(string id, string? etag)
    {
        Count++;
        batch.DeleteItem(id, If(etag));
        return this;
    }

    /// <summary>Does all of it, or nothing.</summary>
    /// <returns>False where a document was not as it was read; all is to be read anew.</returns>
    /// <exception cref="FalteringException">The service did not do it, or did not say that it has.</exception>
    public async ValueTask<bool> Send(CancellationToken ct)
    {
        using var answer = await Faults.Told(() => batch.ExecuteAsync(ct), ct);
        if (answer.IsSuccessStatusCode) return true;
        if (answer.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.PreconditionFailed || (answer.StatusCode is HttpStatusCode.NotFound && Faults.SubStatus(answer.Headers) == 0)) return false;
        throw Faults.Of(answer.StatusCode, answer.Headers, () => answer.ErrorMessage);
    }

    private static TransactionalBatchItemRequestOptions If(string? etag) => new() { IfMatchEtag = etag, EnableContentResponseOnWrite = false };

    private static MemoryStream Stream(ReadOnlyMemory<byte> document) =>
        MemoryMarshal.TryGetArray(document, out var bytes) ? new MemoryStream(bytes.Array!, bytes.Offset, bytes.Count, writable: false) : new MemoryStream(document.ToArray(), writable: false);
}
