using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NodeStash.Azure.Hosting;
using NodeStash.Core.Telemetry;
using NodeStash.Functions.Api;

// The API under the Functions host. In the local host the same functions run without this file.
try
{
    var builder = FunctionsApplication.CreateBuilder(args);
    builder.ConfigureFunctionsWebApplication();
    builder.Services.AddNodeStashAzure(builder.Configuration, "nodestash-api").AddNodeStashApi();
    using var host = builder.Build();
    host.Services.GetRequiredService<TelemetryExport>();
    await host.RunAsync();
    return 0;
}
catch (SettingsException e)
{
    await Console.Error.WriteLineAsync(e.Message);
    return 1;
}
