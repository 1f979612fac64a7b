using Azure.Storage.Queues;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Azure.Cosmos;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using NodeStash.Azure.Cosmos;
using NodeStash.Azure.Hosting;
using NodeStash.Azure.Queues;
using NodeStash.Core.Access;
using NodeStash.Core.Jobs;
using NodeStash.Core.Resources;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;
using NodeStash.CosmosStandIn;
using NodeStash.Functions.Api;
using NodeStash.Functions.Webhooks;
using NodeStash.LocalHost.Triggers;
using Caller = NodeStash.Support.Running.Api;

namespace NodeStash.Azure.Tests.Hosting;

/// <summary>The two apps with the services they have in Azure.</summary>
public sealed class AzureAppsTests
{
    private const string Secret = "an operator's secret of some forty letters";

    private static readonly Dictionary<string, string?> inAzure = new()
    {
        ["COSMOS:accountEndpoint"] = "https://crm.documents.azure.com:443/",
        ["COSMOS_DATABASE"] = "nodestash",
        ["JOBS:queueServiceUri"] = "https://crm.queue.core.windows.net/",
        ["SEALING_KEY"] = Convert.ToBase64String(new byte[32]),
        [OperatorSecret.Setting] = Secret,
    };

    private static readonly IConfiguration settings = Settings([]);

    private static IConfiguration WithSearch => Settings(new() { ["SEARCH_URL"] = "http://127.0.0.1:1", ["SEARCH_KEY"] = "key" });

    [Fact]
    public void Every_function_of_the_API_gets_what_it_asks_for() =>
        CanBeMade(new ServiceCollection().AddLogging().AddNodeStashAzure(settings, "api").AddNodeStashApi(), FunctionCatalog.Of(typeof(ApiServices).Assembly));

    [Fact]
    public void Every_function_of_delivery_gets_what_it_asks_for() =>
        CanBeMade(new ServiceCollection().AddLogging().AddNodeStashAzure(settings, "webhooks").AddNodeStashWebhooks(),
            FunctionCatalog.Of(typeof(WebhookServices).Assembly));

    [Fact]
    public async Task The_operator_makes_a_workspace_whose_key_then_reads_what_it_writes()
    {
        using var account = new StandInAccount(TimeProvider.System);
        using var client = await Prepared(account);
        await using var app = await Start(client);
        var anyone = new Caller(AddressOf(app), null);

        (await anyone.With("a guess").Post("/v1/workspaces", new { name = "Acme" })).IsError(401, "INVALID_API_KEY");
        (await anyone.With(Secret).Post("/v1/workspaces", new { name = "", plan = "gold", x = 1 })).IsError(400, "VALIDATION_ERROR", "name", "plan", "x");
        (await anyone.With(Secret).Post("/v1/workspaces?dry_run=true", new { name = "Acme" })).IsError(400, "VALIDATION_ERROR", "dry_run");
        var made = (await anyone.With(Secret).Post("/v1/workspaces", new { name = "Acme", plan = "pro" })).Is(201);
        var owner = anyone.With(made.Text("api_key"));
        var contact = await owner.Create("contacts", new { email = "jane@example.com" });

        Assert.Equal("jane@example.com", (await owner.Get($"/v1/contacts/{contact.Id}")).Is(200).Text("email"));
        Assert.Equal(
            contact.Id, Assert.Single((await owner.Get("/v1/contacts?email=jane@example.com")).Is(200).Data.EnumerateArray()).GetProperty("id").GetString());
        (await owner.Post("/v1/contacts", new { email = "JANE@example.com" })).Is(409);
        Assert.Equal("pro", made.Text("plan"));
        Assert.Equal(200, (await anyone.Get("/health/ready")).Status);
        (await owner.Delete($"/v1/contacts/{contact.Id}")).Is(204);
        (await owner.Get($"/v1/contacts/{contact.Id}")).IsNotFound();
    }

    [Fact]
    public async Task Without_queues_and_search_it_serves_all_the_same_and_names_them()
    {
        using var account = new StandInAccount(TimeProvider.System);
        using var client = await Prepared(account);
        var nowhere = new AzureJobQueues(
            new QueueServiceClient(
                "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=AAAA;QueueEndpoint=http://127.0.0.1:1/a;", AzureJobQueues.ClientOptions));
        await using var app = await Start(client, nowhere);
        var anyone = new Caller(AddressOf(app), null);

        Assert.Equal("""{"status":"degraded","unavailable":["queues","search"]""", (await anyone.Get("/health/ready")).Is(200).Raw.Split(",\"meta\"")[0]);
        (await anyone.With(Secret).Post("/v1/workspaces", new { name = "Acme" })).Is(201);
    }

    [Fact]
    public async Task The_store_is_asked_before_the_first_request()
    {
        using var account = new StandInAccount(TimeProvider.System);
        using var client = await Prepared(account);
        await using var app = await Start(client);
        await Background(app);

        Assert.Equal(["access", "crm"],
            account.Log.Where(request => request.Kind is RequestKind.Read).Select(request => request.Container).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task It_starts_while_the_store_is_down()
    {
        using var account = new StandInAccount(TimeProvider.System);
        using var client = await Prepared(account);
        account.Faults.Next(Fault.ServiceUnavailable, int.MaxValue);
        await using var app = await Start(client);
        await Background(app);

        Assert.Equal(200, (await new Caller(AddressOf(app), null).Get("/health")).Status);
    }

    [Fact]
    public async Task In_an_empty_emulator_both_apps_make_the_database_and_then_serve()
    {
        using var account = new StandInAccount(TimeProvider.System);
        account.OnStoredProcedure(CommitProcedure.Id, CommitScript.Run);
        using var client = account.Connect();
        var emulator = Settings(new()
        {
            ["COSMOS:accountEndpoint"] = null,
            ["COSMOS"] = "AccountEndpoint=http://127.0.0.1:1/;AccountKey=AAAA",
            ["COSMOS_CREATE"] = "true",
        });
        using var webhooks = Webhooks(client, emulator);

        var (api, other) = (Start(client, from: emulator), webhooks.StartAsync());
        await using var app = await api;
        await other;

        var anyone = new Caller(AddressOf(app), null);
        var owner = anyone.With((await anyone.With(Secret).Post("/v1/workspaces", new { name = "Acme" })).Is(201).Text("api_key"));
        var hundred = Enumerable.Range(0, 100).Select(i => new { op = "create", data = new { email = $"c{i}@example.com" } });
        (await owner.Post("/v1/contacts/batch", new { atomic = true, operations = hundred })).Is(200);
        Assert.Equal(100, (await owner.Get("/v1/contacts?limit=100")).Is(200).Data.GetArrayLength());
    }

    [Fact]
    public async Task A_new_search_server_is_made_ready_as_the_app_starts()
    {
        using var account = new StandInAccount(TimeProvider.System);
        using var client = await Prepared(account);
        var server = new NewSearchServer();
        await using var app = await Start(client, from: WithSearch, search: server);

        await Background(app);

        Assert.True(server.IsComplete);
        Assert.Contains("\"ok\"", (await new Caller(AddressOf(app), null).Get("/health/ready")).Is(200).Raw, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_search_server_that_does_not_answer_yet_is_asked_again()
    {
        using var account = new StandInAccount(TimeProvider.System);
        using var client = await Prepared(account);
        var server = new NewSearchServer { Failures = 1 };
        await using var app = await Start(client, from: WithSearch, search: server);

        await Background(app);

        Assert.Equal((true, 0), (server.IsComplete, server.Failures));
    }

    [Fact]
    public async Task Without_the_setting_no_database_is_made()
    {
        using var account = new StandInAccount(TimeProvider.System);
        using var client = account.Connect();
        await using var app = await Start(client);
        await Background(app);

        await Assert.ThrowsAsync<CosmosException>(() => client.GetDatabase("nodestash").ReadAsync());
    }

    private static async Task<CosmosClient> Prepared(StandInAccount account)
    {
        account.OnStoredProcedure(CommitProcedure.Id, CommitScript.Run);
        var client = account.Connect();
        await CosmosContainers.Create(client, "nodestash", Crm.Catalog.Indexes, CancellationToken.None);
        return client;
    }

    /// <summary>Until what is done beside the start has ended, which it must without a fault.</summary>
    private static Task Background(WebApplication app) =>
        Task.WhenAll(app.Services.GetServices<IHostedService>().OfType<BackgroundService>().Select(service => service.ExecuteTask!));

    private static Uri AddressOf(WebApplication app) =>
        new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    private static void CanBeMade(IServiceCollection services, FunctionCatalog catalog)
    {
        services.AddSingleton<IHostApplicationLifetime, ApplicationLifetime>();
        using var provider = services.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });

        Assert.All(catalog.Functions.Where(function => !function.Method.IsStatic),
            function => ActivatorUtilities.CreateInstance(provider, function.Method.DeclaringType!));
    }

    private static IConfiguration Settings(Dictionary<string, string?> changes) =>
        new ConfigurationBuilder().AddInMemoryCollection(inAzure).AddInMemoryCollection(changes).Build();

    /// <summary>The webhooks app on its Azure services, with the stand-in for the account; nothing triggers it.</summary>
    private static IHost Webhooks(CosmosClient client, IConfiguration from)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddNodeStashAzure(from, "webhooks").AddNodeStashWebhooks().AddSingleton(client);
        return builder.Build();
    }

    /// <summary>The API on its Azure services, with the stand-in for the account.</summary>
    private static async Task<WebApplication> Start(CosmosClient client, IJobQueues? queues = null, IConfiguration? from = null, ISearchIndexes? search = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var catalog = FunctionCatalog.Of(typeof(ApiServices).Assembly);
        builder.Services.AddNodeStashAzure(from ?? settings, "api").AddNodeStashApi().AddSingleton(client).AddSingleton<IJobQueues>(queues ?? new NoQueues());
        if (search is not null) builder.Services.AddSingleton(search);
        var app = builder.Build();
        app.MapFunctions(catalog);
        await app.StartAsync();
        return app;
    }

    /// <summary>A search server of which nobody has said yet that it knows every environment. There is none.</summary>
    private sealed class NewSearchServer : ISearchIndexes
    {
        /// <summary>How often it does not answer.</summary>
        public int Failures { get; set; }

        public bool IsComplete { get; private set; }

        public ISearchIndex Open(Partition partition) => throw new NotSupportedException();

        public ValueTask Check(CancellationToken ct)
        {
            if (Failures-- > 0) throw new SearchUnavailableException("does not answer");
            Failures = 0;
            return IsComplete ? ValueTask.CompletedTask : throw new SearchUnavailableException("new") { IsBeingMade = true };
        }

        public ValueTask<IReadOnlyList<IndexState>> States(IReadOnlyList<Partition> partitions, CancellationToken ct) =>
            ValueTask.FromResult<IReadOnlyList<IndexState>>([]);

        public ValueTask Complete(CancellationToken ct)
        {
            IsComplete = true;
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>Nothing here hands work over.</summary>
    private sealed class NoQueues : IJobQueues
    {
        public ValueTask Send(string queue, string text, TimeSpan delay, CancellationToken ct) => throw new NotSupportedException();

        public ValueTask Check(CancellationToken ct) => ValueTask.CompletedTask;
    }
}
