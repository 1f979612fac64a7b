using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace NodeStash.Contract.Tests.Running;

/// <summary>
/// What is held to the contract: the deployment at NODESTASH_URL, with the key NODESTASH_KEY (scope <c>*</c>, of live data); where they are not
/// set, a local host started for it, on a free port and in a folder of its own.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Disposed asynchronously, by xunit.")]
public sealed class Deployment : IAsyncLifetime
{
    private const string Listening = "NodeStash listens on ";
    private static readonly TimeSpan StartsWithin = TimeSpan.FromMinutes(2);

    private Process? host;
    private DirectoryInfo? data;
    private Client? owner;

    /// <summary>May do everything.</summary>
    public Client Owner => owner ?? throw new InvalidOperationException("The deployment has not started.");

    public async ValueTask InitializeAsync()
    {
        var (url, key) = (Environment.GetEnvironmentVariable("NODESTASH_URL"), Environment.GetEnvironmentVariable("NODESTASH_KEY"));
        if (string.IsNullOrEmpty(url) != string.IsNullOrEmpty(key))
            throw new InvalidOperationException("Set both NODESTASH_URL and NODESTASH_KEY, or neither.");
        owner = string.IsNullOrEmpty(url) || string.IsNullOrEmpty(key) ? await StartLocalHost() : Client.Of(new Uri(url.TrimEnd('/') + "/"), key);
    }

    public async ValueTask DisposeAsync()
    {
        if (host is not null)
        {
            host.Kill();
            await host.WaitForExitAsync();
            host.Dispose();
        }

        data?.Delete(recursive: true);
    }

    private async Task<Client> StartLocalHost()
    {
        data = Directory.CreateTempSubdirectory("nodestash-contract-");
        var program = typeof(Deployment).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "LocalHost").Value!;
        var start = new ProcessStartInfo("dotnet", [program, "--urls", "http://127.0.0.1:0", "--data", data.FullName]) { RedirectStandardOutput = true };
        start.Environment["Logging__LogLevel__Default"] = "Warning";
        var address = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        host = new Process { StartInfo = start };
        host.OutputDataReceived += (_, output) =>
        {
            if (output.Data is null) address.TrySetException(new InvalidOperationException("The local host ended without saying where it listens."));
            else if (output.Data.StartsWith(Listening, StringComparison.Ordinal))
                address.TrySetResult(new Uri(output.Data[Listening.Length..].Split(' ')[0] + "/"));
        };
        host.Start();
        host.BeginOutputReadLine();
        var listening = await address.Task.WaitAsync(StartsWithin, TimeProvider.System);
        return Client.Of(listening, (await File.ReadAllTextAsync(Path.Combine(data.FullName, "api-key"))).Trim());
    }
}

/// <summary>One deployment for all, one test at a time: some change what the whole workspace shares.</summary>
[CollectionDefinition(nameof(OneDeployment))]
public sealed class OneDeployment : ICollectionFixture<Deployment>;
