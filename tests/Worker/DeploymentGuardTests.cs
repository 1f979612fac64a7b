using System.Diagnostics;
using System.Text.Json;

namespace NodeStash.Worker.Tests;

/// <summary>What has a stand-in for a package is not deployed, whichever way (docs/deploy.md).</summary>
public sealed class DeploymentGuardTests
{
    private const string HowToDeploy = "For a deployment pass -p:OfficialPackages=true";

    public static TheoryData<PublishedApp> Apps => [PublishedApp.Api, PublishedApp.Webhooks];

    /// <summary>azd publishes too.</summary>
    [Theory]
    [InlineData("Api", "-p:ForFunctionsHost=true")]
    [InlineData("Webhooks", "-p:ForFunctionsHost=true")]
    [InlineData("Webhooks", "-p:ForFunctionsHost=false")]
    public Task Publishing_with_stand_ins_is_refused(string app, string build) => IsRefused($"src/Functions.{app}", "publish", "-c", "Release", build);

    /// <summary>Core Tools build so, in the folder of the app.</summary>
    [Theory]
    [InlineData("Api")]
    [InlineData("Webhooks")]
    public Task Building_for_func_publish_with_stand_ins_is_refused(string app) => IsRefused($"src/Functions.{app}", "build", "--output", "bin/publish");

    /// <summary>`func … publish --no-build` reads host.json before it uploads a folder; so does the host that would run it.</summary>
    [Theory]
    [MemberData(nameof(Apps))]
    public void What_was_published_for_tests_has_no_host_json_that_a_tool_can_read(PublishedApp app)
    {
        var text = File.ReadAllText(Path.Combine(app.Folder, "host.json"));

        Assert.ThrowsAny<JsonException>(() => JsonElement.Parse(text));
        Assert.Contains("publish with -p:OfficialPackages=true", text, StringComparison.Ordinal);
    }

    private static async Task IsRefused(string folder, string verb, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [verb, "--no-restore", "--nologo", .. arguments])
        {
            WorkingDirectory = Path.Combine(PublishedApp.Root, folder),
            RedirectStandardOutput = true,
            Environment = { ["MSBUILDDISABLENODEREUSE"] = "1", ["OfficialPackages"] = null, ["AllowStandIns"] = null },
        };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();

        Assert.Equal(1, process.ExitCode);
        Assert.Contains(HowToDeploy, output, StringComparison.Ordinal);
    }
}
