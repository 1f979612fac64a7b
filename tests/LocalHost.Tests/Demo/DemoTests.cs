using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using NodeStash.LocalHost.Demo;

namespace NodeStash.LocalHost.Tests.Demo;

public sealed class DemoTests : IDisposable
{
    private const string FreePort = "http://127.0.0.1:0";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("nodestash-demo-tests-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public async Task Against_a_server_of_its_own_it_passes_shows_the_retry_and_leaves_nothing()
    {
        var (exitCode, output) = await Demo(new HostSettings { Urls = FreePort, UrlsGiven = true });

        Assert.True(exitCode == 0, output);
        Assert.Matches(@"contact\.created +ct_\w+ +v1  verified  attempt 2 after \d+\.\d s, durable timer", output);
        Assert.EndsWith("demo passed\n", output, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', output);
        Assert.False(Directory.Exists(Regex.Match(output, @"data in (\S+), removed").Groups[1].Value));
    }

    [Fact]
    public async Task Against_a_started_server_it_can_be_repeated_also_at_the_same_time_and_removes_its_endpoints()
    {
        await using var host = await CrmHost.Start(new HostSettings { Urls = FreePort, Data = folder.FullName, Quiet = true }, CancellationToken.None);
        var settings = new HostSettings { Urls = host.Address.ToString(), UrlsGiven = true, Data = folder.FullName, DataGiven = true };

        var runs = await Task.WhenAll(Demo(settings), Demo(settings));

        Assert.All(runs, run => Assert.True(run.ExitCode == 0, run.Output));
        Assert.All(runs, run => Assert.Contains("The records stay", run.Output, StringComparison.Ordinal));
        using var http = new HttpClient(new SocketsHttpHandler()) { BaseAddress = host.Address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", host.ApiKey);
        Assert.StartsWith("""{"data":[],""", await http.GetStringAsync("/v1/webhooks"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_does_not_accept_the_key_fails_it_with_a_line_that_says_so()
    {
        await using var host =
            await CrmHost.Start(new HostSettings { Urls = FreePort, Data = Path.Combine(folder.FullName, "theirs"), Quiet = true }, CancellationToken.None);
        var ours = folder.CreateSubdirectory("ours").FullName;
        await File.WriteAllTextAsync(DataFolder.ApiKeyFileIn(ours), "nds_live_of_another_server");

        var (exitCode, output) = await Demo(new HostSettings { Urls = host.Address.ToString(), UrlsGiven = true, Data = ours, DataGiven = true });

        Assert.Equal(1, exitCode);
        Assert.Contains($"demo failed: a server runs at {host.Address}, but it does not accept the key in", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_in_use_fails_it_with_a_line_that_says_so()
    {
        await using var host = await CrmHost.Start(new HostSettings { Urls = FreePort, Data = folder.FullName, Quiet = true }, CancellationToken.None);

        var (exitCode, output) = await Demo(new HostSettings { Urls = FreePort, UrlsGiven = true, Data = folder.FullName, DataGiven = true });

        Assert.Equal(1, exitCode);
        Assert.Contains($"demo failed: the folder {folder.FullName} is in use", output, StringComparison.Ordinal);
    }

    private static async Task<(int ExitCode, string Output)> Demo(HostSettings settings)
    {
        var output = new StringWriter { NewLine = "\n" };
        return (await MainJob.Run(new CommandLine(settings, Demo: true), output), output.ToString());
    }
}
