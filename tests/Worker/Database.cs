using NodeStash.Azure.Cosmos;
using NodeStash.Core.Access;
using NodeStash.Core.Resources;
using NodeStash.CosmosStandIn;

namespace NodeStash.Worker.Tests;

/// <summary>A database for workers, on a stand-in for the account, and their app settings. There are no queues and no search server.</summary>
internal sealed class Database : IAsyncDisposable
{
    /// <summary>Makes workspaces.</summary>
    public const string Operator = "an operator's secret of some forty letters";

    private const string Name = "nodestash";

    private readonly StandInAccount account;
    private readonly StandInServer server;

    private Database(StandInAccount account, StandInServer server) => (this.account, this.server) = (account, server);

    public IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>
    {
        ["COSMOS"] = server.ConnectionString,
        ["COSMOS_DATABASE"] = Name,
        ["JOBS"] = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=AAAA;QueueEndpoint=http://127.0.0.1:1/a;",
        ["SEALING_KEY"] = Convert.ToBase64String(new byte[32]),
        [OperatorSecret.Setting] = Operator,
        ["COSMOS_DISABLE_IMDS_ACCESS"] = "true",

        // The stand-in has no gateway that plans queries.
        ["AZURE_COSMOS_USE_QUERY_PLAN_INTEROP_LINUX"] = "true",
    };

    public static async Task<Database> Start()
    {
        var account = new StandInAccount(TimeProvider.System);
        account.OnStoredProcedure(CommitProcedure.Id, CommitScript.Run);
        var server = await StandInServer.Start(account);
        using var client = account.Connect();
        await CosmosContainers.Create(client, Name, Crm.Catalog.Indexes, CancellationToken.None);
        return new Database(account, server);
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        account.Dispose();
    }
}
