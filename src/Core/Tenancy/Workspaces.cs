using NodeStash.Core.Access;
using NodeStash.Core.Events;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Tenancy;

/// <summary>Creates workspaces, each with a default pipeline in both environments and a first live key.</summary>
public sealed class Workspaces(IAccessStore access, IWorkspaceStores stores, ApiKeys keys, Ids ids, TimeProvider clock)
{
    /// <summary>Creates a workspace.</summary>
    /// <param name="name">The name that its owner chose.</param>
    /// <param name="plan">The plan, e.g. <c>local</c>.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>The workspace and its first key, with the secret.</returns>
    public async ValueTask<(Workspace Workspace, NewKey FirstKey)> Create(string name, string plan, CancellationToken ct)
    {
        var workspace = new Workspace(ids.New("ws_"), name, plan, Text.ToSecond(clock.GetUtcNow()));
        foreach (var environment in Enum.GetValues<WorkspaceEnvironment>())
        {
            var records = new RecordSet(Crm.Catalog, stores.Open(new Partition(workspace.Id, environment)), Origin.OfSystem, ids, clock);
            _ = (await records.Create(Pipeline.Schema, Pipeline.First, ct)).Value;
        }

        // Stored after its pipelines, so that a workspace whose creation is interrupted is never visible.
        await access.PutWorkspace(workspace, ct);
        return (workspace, await keys.CreateFirst(stores.Open(new Partition(workspace.Id, WorkspaceEnvironment.Live)), "First key", ct));
    }
}
