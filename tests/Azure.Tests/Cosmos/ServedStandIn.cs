using NodeStash.Azure.Cosmos;
using NodeStash.CosmosStandIn;

namespace NodeStash.Azure.Tests.Cosmos;

/// <summary>
/// The stand-in as an account: by HTTP, with the time of day, shared by the tests of a class. What passes on it asks nothing that only a test could
/// arrange.
/// </summary>
public sealed class ServedStandIn : CosmosAccount
{
    private StandInAccount Account { get; } = new(TimeProvider.System);
    private StandInServer? server;

    protected override async ValueTask<string?> Connection()
    {
        Account.OnStoredProcedure(CommitProcedure.Id, CommitScript.Run);
        server = await StandInServer.Start(Account);
        return server.ConnectionString;
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (server is not null) await server.DisposeAsync();
        Account.Dispose();
    }
}
