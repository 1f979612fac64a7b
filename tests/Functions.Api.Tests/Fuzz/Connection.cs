using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace NodeStash.Functions.Api.Tests.Fuzz;

/// <summary>A connection that sends bytes as they are, one request after the other, where HttpClient would refuse to.</summary>
internal sealed class Connection(Uri address) : IDisposable
{
    private readonly byte[] buffer = new byte[64 * 1024];
    private TcpClient? client;
    private int filled;

    /// <summary>Sends a request and reads its answer.</summary>
    /// <param name="request">All of its bytes.</param>
    /// <param name="isLast">Whether sending ends with it: on a connection of its own, so that no answer waits for bytes that never come.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>The answer; null where the server closed the connection without one.</returns>
    public async Task<RawAnswer?> Send(ReadOnlyMemory<byte> request, bool isLast, CancellationToken ct)
    {
        if (isLast) Dispose();
        var isNew = client is null;
        try
        {
            client ??= await Open(ct);
            var stream = client.GetStream();
            await stream.WriteAsync(request, ct);
            if (isLast) client.Client.Shutdown(SocketShutdown.Send);
            var answer = await Read(stream, request.Span.StartsWith("HEAD "u8), ct);
            if (isLast || answer is null || answer.Header("Connection") is "close") Dispose();

            // A connection that was kept may have been closed just when it was to be used.
            return answer is null && !isNew ? await Send(request, isLast, ct) : answer;
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            Dispose();
            return isNew ? null : await Send(request, isLast, ct);
        }
    }

    public void Dispose()
    {
        client?.Dispose();
        client = null;
        filled = 0;
    }

    private async Task<TcpClient> Open(CancellationToken ct)
    {
        var opened = new TcpClient { NoDelay = true };
        await opened.ConnectAsync(address.Host, address.Port, ct);
        return opened;
    }

    private async Task<RawAnswer?> Read(NetworkStream stream, bool isHead, CancellationToken ct)
    {
        while (true)
        {
            int end;
            while ((end = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8)) < 0)
            {
                if (await Fill(stream, ct) == 0) return null;
            }

            var lines = Encoding.Latin1.GetString(buffer, 0, end).Split("\r\n");
            Take(end + 4);
            var status = int.Parse(lines[0].Split(' ')[1], CultureInfo.InvariantCulture);
            if (status == 100) continue;
            var headers = lines.Skip(1).Select(line => line.Split(": ", 2)).GroupBy(pair => pair[0], pair => pair[1], StringComparer.OrdinalIgnoreCase)
                .ToDictionary(values => values.Key, values => string.Join(", ", values), StringComparer.OrdinalIgnoreCase);
            var length = isHead || status is 204 or 304 ? 0 : int.Parse(headers.GetValueOrDefault("Content-Length") ?? "0", CultureInfo.InvariantCulture);
            var body = new byte[length];
            for (var read = 0; read < length;)
            {
                if (filled == 0 && await Fill(stream, ct) == 0) throw new IOException($"The answer ends after {read} of {length} bytes.");
                var part = Math.Min(filled, length - read);
                buffer.AsSpan(0, part).CopyTo(body.AsSpan(read));
                Take(part);
                read += part;
            }

            return new RawAnswer(status, headers, Encoding.UTF8.GetString(body));
        }
    }

    private async Task<int> Fill(NetworkStream stream, CancellationToken ct)
    {
        if (filled == buffer.Length) throw new IOException("The answer has more headers than can be read.");
        var read = await stream.ReadAsync(buffer.AsMemory(filled), ct);
        filled += read;
        return read;
    }

    private void Take(int bytes)
    {
        buffer.AsSpan(bytes, filled - bytes).CopyTo(buffer);
        filled -= bytes;
    }
}

internal sealed record RawAnswer(int Status, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public string? Header(string name) => Headers.GetValueOrDefault(name);
}
