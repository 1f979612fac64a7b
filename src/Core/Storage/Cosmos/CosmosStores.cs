using Microsoft.Azure.Cosmos;

namespace NodeStash.Core.Storage.Cosmos;

/// <summary>The data sets of all workspaces, in the containers of <see cref="CosmosContainers"/>.</summary>
/// <param name="client">One for the process. Of session consistency; closed by whoever opened it.</param>
/// <param name="database">The name of the database.</param>
/// <param name="indexes">Those its containers were made with.</param>
/// <param name="clock">Decides what has passed its time.</param>
public sealed class CosmosStores(CosmosClient client, string database, IReadOnlyCollection<RecordIndex> indexes, TimeProvider clock) : IWorkspaceStores
{
    private readonly RecordDocument documents = new(indexes);

    public IWorkspaceStore Open(Partition partition, string? session = null) =>
        new CosmosWorkspaceStore(partition, new PartitionClient(client.GetContainer(database, CosmosContainers.Crm), partition.Key, clock, session), documents, clock);
}
