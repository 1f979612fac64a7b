using System.Diagnostics.CodeAnalysis;
using NodeStash.Worker.Tests;
using NodeStash.Worker.Tests.Host;

namespace NodeStash.Contract.Tests.Running;

/// <summary>What is held to the contract here: the published API's worker, behind a host of the tests.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Disposed asynchronously, by xunit.")]
public sealed class Deployment : IAsyncLifetime
{
    private Database? database;
    private FunctionsHost? host;
    private RunningWorker? worker;
    private Client? owner;

    /// <summary>May do everything.</summary>
    public Client Owner => owner ?? throw new InvalidOperationException("The deployment has not started.");

    public async ValueTask InitializeAsync()
    {
        database = await Database.Start();
        host = await FunctionsHost.Start();
        worker = await host.StartWorker(PublishedApp.Api, database.Settings);
        await host.Serve(worker);
        var made = await Client.Of(host.Address, Database.Operator).Post("workspaces", new { name = "Acme", plan = "pro" });
        Assert.True(made.Status == 201, $"{made.Status} {made.Text}: {string.Join("; ", worker.Channel.Errors)}");
        owner = Client.Of(host.Address, (string)made.Attributes["api_key"]!);
    }

    public async ValueTask DisposeAsync()
    {
        if (worker is not null) await worker.DisposeAsync();
        if (host is not null) await host.DisposeAsync();
        if (database is not null) await database.DisposeAsync();
    }
}

/// <summary>One deployment for all, one test at a time: some change what the whole workspace shares.</summary>
[CollectionDefinition(nameof(OneDeployment))]
public sealed class OneDeployment : ICollectionFixture<Deployment>;
