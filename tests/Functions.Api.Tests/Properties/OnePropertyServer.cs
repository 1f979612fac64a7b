using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Properties;

/// <summary>A server for all properties; each case takes workspaces of its own.</summary>
[CollectionDefinition(nameof(OnePropertyServer))]
public sealed class OnePropertyServer : ICollectionFixture<Server>;
