using System.Globalization;
using System.Net.Sockets;
using System.Text;

/// <summary>
/// Loaded into a measured process by DOTNET_STARTUP_HOOKS, so that the product needs no code for it: tells whoever connects to a
/// Unix socket how many bytes the process has allocated and how often it has collected. The runtime wants this name, in no namespace.
/// </summary>
internal static class StartupHook
{
    public const string SocketVariable = "NODESTASH_BENCH_COUNTERS";

    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable(SocketVariable) is not { Length: > 0 } path) return;
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        new Thread(() => Serve(listener)) { IsBackground = true, Name = "bench counters" }.Start();
    }

    private static void Serve(Socket listener)
    {
        while (true)
        {
            using var client = listener.Accept();
            var line = string.Create(CultureInfo.InvariantCulture, $"{GC.GetTotalAllocatedBytes(precise: true)} {GC.CollectionCount(0)}");
            client.Send(Encoding.ASCII.GetBytes(line));
        }
    }
}
