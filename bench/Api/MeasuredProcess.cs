using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Text;
using NodeStash.LocalHost;

namespace NodeStash.Bench;

/// <summary>What a process has used up so far.</summary>
/// <param name="Allocated">Bytes, since it started.</param>
/// <param name="Cpu">On all cores together.</param>
internal readonly record struct Usage(long Allocated, TimeSpan Cpu);

/// <summary>A server in a process of its own, on a free port of this machine.</summary>
internal sealed class MeasuredProcess : IDisposable
{
    private readonly Process process;
    private readonly string counters;

    private MeasuredProcess(Process process, int port, string counters)
    {
        this.process = process;
        this.counters = counters;
        Port = port;
    }

    public int Port { get; }

    /// <summary>Physical memory in use, bytes.</summary>
    public long ResidentBytes
    {
        get
        {
            process.Refresh();
            return process.WorkingSet64;
        }
    }

    /// <summary>The local host, as it is shipped.</summary>
    public static MeasuredProcess Product(string data, bool counted) => Start(data, counted, port =>
        [typeof(CrmHost).Assembly.Location, "--urls", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"), "--data", data]);

    /// <summary>The bare program.</summary>
    public static MeasuredProcess Limit(string data) => Start(data, counted: true, port =>
        [Assembly.GetExecutingAssembly().Location, "limit", "--port", port.ToString(CultureInfo.InvariantCulture), "--data", data]);

    /// <summary>Waits until it takes connections.</summary>
    public async Task Listens()
    {
        while (!process.HasExited)
        {
            try
            {
                using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(IPAddress.Loopback, Port);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
            }
        }

        throw new InvalidOperationException($"the server ended with {process.ExitCode}; its output is beside {counters}");
    }

    public Usage Usage()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(counters));
        var buffer = new byte[128];
        var read = socket.Receive(buffer);
        process.Refresh();
        return new Usage(long.Parse(Encoding.ASCII.GetString(buffer, 0, read).Split(' ')[0], CultureInfo.InvariantCulture), process.TotalProcessorTime);
    }

    public void Dispose()
    {
        if (!process.HasExited) process.Kill();
        process.WaitForExit();
        process.Dispose();
        File.Delete(counters);
    }

    private static MeasuredProcess Start(string data, bool counted, Func<int, IEnumerable<string>> arguments)
    {
        Directory.CreateDirectory(data);
        var (port, counters) = (FreePort(), data.TrimEnd('/') + ".counters");
        File.Delete(counters);
        // Through a shell, so that what the server logs goes to a file and costs nobody else anything.
        var start = new ProcessStartInfo(
            "/bin/sh")
        { ArgumentList = { "-c", "log=$1; shift; exec \"$@\" > \"$log\" 2>&1", "sh", data.TrimEnd('/') + ".log", "dotnet" } };
        foreach (var argument in arguments(port)) start.ArgumentList.Add(argument);
        if (counted)
        {
            start.Environment["DOTNET_STARTUP_HOOKS"] = Assembly.GetExecutingAssembly().Location;
            start.Environment[StartupHook.SocketVariable] = counters;
        }

        return new MeasuredProcess(Process.Start(start)!, port, counters);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
