using System.Collections.Concurrent;
using NodeStash.Contract.Tests.Running;
using NodeStash.Support;
using NodeStash.Worker.Tests.Host;

namespace NodeStash.Worker.Tests;

/// <summary>The published API behind a host of the tests. The contract, too, is held against it (WorkerDeployment).</summary>
public sealed class ServingTests
{
    private const int Writers = 8, BeforeTheKill = 50;

    /// <summary>What the project leaves out, by name, so that nothing new is left out unnoticed.</summary>
    [Fact]
    public void Of_the_contract_all_is_run_but_what_the_other_app_does()
    {
        var all = Directory.GetFiles(Path.Combine(PublishedApp.Root, "tests/Contract"), "*.cs").Select(Path.GetFileNameWithoutExtension);
        var run = typeof(ContractTests).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(ContractTests))).Select(type => type.Name);

        Assert.Equal(["ObjectDeletionTests", "SearchTests"], all.Except(run).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Without_a_search_server_searches_are_refused_and_readiness_says_so()
    {
        await using var database = await Database.Start();
        await using var host = await FunctionsHost.Start();
        await using var worker = await host.StartWorker(PublishedApp.Api, database.Settings);
        await host.Serve(worker);
        var owner = await NewWorkspace(host);

        (await owner.Get("search?q=jane")).IsError(503, "UNAVAILABLE");
        var ready = (await owner.Get("../health/ready")).Is(200).Json;
        Assert.Equal("""["queues","search"]""", ready["unavailable"]!.ToJsonString());
    }

    [Fact]
    public async Task Of_a_worker_killed_while_it_serves_nothing_answered_is_lost()
    {
        await using var database = await Database.Start();
        await using var host = await FunctionsHost.Start();
        var stored = new ConcurrentBag<string>();
        Client owner;
        await using (var first = await host.StartWorker(PublishedApp.Api, database.Settings))
        {
            await host.Serve(first);
            owner = await NewWorkspace(host);
            var options = Enumerable.Range(0, Writers).Select(_ => WriteUntilRefused(owner, stored)).ToList();
            await Eventually.True(() => stored.Count >= BeforeTheKill, "answers");
            first.Process.Kill();
            await Task.WhenAll(options);
        }

        await using var second = await host.StartWorker(PublishedApp.Api, database.Settings);
        await host.Serve(second);

        foreach (var id in stored) (await owner.Get($"contacts/{id}")).Is(200);
        var there = (await owner.Pages("contacts?limit=100")).SelectMany(page => page.Ids).ToHashSet(StringComparer.Ordinal);
        Assert.Empty(stored.Except(there));
        Assert.InRange(there.Count, stored.Count, stored.Count + Writers);
    }

    private static async Task<Client> NewWorkspace(FunctionsHost host)
    {
        var made = (await Client.Of(host.Address, Database.Operator).Post("workspaces", new { name = "Acme" })).Is(201);
        return Client.Of(host.Address, (string)made.Attributes["api_key"]!);
    }

    private static async Task WriteUntilRefused(Client owner, ConcurrentBag<string> stored)
    {
        while (await owner.Post("contacts", new { first_name = "Jane" }) is { Status: 201 } made) stored.Add(made.Id);
    }
}
