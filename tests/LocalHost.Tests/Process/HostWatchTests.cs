using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using NodeStash.Core.Hosting;
using NodeStash.Functions.Webhooks.Tests;

namespace NodeStash.LocalHost.Tests.Process;

/// <summary>What becomes of a worker whose host is killed (<see cref="HostWatch"/>), with a shell in the host's place.</summary>
[SupportedOSPlatform("linux")]
public sealed class HostWatchTests
{
    [Fact]
    public async Task A_worker_ends_once_its_host_was_killed()
    {
        const string Script = "dotnet \"$0\" watch & echo $!; wait";
        var start = new ProcessStartInfo("sh", ["-c", Script, typeof(HostWatchTests).Assembly.Location]) { RedirectStandardOutput = true };
        using var host = System.Diagnostics.Process.Start(start)!;
        var worker = int.Parse((await host.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture);
        try
        {
            await Started(host.StandardOutput);
            host.Kill();
            await host.WaitForExitAsync();

            await Eventually.True(() => !Directory.Exists($"/proc/{worker}"), "the end of the worker");
        }
        finally
        {
            if (Directory.Exists($"/proc/{worker}")) System.Diagnostics.Process.GetProcessById(worker).Kill();
        }
    }

    private static async Task Started(StreamReader output)
    {
        while (await output.ReadLineAsync() is { } line)
        {
            if (line.Contains("Application started", StringComparison.Ordinal)) return;
        }

        Assert.Fail("The worker ended before it had started");
    }
}
