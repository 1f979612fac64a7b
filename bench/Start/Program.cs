using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NodeStash.Azure.Cosmos;
using NodeStash.Bench;
using NodeStash.Core.Resources;
using NodeStash.CosmosStandIn;

const string Usage = """
    start-bench [starts]   from the start of the API's worker to its first answer, compiled while it runs and compiled beforehand (default 10 starts of each)
    """;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is [Worker.Argument])
{
    await Worker.Run();
    return 0;
}

var starts = 10;
if (args.Length > 1 || (args.Length == 1 && !(int.TryParse(args[0], CultureInfo.InvariantCulture, out starts) && starts > 0)))
{
    await Console.Error.WriteLineAsync(Usage);
    return 2;
}

const string Database = "nodestash";
using var account = new StandInAccount(TimeProvider.System);
account.OnStoredProcedure(CommitProcedure.Id, CommitScript.Run);
await using var cosmos = await StandInServer.Start(account);
using (var client = account.Connect()) await CosmosContainers.Create(client, Database, Crm.Catalog.Indexes, CancellationToken.None);

var folder = Directory.CreateTempSubdirectory("nodestash-start-");
try
{
    var builds = new[] { (Name: "compiled while it runs", Folder: await Publish(readyToRun: false)),
        (Name: "compiled beforehand", Folder: await Publish(readyToRun: true)) };
    string path, key;
    using (var worker = await Worker.Start(builds[0].Folder, cosmos.ConnectionString, Database)) (path, key) = await worker.NewContact();

    var measured = builds.ToDictionary(build => build.Name, _ => new List<(SoFar Listening, SoFar Answered, double First, double Second)>());
    for (var i = 0; i < starts; i++)
    {
        foreach (var build in builds)
        {
            using var worker = await Worker.Start(build.Folder, cosmos.ConnectionString, Database);
            var (first, answered) = await worker.Get(path, key);
            var (second, _) = await worker.Get(path, key);
            measured[build.Name].Add((worker.Listening, answered, first, second));
        }
    }

    await Say($"Medians of {starts} starts (least to most), GET of a contact on the stand-in for Cosmos DB\n");
    await Say("|                        | listens after ms   | first answer after ms | of that the request | second request ms | allocated MB, "
        + "listening / answered | methods compiled | CPU ms |");
    await Say("|------------------------|-------------------:|----------------------:|--------------------:|------------------:"
        + "|-----------------------------------:|-----------------:|-------:|");
    foreach (var (name, all) in measured)
    {
        await Say($"| {name,-22} | {Of(all, m => m.Listening.Milliseconds)} | {Of(all, m => m.Listening.Milliseconds + m.First)} | "
            + $"{Of(all, m => m.First)} | {Of(all, m => m.Second)} "
            + $"| {Median(all, m => m.Listening.AllocatedMegabytes):0.0} / {Median(all, m => m.Answered.AllocatedMegabytes):0.0} | "
            + $"{Median(all, m => m.Answered.CompiledMethods):0} | {Median(all, m => m.Answered.CpuMilliseconds):0} |");
    }

    return 0;
}
finally
{
    folder.Delete(recursive: true);
}

// This program as the app is deployed: for a platform that is named, with the framework of the machine.
async Task<string> Publish(bool readyToRun)
{
    var target = Path.Combine(folder.FullName, readyToRun ? "beforehand" : "running");
    using var publish = Process.Start("dotnet",
        ["publish", Source(), "-c", "Release", "-r", RuntimeInformation.RuntimeIdentifier, "--self-contained", "false", $"-p:PublishReadyToRun={readyToRun}",
            "-o", target, "-v", "q", "--nologo"]);
    await publish.WaitForExitAsync();
    return publish.ExitCode == 0 ? target : throw new InvalidOperationException("dotnet publish failed; its errors are above");
}

static string Source([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;

static string Of<T>(List<T> all, Func<T, double> figure) => $"{Median(all, figure):0} ({all.Min(figure):0} to {all.Max(figure):0})";

static double Median<T>(List<T> all, Func<T, double> figure) => all.Select(figure).Order().ElementAt(all.Count / 2);

static Task Say(string line) => Console.Out.WriteLineAsync(line);
