using NodeStash.Support.Contracts.Doors;

namespace NodeStash.Azure.Tests.Serving;

/// <summary>The archive over Cosmos DB.</summary>
[Collection(typeof(OneCosmosServer))]
public sealed class ArchiveTests(CosmosServer server) : ArchiveContract(server);

[CollectionDefinition]
public sealed class OneCosmosServer : ICollectionFixture<CosmosServer>;
