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

/// <summary>The whole product, running in this process.</summary>
public sealed class CrmHost : IAsyncDisposable
{
    /// <summary>
    /// Kestrel's own limit lies above the API's, so that the API answers in its envelope and the rest of a body too large is read away: a connection
    /// closed on unread data would lose the answer.
    /// </summary>
    private const long KestrelBodyLimit = 32 * 1024 * 1024;

    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(30);

    private readonly DataFolder folder;
    private readonly WebApplication app;

    private CrmHost(DataFolder folder, WebApplication app) => (this.folder, this.app) = (folder, app);

    /// <summary>Where it listens, with the port it got.</summary>
    public Uri Address => new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>The services everything runs on.</summary>
    public IServiceProvider Services => app.Services;

    /// <summary>The secret of the workspace's first key.</summary>
    public string ApiKey => File.ReadAllText(folder.ApiKeyFile).Trim();

    /// <summary>What to tell who started it: the address, and a curl to paste.</summary>
    public string Banner =>
        $"""
        NodeStash listens on {Address.ToString().TrimEnd('/')}   data in {folder.Path}
        The key is in {folder.ApiKeyFile}. Try:

          curl {Address}v1/contacts -H "Authorization: Bearer $(cat {Quoted(folder.ApiKeyFile)})" \
            -H "Content-Type: application/json" -d '{"{"}"first_name":"Jane","email":"jane@example.com"{"}"}'

        """;

    /// <summary>Starts everything; ready when it answers.</summary>
    /// <exception cref="StartException">It can't: the folder, the database or the address.</exception>
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

    /// <summary>Waits for Ctrl-C or SIGTERM, then until what is under way has ended.</summary>
    public Task WaitForShutdown() => app.WaitForShutdownAsync();

    /// <summary>Drains and stops.</summary>
    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
        folder.Dispose();
    }

    private static CrmHost Build(HostSettings settings, DataFolder folder)
    {
        // Watching for changed settings would watch the working folder with all below it, which is where the databases are by default.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = ["--hostBuilder:reloadConfigOnChange=false"] });
        builder.WebHost.UseUrls(settings.Urls).ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = KestrelBodyLimit;
        });
        builder.Host.UseDefaultServiceProvider(provider => (provider.ValidateOnBuild, provider.ValidateScopes) = (true, true));
        builder.Logging.ClearProviders().Services.AddSingleton<ILoggerProvider, ConsoleLog>();
        // A start that fails is told in one line (see Explain), not by the host's trace; a background service that fails is Critical.
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
            .AddSingleton(OperatorSecretOf(builder.Configuration))
            .AddSingleton(OptionsOf(settings, builder.Configuration))
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
        // What can't be opened fails here: a host that fails while it makes its services can't be stopped in order.
        app.Services.GetRequiredService<TelemetryExport>();
        app.Services.GetRequiredService<DurableEngine>();
        // Before anything is served: from then on a search is answered whole, or refused until it can be.
        await app.Services.GetRequiredService<SearchUpkeep>().Run(ct);
        await app.Services.GetRequiredService<FirstStart>().Run(folder, ct);
        await app.StartAsync(ct);
    }

    private static WebhookOptions OptionsOf(HostSettings settings, IConfiguration configuration)
    {
        var concurrency = WebhookOptions.ReadConcurrency(configuration[WebhookOptions.ConcurrencySetting], out var problem);
        if (problem is not null) throw new StartException(problem);
        return new WebhookOptions { AllowLoopback = settings.AllowLoopback, ClockTolerance = TimeSpan.Zero, ConcurrencyPerEndpoint = concurrency };
    }

    private static OperatorSecret OperatorSecretOf(IConfiguration configuration)
    {
        var secret = configuration[OperatorSecret.Setting];
        return OperatorSecret.Check(secret) is { } problem ? throw new StartException(problem) : new OperatorSecret(secret);
    }

    /// <summary>A text as one word of a POSIX shell.</summary>
    private static string Quoted(string text) => $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    /// <summary>The one line for what commonly goes wrong at a start; null for what should not.</summary>
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
