using System.Net;
using System.Net.Sockets;
using NodeStash.Core.Webhooks;

namespace NodeStash.Functions.Webhooks.Delivery;

/// <summary>Connects to receivers: resolves the name itself and connects to an address it has checked, so that no second resolution can slip another one in.</summary>
internal sealed class GuardedConnection(WebhookOptions options)
{
    /// <summary>A handler that follows no redirect, keeps no cookies, uses no proxy and adds no headers of its own.</summary>
    public SocketsHttpHandler CreateHandler() => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        MaxResponseHeadersLength = 16, // KiB
        ConnectTimeout = options.Timeout, // an attempt given up while connecting would otherwise go on doing so, for minutes
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        ConnectCallback = Connect,
    };

    private async ValueTask<Stream> Connect(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var endPoint = context.DnsEndPoint;
        var addresses = IPAddress.TryParse(endPoint.Host, out var literal) ? [literal] : await options.Resolve(endPoint.Host, ct);
        var allowed = Array.FindAll(addresses, address => AddressGuard.Allows(address, options.AllowLoopback));
        if (allowed.Length == 0 && addresses.Length > 0) throw new RefusedAddressException();

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, endPoint.Port, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>Every address of the name is one that may not be called.</summary>
internal sealed class RefusedAddressException() : IOException("The address is not public.");
