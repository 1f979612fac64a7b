using NodeStash.Core.Telemetry;
using NodeStash.LocalHost;
using NodeStash.LocalHost.Demo;

// Runs the whole product in one process. Exit codes: 0 for success or a requested stop, 1 for a failure, 2 for an invalid command line.
var command = CommandLine.Parse(args);
switch (command)
{
    case { Fault: { } problem }:
        await Console.Error.WriteLineAsync($"error: {problem}");
        await Console.Error.WriteLineAsync("Try --help.");
        return 2;
    case { Help: true }:
        await Console.Out.WriteLineAsync(CommandLine.Usage);
        return 0;
    case { Version: true }:
        await Console.Out.WriteLineAsync(ProductVersion.Text);
        return 0;
}

try
{
    if (command.Health) return await HealthCheck.Run(command.Settings, Console.Out);
    if (command.Demo) return await MainJob.Run(command, Console.Out);
    await using var host = await CrmHost.Start(command.Settings, CancellationToken.None);
    await Console.Out.WriteLineAsync(host.Banner);
    await host.WaitForShutdown();
    return 0;
}
catch (StartException e)
{
    await Console.Error.WriteLineAsync($"error: {e.Message}");
    return 1;
}
