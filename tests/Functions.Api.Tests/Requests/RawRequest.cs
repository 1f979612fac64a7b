using System.Net.Sockets;
using System.Text;

namespace NodeStash.Functions.Api.Tests.Requests;

/// <summary>Sends bytes as they are, for what no well-behaved client would send.</summary>
internal static class RawRequest
{
    /// <param name="address">The server.</param>
    /// <param name="text">The request; each character a byte, lines ended with \n. </param>
    /// <param name="isCut">Whether sending ends with it, however much more was announced.</param>
    /// <returns>Everything the server answered, up to its end of the connection.</returns>
    public static async Task<string> Send(Uri address, string text, bool isCut = false)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(text.Replace("\n", "\r\n", StringComparison.Ordinal)));
        if (isCut) client.Client.Shutdown(SocketShutdown.Send);
        using var answer = new MemoryStream();
        await stream.CopyToAsync(answer);
        return Encoding.UTF8.GetString(answer.ToArray());
    }
}
