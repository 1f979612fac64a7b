using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using NodeStash.Core.Records;

namespace NodeStash.Functions.Api.Http;

/// <summary>Reads request bodies: JSON objects of at most 1 MiB.</summary>
internal static class Body
{
    /// <summary>The largest body that is read.</summary>
    public const int MaxBytes = 1024 * 1024;

    public static Error TooLarge { get; } = new(ErrorCode.PayloadTooLarge, $"The body is over {MaxBytes} bytes (1 MiB)", []);

    private static readonly Error NotJson = new(ErrorCode.UnsupportedMediaType, "Send JSON, with the header Content-Type: application/json", []);

    private static readonly Error Encoded = new(ErrorCode.UnsupportedMediaType, "Send the body as it is, without a Content-Encoding", []);

    /// <summary>Reads the body as a JSON object.</summary>
    /// <param name="request">The request.</param>
    /// <param name="mayBeEmpty">Whether an absent body is read as an empty object.</param>
    /// <exception cref="RefusedException">The body is not JSON, is malformed, or is too large.</exception>
    public static async ValueTask<JsonElement> Read(HttpRequest request, bool mayBeEmpty)
    {
        var bytes = await Bytes(request);
        if (bytes.IsEmpty && mayBeEmpty) return JsonElement.Parse("{}"u8);
        if (!IsJson(request.ContentType)) throw new RefusedException(NotJson);
        if (request.Headers.ContentEncoding.ToString() is not ("" or "identity")) throw new RefusedException(Encoded);
        var errors = new ValidationErrors();
        return StrictJson.ReadObject(bytes, errors) ?? throw new RefusedException(Error.Invalid(errors.All));
    }

    private static bool IsJson(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && (type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase) || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase))
        && (!type.Charset.HasValue || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase)
            || type.Charset.Equals("\"utf-8\"", StringComparison.OrdinalIgnoreCase));

    /// <summary>Reads the bytes of the body. Later calls return the same bytes.</summary>
    /// <exception cref="RefusedException">The body is too large.</exception>
    public static async ValueTask<ReadOnlyMemory<byte>> Bytes(HttpRequest request)
    {
        var items = request.HttpContext.Items;
        if (items[typeof(Body)] is not byte[] bytes) items[typeof(Body)] = bytes = await ReadBytes(request);
        return bytes;
    }

    private static async ValueTask<byte[]> ReadBytes(HttpRequest request)
    {
        if (request.ContentLength > MaxBytes) throw new RefusedException(TooLarge);
        var ct = request.HttpContext.RequestAborted;
        var reader = request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(ct);
            if (read.Buffer.Length > MaxBytes)
            {
                reader.AdvanceTo(read.Buffer.End);
                throw new RefusedException(TooLarge);
            }

            if (read.IsCompleted)
            {
                // The parsed JSON refers to these bytes for the rest of the request, so they are copied out of the pipe.
                var bytes = read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return bytes;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }
}
