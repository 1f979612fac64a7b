using NodeStash.Worker.Tests.Host;

namespace NodeStash.Worker.Tests;

/// <summary>How the two programs start and end.</summary>
public sealed class StartTests
{
    /// <summary>More than a worker has for its shutdown, which is 30 seconds.</summary>
    private static readonly TimeSpan EndsWithin = TimeSpan.FromMinutes(1);

    private static readonly string[] Required = ["COSMOS__accountEndpoint", "COSMOS_DATABASE", "JOBS__queueServiceUri", "SEALING_KEY"];

    public static TheoryData<PublishedApp> Apps => [PublishedApp.Api, PublishedApp.Webhooks];

    [Theory]
    [MemberData(nameof(Apps))]
    public async Task Without_settings_a_worker_names_what_is_missing_and_exits_with_1(PublishedApp app)
    {
        await using var worker = WorkerProcess.Start(app, new Uri("http://127.0.0.1:1/"), "alone", new Dictionary<string, string>());

        Assert.Equal(1, await worker.Exited.WaitAsync(EndsWithin, TimeProvider.System));
        var lines = worker.Output.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("The app settings will not do:", lines[0]);
        Assert.Equal(Required, lines[1..].Select(line => line.Split(" is missing: ")[0]));
    }

    [Theory]
    [MemberData(nameof(Apps))]
    public async Task A_worker_that_is_told_to_terminate_ends(PublishedApp app)
    {
        await using var database = await Database.Start();
        await using var host = await FunctionsHost.Start();
        await using var worker = await host.StartWorker(app, database.Settings);
        await worker.Load();

        worker.Channel.Terminate();

        Assert.Equal(0, await worker.Process.Exited.WaitAsync(EndsWithin, TimeProvider.System));
    }

    /// <summary>A shell is in the host's place: killed, it tells its worker nothing (HostWatch).</summary>
    [Theory]
    [MemberData(nameof(Apps))]
    public async Task A_worker_ends_once_its_host_was_killed(PublishedApp app)
    {
        await using var database = await Database.Start();
        await using var host = await FunctionsHost.Start();
        await using var worker = await host.StartWorker(app, database.Settings, inShell: true);
        await worker.Load();

        worker.Process.Kill();

        await worker.Channel.Ended.WaitAsync(EndsWithin, TimeProvider.System);
    }
}
