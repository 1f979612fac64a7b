using System.Diagnostics;
using System.Reflection;
using System.Text.RegularExpressions;
using Azure.Storage.Queues;
using NodeStash.Support;

namespace NodeStash.Azurite.Tests;

/// <summary>The storage emulator, in memory and on a free port of this machine.</summary>
public sealed partial class AzuriteProcess : IAsyncLifetime
{
    /// <summary>The emulator's account, the same everywhere and known to everybody.</summary>
    private const string Account = "devstoreaccount1", Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private readonly Process process;
    private string output = "";

    public AzuriteProcess()
    {
        var folder = typeof(AzuriteProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "Folder").Value!;
        var program = Path.Combine(folder, "node_modules/azurite/dist/src/queue/main.js");
        if (!File.Exists(program)) throw new FileNotFoundException($"Azurite is not installed: run npm ci in {folder}, which needs Node 20 or later.", program);
        process = new Process
        {
            StartInfo = new ProcessStartInfo("node",
            [program, "--queueHost", "127.0.0.1", "--queuePort", "0", "--inMemoryPersistence", "--skipApiVersionCheck",
                "--disableTelemetry"])
            { RedirectStandardOutput = true, RedirectStandardError = true }
        };
        process.OutputDataReceived += (_, line) => output += line.Data + "\n";
        process.ErrorDataReceived += (_, line) => output += line.Data + "\n";
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public async ValueTask InitializeAsync()
    {
        await Eventually.True(() => process.HasExited || ListensAt().IsMatch(output), "Azurite's address");
        if (process.HasExited) throw new InvalidOperationException(output);
    }

    /// <param name="options">The product's; null for messages as they are on the wire.</param>
    public QueueServiceClient Open(QueueClientOptions? options) =>
        new QueueServiceClient(
            $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};QueueEndpoint={ListensAt().Match(output).Groups[1].Value}/{Account};",
            options);

    public async Task Kill()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Kill();
        process.Dispose();
    }

    [GeneratedRegex(@"listens on (http://127\.0\.0\.1:[1-9]\d*)")]
    private static partial Regex ListensAt();
}
