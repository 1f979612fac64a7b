using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Hosting;
using NodeStash.Core.Storage;
using NodeStash.Functions.Api;

// The API under the Functions host. In the local host the same functions run without this file.
var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
builder.Services.AddNodeStashApi();

if (builder.Services.All(service => service.ServiceType != typeof(IWorkspaceStores)))
    throw new InvalidOperationException("This version has no storage adapter for Azure yet; src/LocalHost runs the same functions on its own store.");
await builder.Build().RunAsync();
