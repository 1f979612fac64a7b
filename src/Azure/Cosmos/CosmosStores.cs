using System.Text.RegularExpressions;
using Microsoft.Azure.Cosmos;
using NodeStash.Core.Storage;

namespace NodeStash.Azure.Cosmos;

/// <summary>Opens the stores of all partitions, in the containers of <see cref="CosmosContainers"/>.</summary>
/// <param name="client">The client of the process, with session consistency. Its owner closes it.</param>
/// <param name="database">The name of the database.</param>
/// <param name="indexes">The indexes that the containers were created with.</param>
/// <param name="clock">Decides what has expired.</param>
public sealed partial class CosmosStores(CosmosClient client, string database, IReadOnlyCollection<RecordIndex> indexes, TimeProvider clock) : IWorkspaceStores
{
    private readonly RecordDocument documents = new(indexes);

    public IWorkspaceStore Open(Partition partition, string? session = null)
    {
        if (session is not null && !Token().IsMatch(session)) throw new FormatException("the session is not a session token of Cosmos DB");
        return new CosmosWorkspaceStore(
            partition, new PartitionClient(client.GetContainer(database, CosmosContainers.Crm), partition.Key, clock, session), documents, clock);
    }

    /// <summary>Matches a session token: a range of partition keys, then the version and the numbers of writes: <c>0:-1#42#1=40</c>.</summary>
    [GeneratedRegex(
        @"\A[0-9]{1,9}:-?[0-9]{1,19}(#[0-9]{1,19})?(#[0-9]{1,9}=-?[0-9]{1,19}){0,32}\z", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Token();
}
