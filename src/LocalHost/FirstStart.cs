using NodeStash.Core.Storage;
using NodeStash.Core.Tenancy;
using NodeStash.LocalHost.Store;

namespace NodeStash.LocalHost;

/// <summary>Sees to it that there is a workspace and a key to it.</summary>
internal sealed class FirstStart(SqliteAccessStore access, IWorkspaceStores stores, Workspaces workspaces, ApiKeys keys)
{
    /// <summary>The plan of the local host's own workspace: no limits (docs/api/access.md).</summary>
    private const string Plan = "local";

    /// <summary>Makes what is missing: the workspace on the first start, its key file also where it was lost.</summary>
    public async Task Run(DataFolder folder, CancellationToken ct)
    {
        var existing = access.FirstWorkspace();
        if (existing is not null && File.Exists(folder.ApiKeyFile)) return;
        var key = existing is null
            ? (await workspaces.Create("Local workspace", Plan, ct)).FirstKey
            : await keys.CreateFirst(stores.Open(new Partition(existing.Id, WorkspaceEnvironment.Live)), "Key of a later start", ct);
        DataFolder.WriteSecret(folder.ApiKeyFile, key.Secret!);
    }
}
