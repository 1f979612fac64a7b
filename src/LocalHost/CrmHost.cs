using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Access;
using NodeStash.Core.Jobs;
using NodeStash.Core.Resources;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;
using NodeStash.Core.Telemetry;
using NodeStash.Core.Webhooks;
using NodeStash.Functions.Api;
using NodeStash.Functions.Webhooks;
using NodeStash.LocalHost.Durable;
using NodeStash.LocalHost.Search;
using NodeStash.LocalHost.Store;
using NodeStash.LocalHost.Triggers;

namespace NodeStash.LocalHost;

/// <summary>Runs the whole product in this process.</summary>
public sealed class CrmHost : IAsyncDisposable
{
    /// <summary>
    /// Body limit of Kestrel. It is above the API's limit, so that the API answers in its envelope and the rest of the body is read: closing a connection with
    /// unread data would lose the answer.
    /// </summary>
    private const long KestrelBodyLimit = 32 * 1024 * 1024;

    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(30);

    private readonly DataFolder folder;
    private readonly WebApplication app;

    private CrmHost(DataFolder folder, WebApplication app) => (this.folder, this.app) = (folder, app);

    /// <summary>Address of the server, with the actual port.</summary>
    public Uri Address => new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>Services of the host.</summary>
    public IServiceProvider Services => app.Services;

    /// <summary>Secret of the workspace's first key.</summary>
    public string ApiKey => File.ReadAllText(folder.ApiKeyFile).Trim();

    /// <summary>Text to print after the start: the address, and a curl command to paste.</summary>
    public string Banner =>
        $"""
        NodeStash listens on {Address.ToString().TrimEnd('/')}   data in {folder.Path}
        The key is in {folder.ApiKeyFile}. Try:

          curl {Address}v1/contacts -H "Authorization: Bearer $(cat {Quoted(folder.ApiKeyFile)})" \
            -H "Content-Type: application/json" -d '{"{"}"first_name":"Jane","email":"jane@example.com"{"}"}'

        """;

    /// <summary>Starts the host. It is ready when the task completes.</summary>
    /// <exception cref="StartException">The host can't start because of the folder, the database or the address.</exception>
    public static async Task<CrmHost> Start(HostSettings settings, CancellationToken ct)
    {
        var folder = DataFolder.Open(settings.Data);
        CrmHost? host = null;
        try
        {
            host = Build(settings, folder);
            await host.Run(settings, ct);
            return host;
        }
        catch (Exception e)
        {
            if (host is not null) await host.DisposeAsync();
            else folder.Dispose();
            if (Explain(e, settings) is { } reason) throw new StartException(reason, e);
            throw;
        }
    }

    /// <summary>Waits for Ctrl-C or SIGTERM, then for work in progress.</summary>
    public Task WaitForShutdown() => app.WaitForShutdownAsync();

    /// <summary>Stops the host after work in progress has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
        folder.Dispose();
    }

    private static CrmHost Build(HostSettings settings, DataFolder folder)
    {
        // Do not watch for changed settings: that watches the working folder with all subfolders, where the databases are by default.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = ["--hostBuilder:reloadConfigOnChange=false"] });
        builder.WebHost.UseUrls(settings.Urls).ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = KestrelBodyLimit;
        });
        builder.Host.UseDefaultServiceProvider(provider => (provider.ValidateOnBuild, provider.ValidateScopes) = (true, true));
        builder.Logging.ClearProviders().Services.AddSingleton<ILoggerProvider, ConsoleLog>();
        // A failed start is one line (see Explain), not a stack trace of the host. A failed background service is logged as Critical.
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        if (settings.Quiet) builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("NodeStash", LogLevel.Warning);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = ShutdownTimeout);

        var catalog = FunctionCatalog.Of(typeof(ApiServices).Assembly, typeof(WebhookServices).Assembly);
        builder.Services
            .AddSingleton(settings.Clock)
            .AddNodeStashApi()
            .AddNodeStashWebhooks()
            .AddSingleton(catalog)
            .AddSingleton(folder.OpenSecretBox())
            .AddSingleton(ReadOperatorSecret(builder.Configuration))
            .AddSingleton(ReadWebhookOptions(settings, builder.Configuration))
            .AddSingleton(services => Schema.Open(folder.Database, Crm.Catalog.Indexes, services.GetRequiredService<ILogger<Database>>()))
            .AddSingleton<SqliteChangeFeed>().AddSingleton<IChangeFeed>(services => services.GetRequiredService<SqliteChangeFeed>())
            .AddSingleton<SqliteAccessStore>().AddSingleton<IAccessStore>(services => services.GetRequiredService<SqliteAccessStore>())
            .AddSingleton<SqliteDeliveryStores>().AddSingleton<IDeliveryStores>(services => services.GetRequiredService<SqliteDeliveryStores>())
            .AddSingleton<IReadOnlyCollection<RecordIndex>>(Crm.Catalog.Indexes).AddSingleton<SqliteStores>()
            .AddSingleton<IWorkspaceStores>(services => services.GetRequiredService<SqliteStores>())
            .AddSingleton<SqliteQueues>().AddSingleton<IJobQueues>(services => services.GetRequiredService<SqliteQueues>())
            .AddSingleton<IMessages>(services => services.GetRequiredService<SqliteQueues>())
            .AddSingleton(services => new EmbeddedSearchIndexes(services.GetRequiredService<SearchFile>(), settings.Clock))
            .AddSingleton(services => SearchFile.Open(folder.SearchDatabase, services.GetRequiredService<ILogger<SearchFile>>()))
            .AddSingleton<ISearchIndexes>(
                services => settings.Search is { } between
                    ? between(services.GetRequiredService<EmbeddedSearchIndexes>())
                    : services.GetRequiredService<EmbeddedSearchIndexes>())
            .AddSingleton(_ => new TelemetryExport("nodestash"))
            .AddSingleton<FirstStart>()
            .AddSingleton(services => DurableEngine.Open(
                folder.DurableDatabase, DurableFunctions.RegistryOf(catalog), settings.Durable, settings.Clock, services.GetRequiredService<ILoggerFactory>(),
                services))
            .AddSingleton<DurableTaskClient>(services => services.GetRequiredService<DurableEngine>().Client)
            .AddHostedService(services => services.GetRequiredService<DurableEngine>())
            .AddHostedService<ChangeFeedTriggers>()
            .AddHostedService<QueueTriggers>()
            .AddHostedService<TimerTriggers>()
            .AddHostedService<Upkeep>();
        settings.Services?.Invoke(builder.Services);

        var app = builder.Build();
        app.MapFunctions(catalog);
        return new CrmHost(folder, app);
    }

    private async Task Run(HostSettings settings, CancellationToken ct)
    {
        // Open these now: a host that fails while it creates its services can't be stopped in order.
        app.Services.GetRequiredService<TelemetryExport>();
        app.Services.GetRequiredService<DurableEngine>();
        // Run this before serving, so that every search is complete, or refused until it can be.
        await app.Services.GetRequiredService<SearchUpkeep>().Run(ct);
        await app.Services.GetRequiredService<FirstStart>().Run(folder, ct);
        await app.StartAsync(ct);
    }

    private static WebhookOptions ReadWebhookOptions(HostSettings settings, IConfiguration configuration)
    {
        var concurrency = WebhookOptions.ReadConcurrency(configuration[WebhookOptions.ConcurrencySetting], out var problem);
        if (problem is not null) throw new StartException(problem);
        return new WebhookOptions { AllowLoopback = settings.AllowLoopback, ClockTolerance = TimeSpan.Zero, ConcurrencyPerEndpoint = concurrency };
    }

    private static OperatorSecret ReadOperatorSecret(IConfiguration configuration)
    {
        var secret = configuration[OperatorSecret.Setting];
        return OperatorSecret.Check(secret) is { } problem ? throw new StartException(problem) : new OperatorSecret(secret);
    }

    /// <summary>Quotes a text as one word of a POSIX shell.</summary>
    private static string Quoted(string text) => $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    /// <summary>Explains a common start error in one line; null for an unexpected one.</summary>
    private static string? Explain(Exception e, HostSettings settings) => e switch
    {
        NewerDatabaseException newer => newer.Message,
        IOException { InnerException: AddressInUseException } => $"{settings.Urls} is in use by another program: stop it, or give another address with --urls",
        SocketException or IOException { InnerException: SocketException } => $"can't listen on {settings.Urls}: {(e.InnerException ?? e).Message}",
        FormatException or InvalidOperationException { Source: "Microsoft.AspNetCore.Server.Kestrel.Core" }
            or ArgumentOutOfRangeException { ParamName: "port" } => $"'{settings.Urls}' is not an address to listen on: {e.Message}",
        _ => null,
    };
}
