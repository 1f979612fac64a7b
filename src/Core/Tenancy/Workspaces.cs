using NodeStash.Core.Access;
using NodeStash.Core.Events;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Tenancy;

/// <summary>Makes workspaces: each with a default pipeline in both of its environments and a first live key.</summary>
public sealed class Workspaces(IAccessStore access, IWorkspaceStores stores, ApiKeys keys, Ids ids, TimeProvider clock)
{
    /// <returns>The workspace and its first key.</returns>
    public async ValueTask<(Workspace Workspace, NewKey FirstKey)> Create(string name, string plan, CancellationToken ct)
    {
        var workspace = new Workspace(ids.New("ws_"), name, plan, Text.ToSecond(clock.GetUtcNow()));
        foreach (var environment in Enum.GetValues<WorkspaceEnvironment>())
        {
            var records = new RecordSet(Crm.Catalog, stores.Open(new Partition(workspace.Id, environment)), Origin.OfSystem, ids, clock);
            _ = (await records.Create(Pipeline.Schema, Pipeline.First, ct)).Value;
        }

        // Known only once it is whole: of one that was interrupted nothing is ever seen.
        await access.PutWorkspace(workspace, ct);
        return (workspace, await keys.CreateFirst(stores.Open(new Partition(workspace.Id, WorkspaceEnvironment.Live)), "First key", ct));
    }
}
