using NodeStash.Support.Contracts.Search;
using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Search;

public sealed class SearchListTests(Server server) : SearchListContract(server);

public sealed class SearchAcrossTests(Server server) : SearchAcrossContract(server);
