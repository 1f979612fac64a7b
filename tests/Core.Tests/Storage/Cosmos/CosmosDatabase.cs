using System.Text.Json;
using Microsoft.Azure.Cosmos;
using NodeStash.Core.Storage;
using NodeStash.Core.Storage.Cosmos;
using NodeStash.CosmosStandIn;

namespace NodeStash.Core.Tests.Storage.Cosmos;

/// <summary>A database with the product's containers: of the stand-in, or of the account that <c>COSMOS_CONNECTION</c> names.</summary>
/// <param name="clock">The stand-in's time.</param>
/// <param name="indexes">What its containers are made for.</param>
/// <param name="lag">How many transactions the stand-in may show a process late.</param>
public sealed class CosmosDatabase(TimeProvider clock, IReadOnlyCollection<RecordIndex> indexes, int lag = 0) : IAsyncLifetime
{
    /// <summary>The connection string of a real account or an emulator; null for the stand-in.</summary>
    public static string? Connection { get; } = Environment.GetEnvironmentVariable("COSMOS_CONNECTION") is { Length: > 0 } connection ? connection : null;

    public string Name { get; } = "test-" + Path.GetRandomFileName();

    public StandInAccount Account { get; } = new(clock) { Lag = lag };

    public CosmosClient Client { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Account.OnStoredProcedure(CommitProcedure.Id, (scope, arguments) => Commit(scope, arguments[0]));
        Client = Connect();
        await CosmosContainers.Create(Client, Name, indexes, CancellationToken.None);
    }

    /// <summary>Another client, as another process would have: it knows nothing of what the first one wrote.</summary>
    public CosmosClient Connect() => Connection is null
        ? Account.Connect(options => options.MaxRetryWaitTimeOnRateLimitedRequests = TimeSpan.FromSeconds(1))
        : new CosmosClient(Connection, new CosmosClientOptions { ConnectionMode = ConnectionMode.Gateway });

    public async Task DisposeAsync()
    {
        if (Connection is not null) await Client.GetDatabase(Name).DeleteAsync();
        Client.Dispose();
        Account.Dispose();
    }

    /// <summary>What commit.js promises.</summary>
    private static JsonElement? Commit(ProcedureScope scope, JsonElement operations)
    {
        foreach (var (place, operation) in operations.EnumerateArray().Index())
        {
            var status = operation.TryGetProperty("create", out var document) ? scope.Create(document).Status
                : operation.TryGetProperty("delete", out var id) ? scope.Delete(id.GetString()!, operation.GetProperty("etag").GetString()).Status
                : Patch(scope, operation);
            if (status >= 400) throw new ProcedureException($"REFUSED {place} {status}");
        }

        return null;
    }

    private static int Patch(ProcedureScope scope, JsonElement operation)
    {
        var id = operation.GetProperty("patch").GetString()!;
        var (status, read) = scope.Read(id);
        if (read is not { } document) return status;
        var members = document.EnumerateObject().ToDictionary(member => member.Name, member => member.Value);
        if (operation.GetProperty("etag").GetString() is { } etag && members["_etag"].GetString() != etag) return 412;
        if (operation.GetProperty("if").EnumerateObject().Any(one => !members.TryGetValue(one.Name, out var value) || !JsonElement.DeepEquals(value, one.Value))) return 412;
        foreach (var set in operation.GetProperty("set").EnumerateObject()) members[set.Name] = set.Value;
        if (!operation.GetProperty("set").EnumerateObject().Any()) members["guards"] = JsonSerializer.SerializeToElement((members.TryGetValue("guards", out var guards) ? guards.GetInt64() : 0) + 1);
        return scope.Replace(id, JsonSerializer.SerializeToElement(members), members["_etag"].GetString()).Status;
    }
}
