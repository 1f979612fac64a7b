using Microsoft.Azure.Cosmos;
using Microsoft.Extensions.Time.Testing;

namespace NodeStash.CosmosStandIn.Tests;

/// <summary>An account with one container, as the product has it: partition key <c>/pk</c>, time to live on, a composite index.</summary>
public sealed class Fixture
{
    private CosmosClient? client;

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    public StandInAccount Account { get; }

    public Container Crm { get; private set; } = null!;

    public Fixture() => Account = new StandInAccount(Clock);

    public async Task Open()
    {
        client = Account.Connect();
        Database database = await client.CreateDatabaseIfNotExistsAsync("crm");
        var properties = new ContainerProperties("crm", "/pk") { DefaultTimeToLive = -1 };
        properties.IndexingPolicy.IncludedPaths.Add(new IncludedPath { Path = "/*" });
        properties.IndexingPolicy.ExcludedPaths.Add(new ExcludedPath { Path = "/hidden/?" });
        properties.IndexingPolicy.CompositeIndexes.Add(
            [new CompositePath { Path = "/name", Order = CompositePathSortOrder.Ascending },
                new CompositePath { Path = "/id", Order = CompositePathSortOrder.Ascending }]);
        Crm = await database.CreateContainerIfNotExistsAsync(properties);
    }

    public Task Close()
    {
        client?.Dispose();
        Account.Dispose();
        return Task.CompletedTask;
    }
}
