using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Cosmos.Serialization.HybridRow;
using Microsoft.Azure.Cosmos.Serialization.HybridRow.IO;
using Microsoft.Azure.Cosmos.Serialization.HybridRow.Layouts;
using Microsoft.Azure.Cosmos.Serialization.HybridRow.RecordIO;
using Microsoft.Azure.Cosmos.Serialization.HybridRow.Schemas;

namespace NodeStash.CosmosStandIn;

/// <summary>Batches as they go over the wire: a stream of binary rows, whose schema the client library carries.</summary>
internal static class BatchWire
{
    private static readonly Namespace Schemas = ReadSchemas();
    private static readonly LayoutResolverNamespace Resolver = new(Schemas);
    private static readonly Layout ResultLayout = Resolver.Resolve(Schemas.Schemas.Find(schema => schema.Name == "BatchResult")!.SchemaId);

    public static async Task<List<Operation>> Read(Stream body, string partition)
    {
        var operations = new List<Operation>();
        var result = await body.ReadRecordIOAsync(
            (ReadOnlyMemory<byte> record) =>
            {
                operations.Add(ReadOperation(record, partition));
                return Result.Success;
            },
            resizer: new MemorySpanResizer<byte>((int)body.Length));
        return result == Result.Success ? operations : throw ServiceError.BadRequest("The batch can't be read.");
    }

    public static async Task<byte[]> Write(IReadOnlyList<OperationResult> results)
    {
        using var body = new MemoryStream();
        var resizer = new MemorySpanResizer<byte>(1024);
        var result = await body.WriteRecordIOAsync(default, (long index, out ReadOnlyMemory<byte> row) =>
        {
            row = index < results.Count ? WriteResult(results[(int)index]) : ReadOnlyMemory<byte>.Empty;
            return Result.Success;
        }, resizer);
        return result == Result.Success ? body.ToArray() : throw new InvalidOperationException($"The results of the batch could not be written: {result}.");
    }

    private static Operation ReadOperation(ReadOnlyMemory<byte> record, string partition)
    {
        var row = new RowBuffer(record.Length);
        if (!row.ReadFrom(record.Span, HybridRowVersion.V1, Resolver)) throw ServiceError.BadRequest("An operation of the batch can't be read.");
        var reader = new RowReader(ref row);
        var (type, isMinimal) = (0, false);
        string? id = null, ifMatch = null, ifNoneMatch = null, own = null;
        byte[] body = [];
        while (reader.Read())
        {
            _ = reader.Path.ToString() switch
            {
                "operationType" => reader.ReadInt32(out type),
                "id" => reader.ReadString(out id),
                "partitionKey" => reader.ReadString(out own),
                "resourceBody" => reader.ReadBinary(out body),
                "ifMatch" => reader.ReadString(out ifMatch),
                "ifNoneMatch" => reader.ReadString(out ifNoneMatch),
                "minimalReturnPreference" => reader.ReadBool(out isMinimal),
                _ => Result.Success,
            };
        }

        if (own is not null && own != partition) throw ServiceError.BadRequest("All operations of a batch must have its partition key.");
        return new Operation(KindOf(type), partition, id, body, ifMatch, ifNoneMatch, isMinimal);
    }

    /// <summary>The numbers of the protocol.</summary>
    private static OperationKind KindOf(int type) => type switch
    {
        0 => OperationKind.Create,
        1 => OperationKind.Patch,
        2 => OperationKind.Read,
        4 => OperationKind.Delete,
        5 => OperationKind.Replace,
        20 => OperationKind.Upsert,
        _ => throw ServiceError.NotModelled($"Operation type {type} in a batch"),
    };

    private static ReadOnlyMemory<byte> WriteResult(OperationResult result)
    {
        var resizer = new MemorySpanResizer<byte>(256 + (result.Body?.Length ?? 0));
        var row = new RowBuffer(256 + (result.Body?.Length ?? 0), resizer);
        row.InitLayout(HybridRowVersion.V1, ResultLayout, Resolver);
        var written = RowWriter.WriteBuffer(ref row, result, (ref RowWriter writer, TypeArgument _, OperationResult from) =>
        {
            writer.WriteInt32("statusCode", from.Status);
            if (from.SubStatus != 0) writer.WriteInt32("subStatusCode", from.SubStatus);
            if (from.ETag is not null) writer.WriteString("eTag", from.ETag);
            if (from.Body is not null) writer.WriteBinary("resourceBody", from.Body);
            return writer.WriteFloat64("requestCharge", from.Charge);
        });
        return written == Result.Success ? resizer.Memory[..row.Length] : throw new InvalidOperationException($"A result could not be written: {written}.");
    }

    private static Namespace ReadSchemas()
    {
        using var schemas = typeof(CosmosClient).Assembly.GetManifestResourceStream("Microsoft.Azure.Cosmos.Batch.HybridRowBatchSchemas.json")!;
        return Namespace.Parse(new StreamReader(schemas).ReadToEnd());
    }
}
