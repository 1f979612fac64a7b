using NodeStash.Core.Storage;
using NodeStash.Core.Tenancy;
using NodeStash.LocalHost.Store;

namespace NodeStash.LocalHost;

/// <summary>Creates the first workspace and its key.</summary>
internal sealed class FirstStart(SqliteAccessStore access, IWorkspaceStores stores, Workspaces workspaces, ApiKeys keys)
{
    /// <summary>Plan of the local host's own workspace, without limits (docs/api/access.md).</summary>
    private const string Plan = "local";

    /// <summary>Creates the workspace at the first start, and the key file if it is missing.</summary>
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
