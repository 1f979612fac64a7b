using Microsoft.Azure.Cosmos;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;

namespace NodeStash.Azure.Cosmos;

/// <summary>
/// The deliveries of all data sets, in one container. In the data set's partition there are three kinds of documents: a delivery; a lane for as
/// long as something is pending in it; an endpoint for as long as somebody works for it or it fails.
/// </summary>
/// <remarks>
/// An event that arrives at the first attempt costs about 24 RU and a fifth of a request where many are recorded and noted together: docs/operations.md has what each step costs.
/// </remarks>
/// <param name="client">One for the process. Of session consistency; closed by whoever opened it.</param>
/// <param name="database">The name of the database.</param>
/// <param name="clock">For the waits before something is tried again.</param>
public sealed class CosmosDeliveryStores(CosmosClient client, string database, TimeProvider clock) : IDeliveryStores
{
    public IDeliveryStore Open(Partition partition) => new CosmosDeliveryStore(new PartitionClient(client.GetContainer(database, CosmosContainers.Deliveries), partition.Key, clock), partition, clock);
}
