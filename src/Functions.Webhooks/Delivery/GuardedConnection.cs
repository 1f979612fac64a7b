using System.Net;
using System.Net.Sockets;
using NodeStash.Core.Webhooks;

namespace NodeStash.Functions.Webhooks.Delivery;

/// <summary>Connects to receivers: resolves the name once and connects to an address it has checked, so that no second lookup can swap it.</summary>
internal sealed class GuardedConnection(WebhookOptions options)
{
    private static readonly HttpRequestOptionsKey<Progress> ProgressOf = new("nodestash.connection");

    /// <summary>Watches how far a request gets. Call it before sending the request.</summary>
    public static Progress Watch(HttpRequestMessage request)
    {
        var progress = new Progress();
        request.Options.Set(ProgressOf, progress);
        return progress;
    }

    /// <summary>Creates a handler that follows no redirect, keeps no cookies, uses no proxy and adds no headers of its own.</summary>
    public SocketsHttpHandler CreateHandler() => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        MaxResponseHeadersLength = 16, // KiB
        MaxResponseDrainSize = 0, // the rest of a long answer is not read afterwards either
        ConnectTimeout = options.Timeout, // otherwise an attempt that timed out would go on connecting for minutes
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        ConnectCallback = Connect,
    };

    private async ValueTask<Stream> Connect(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var endPoint = context.DnsEndPoint;
        if (context.InitialRequestMessage.Options.TryGetValue(ProgressOf, out var progress)) progress.IsConnecting = true;
        var addresses = IPAddress.TryParse(endPoint.Host, out var literal) ? [literal] : await options.Resolve(endPoint.Host, ct);
        var allowed = Array.FindAll(addresses, address => AddressGuard.Allows(address, options.AllowLoopback));
        if (allowed.Length == 0 && addresses.Length > 0) throw new RefusedAddressException();

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, endPoint.Port, ct);
            progress?.IsConnecting = false;
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>Tracks how far a request has come.</summary>
internal sealed class Progress
{
    private volatile bool isConnecting;

    /// <summary>Whether the request is still connecting: resolving the name or calling the host.</summary>
    public bool IsConnecting
    {
        get => isConnecting;
        set => isConnecting = value;
    }
}

/// <summary>Thrown where the name resolves only to addresses that must not be called.</summary>
internal sealed class RefusedAddressException() : IOException("The address is not public.");
