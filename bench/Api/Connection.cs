using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace NodeStash.Bench;

/// <summary>
/// A kept-alive HTTP/1.1 connection that sends bytes as they are and reads no more of an answer than it must: the client shares the cores with the
/// server.
/// </summary>
internal sealed class Connection : IDisposable
{
    private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] buffer = new byte[256 * 1024];

    public Connection(int port) => socket.Connect(IPAddress.Loopback, port);

    /// <summary>Sends a request and reads the answer to its end.</summary>
    /// <exception cref="InvalidOperationException">It was no success.</exception>
    public ReadOnlySpan<byte> Exchange(ReadOnlySpan<byte> request)
    {
        socket.Send(request);
        var (read, end) = (0, -1);
        while (end < 0)
        {
            read += Receive(read);
            end = buffer.AsSpan(0, read).IndexOf("\r\n\r\n"u8);
        }

        var head = buffer.AsSpan(0, end + 2);
        var length = Length(head);
        var body = end + 4;
        while (read < body + length) read += Receive(read);
        if (buffer["HTTP/1.1 ".Length] != '2')
            throw new InvalidOperationException($"{Encoding.UTF8.GetString(request)}\nwas answered\n{Encoding.UTF8.GetString(buffer.AsSpan(0, read))}");
        return buffer.AsSpan(body, length);
    }

    public void Dispose() => socket.Dispose();

    private int Receive(int from) =>
        socket.Receive(buffer.AsSpan(from)) is > 0 and var count ? count : throw new InvalidOperationException("the server closed the connection");

    private static int Length(ReadOnlySpan<byte> head)
    {
        var name = "\r\nContent-Length: "u8;
        var at = head.IndexOf(name);
        return at >= 0 && Utf8Parser.TryParse(head[(at + name.Length)..], out int length, out _)
            ? length
            : throw new InvalidOperationException("an answer without a Content-Length");
    }
}
