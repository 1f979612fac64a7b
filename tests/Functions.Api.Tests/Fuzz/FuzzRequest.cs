using System.Globalization;
using System.Text;

namespace NodeStash.Functions.Api.Tests.Fuzz;

/// <summary>A request as its parts, each of which a mutation may spoil.</summary>
internal sealed record FuzzRequest(string Method, string Route, IReadOnlyList<string> Segments, IReadOnlyList<(string Name, string Value)> Query,
    JsonText? Json, IReadOnlyList<(string Name, string Value)> Headers)
{
    /// <summary>What is sent as the body instead of <see cref="Json"/>; null for that.</summary>
    public byte[]? Raw { get; init; }

    /// <summary>Whether it is sent in chunks rather than with its length.</summary>
    public bool IsChunked { get; init; }

    /// <summary>Whether it breaks the rules of HTTP.</summary>
    public bool BreaksHttp { get; init; }

    /// <summary>
    /// Whether the server below the API (Kestrel) may refuse it, because it breaks HTTP or is larger than the server reads: then there is no envelope, only a
    /// bare status or a closed connection. No request came about that the API could answer, and the server lets nobody else answer it.
    /// </summary>
    public bool MayNotComeAbout =>
        BreaksHttp || Line.Length > MaxLineBytes || Headers.Sum(h => h.Name.Length + h.Value.Length + 4) > MaxHeaderBytes || Headers.Count > MaxHeaders;

    private const int MaxLineBytes = 8 * 1024 - 100;
    private const int MaxHeaderBytes = 32 * 1024 - 200;
    private const int MaxHeaders = 97;

    private string Line =>
        $"{Method} /{string.Join('/', Segments)}"
        + $"{string.Concat(Query.Select((p, i) => $"{(i == 0 ? '?' : '&')}{p.Name}{(p.Value.Length == 0 ? "" : "=" + p.Value)}"))} HTTP/1.1";

    public byte[] Bytes()
    {
        var body = Raw ?? (Json is null ? null : Encoding.UTF8.GetBytes(Json.ToString()));
        var head = new StringBuilder(Line).Append("\r\nHost: localhost\r\n");
        foreach (var (name, value) in Headers) head.Append(name).Append(": ").Append(value).Append("\r\n");
        if (body is not null && IsChunked) head.Append("Transfer-Encoding: chunked\r\n");
        else if (body is not null && !Headers.Any(h => h.Name is "Content-Length"))
            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n");
        head.Append("\r\n");
        return [.. Encoding.Latin1.GetBytes(head.ToString()), .. body is null ? [] : IsChunked ? Chunked(body) : body];
    }

    private static byte[] Chunked(byte[] body) =>
    [
        .. body.Chunk(1000)
            .SelectMany(chunk =>
                (byte[])[.. Encoding.ASCII.GetBytes(chunk.Length.ToString("x", CultureInfo.InvariantCulture) + "\r\n"), .. chunk, .. "\r\n"u8]),
                .. "0\r\n\r\n"u8,
    ];
}
