using System.Net;
using System.Text.Json;
using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Cosmos.Scripts;

namespace NodeStash.CosmosStandIn.Tests;

public sealed class ContainerTests : IAsyncLifetime
{
    private readonly Fixture fixture = new();

    public async ValueTask InitializeAsync() => await fixture.Open();

    public async ValueTask DisposeAsync() => await fixture.Close();

    [Fact]
    public async Task A_container_is_read_as_it_was_created()
    {
        var read = await fixture.Crm.ReadContainerAsync();
        Assert.Equal("/pk", read.Resource.PartitionKeyPath);
        Assert.Equal(-1, read.Resource.DefaultTimeToLive);
        Assert.Equal("/hidden/?", Assert.Single(read.Resource.IndexingPolicy.ExcludedPaths).Path);
        Assert.Equal(["/name", "/id"], Assert.Single(read.Resource.IndexingPolicy.CompositeIndexes).Select(path => path.Path));
        Assert.Equal(
            HttpStatusCode.Conflict, (await Assert.ThrowsAsync<CosmosException>(() => fixture.Crm.Database.CreateContainerAsync("crm", "/pk"))).StatusCode);
    }

    [Fact]
    public async Task An_index_policy_without_the_root_is_refused()
    {
        var properties = new ContainerProperties("other", "/pk");
        properties.IndexingPolicy.IncludedPaths.Add(new IncludedPath { Path = "/name/?" });
        var error = await Assert.ThrowsAsync<CosmosException>(() => fixture.Crm.Database.CreateContainerAsync(properties));
        Assert.Equal(HttpStatusCode.BadRequest, error.StatusCode);
    }

    [Fact]
    public async Task The_most_precise_path_of_an_index_policy_decides()
    {
        var properties = new ContainerProperties("precise", "/pk");
        properties.IndexingPolicy.IncludedPaths.Add(new IncludedPath { Path = "/keys/name/?" });
        properties.IndexingPolicy.ExcludedPaths.Add(new ExcludedPath { Path = "/*" });
        Container container = await fixture.Crm.Database.CreateContainerAsync(properties);
        await container.CreateItemAsync(new { id = "1", pk = "p", keys = new { name = "b", other = 1 } });
        await container.CreateItemAsync(new { id = "2", pk = "p", keys = new { other = 1 } });
        var options = new QueryRequestOptions { PartitionKey = new PartitionKey("p") };

        // What is included by name, not below a wildcard, keeps the documents without it.
        Assert.Equal(["2", "1"], await container.GetItemQueryIterator<string>("SELECT VALUE c.id FROM c ORDER BY c.keys.name", null, options).ReadNextAsync());
        await Assert.ThrowsAsync<CosmosException>(
            () => container.GetItemQueryIterator<string>("SELECT VALUE c.id FROM c ORDER BY c.keys.other", null, options).ReadNextAsync());
    }

    [Fact]
    public async Task A_session_that_is_ahead_of_the_container_is_not_available()
    {
        await fixture.Crm.CreateItemAsync(new { id = "1", pk = "p" });
        using var read = await fixture.Crm.ReadItemStreamAsync("1", new PartitionKey("p"), new ItemRequestOptions { SessionToken = "0:-1#1" });
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        using var ahead = await fixture.Crm.ReadItemStreamAsync("1", new PartitionKey("p"), new ItemRequestOptions { SessionToken = "0:-1#2" });
        Assert.Equal(HttpStatusCode.NotFound, ahead.StatusCode);
        Assert.Equal("1002", ahead.Headers["x-ms-substatus"]);
    }

    [Fact]
    public async Task A_stored_procedure_is_done_whole_or_not_at_all()
    {
        fixture.Account.OnStoredProcedure("add", (scope, arguments) =>
        {
            foreach (var document in arguments[0].EnumerateArray())
            {
                if (scope.Create(document).Status != 201) throw new ProcedureException($"{document.GetProperty("id")} exists");
            }

            return JsonSerializer.SerializeToElement(arguments[0].GetArrayLength());
        });
        var scripts = fixture.Crm.Scripts;
        await scripts.CreateStoredProcedureAsync(new StoredProcedureProperties("add", "function add(documents) {}"));

        object[] two = [new { id = "1", pk = "p" }, new { id = "2", pk = "p" }];
        Assert.Equal(2, (await scripts.ExecuteStoredProcedureAsync<int>("add", new PartitionKey("p"), [two])).Resource);
        object[] again = [new { id = "3", pk = "p" }, new { id = "2", pk = "p" }];
        var error = await Assert.ThrowsAsync<CosmosException>(() => scripts.ExecuteStoredProcedureAsync<int>("add", new PartitionKey("p"), [again]));
        Assert.Equal(HttpStatusCode.BadRequest, error.StatusCode);
        Assert.Contains("2 exists", error.Message, StringComparison.Ordinal);
        using var read = await fixture.Crm.ReadItemStreamAsync("3", new PartitionKey("p"));
        Assert.Equal(HttpStatusCode.NotFound, read.StatusCode);
    }
}

public sealed class LagTests
{
    [Fact]
    public async Task A_client_that_has_not_seen_a_write_may_read_what_was_before_and_one_that_has_made_it_not()
    {
        using var account = new StandInAccount(TimeProvider.System) { Lag = 100 };
        using var writer = account.Connect();
        using var reader = account.Connect();
        Database database = await writer.CreateDatabaseAsync("crm");
        Container container = await database.CreateContainerAsync("crm", "/pk");
        await container.CreateItemAsync(new { id = "1", pk = "p" });
        await container.CreateItemAsync(new { id = "2", pk = "p" });

        Assert.Equal(2, await Count(container));
        var other = reader.GetContainer("crm", "crm");
        Assert.Equal(0, await Count(other));
        using (var read = await other.ReadItemStreamAsync("1", new PartitionKey("p"))) Assert.Equal(HttpStatusCode.NotFound, read.StatusCode);

        // A write that is refused tells how far others are, too.
        await Assert.ThrowsAsync<CosmosException>(() => other.CreateItemAsync(new { id = "1", pk = "p" }));
        Assert.Equal(2, await Count(other));
    }

    private static async Task<int> Count(Container container)
    {
        using var pages =
            container.GetItemQueryIterator<int>("SELECT VALUE COUNT(1) FROM c", null, new QueryRequestOptions { PartitionKey = new PartitionKey("p") });
        return (await pages.ReadNextAsync()).Single();
    }
}
