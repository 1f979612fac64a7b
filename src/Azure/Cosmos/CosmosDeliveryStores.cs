using Microsoft.Azure.Cosmos;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;

namespace NodeStash.Azure.Cosmos;

/// <summary>
/// Opens the delivery stores of all partitions of one container. A partition has four kinds of documents: deliveries; lanes, for as long as they have
/// pending deliveries; endpoints, for as long as they have a worker; runs of failures, for as long as an endpoint fails.
/// </summary>
/// <remarks>
/// An event that is delivered at the first attempt costs about 24 RU, and a fifth of a request where many are added and recorded together. See
/// docs/operations.md for the cost of each step.
/// </remarks>
/// <param name="client">The client of the process, of session consistency. Its owner closes it.</param>
/// <param name="database">The name of the database.</param>
/// <param name="clock">Times the delays between attempts.</param>
public sealed class CosmosDeliveryStores(CosmosClient client, string database, TimeProvider clock) : IDeliveryStores
{
    /// <inheritdoc/>
    public IDeliveryStore Open(Partition partition)
    {
        var container = client.GetContainer(database, CosmosContainers.Deliveries);
        return new CosmosDeliveryStore(new PartitionClient(container, partition.Key, clock), partition, clock);
    }
}
