using NodeStash.Core.Access;

namespace NodeStash.LocalHost.Store;

/// <summary>Stores credentials and workspaces in the file.</summary>
/// <param name="database">Opened with <see cref="Schema.Open"/>.</param>
public sealed class SqliteAccessStore(Database database) : IAccessStore
{
    public ValueTask<Credential?> FindCredential(string hash, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return new(database.Read(session => session.One(
            "SELECT key_id, workspace_id FROM credentials WHERE hash = ?1", row => new Credential(hash, row.GetString(0), row.GetString(1)), hash)));
    }

    public async ValueTask PutCredential(Credential credential, CancellationToken ct) => await database.Write(
        session => session.Execute(
            "INSERT OR REPLACE INTO credentials (hash, key_id, workspace_id) VALUES (?1, ?2, ?3)", credential.Hash, credential.KeyId, credential.WorkspaceId),
        ct);

    public async ValueTask RemoveCredential(string hash, CancellationToken ct) =>
        await database.Write(session => session.Execute("DELETE FROM credentials WHERE hash = ?1", hash), ct);

    public ValueTask<Workspace?> FindWorkspace(string id, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return new(database.Read(session => session.One(
            "SELECT name, plan, created_at FROM workspaces WHERE id = ?1",
            row => new Workspace(id, row.GetString(0), row.GetString(1), StoredTime.FromTicks(row.GetInt64(2))),
            id)));
    }

    /// <summary>Finds the first workspace created, which is the local host's own; null for none.</summary>
    public Workspace? FirstWorkspace() => database.Read(session => session.One(
        "SELECT id, name, plan, created_at FROM workspaces ORDER BY created_at, id LIMIT 1",
        row => new Workspace(row.GetString(0), row.GetString(1), row.GetString(2), StoredTime.FromTicks(row.GetInt64(3)))));

    public ValueTask<IReadOnlyList<string>> WorkspaceIds(CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return new(database.ReadOne(session => session.All("SELECT id FROM workspaces", row => row.GetString(0))));
    }

    public async ValueTask PutWorkspace(Workspace workspace, CancellationToken ct) => await database.Write(
        session => session.Execute(
            "INSERT OR REPLACE INTO workspaces (id, name, plan, created_at) VALUES (?1, ?2, ?3, ?4)",
            workspace.Id, workspace.Name, workspace.Plan, workspace.CreatedAt.UtcTicks),
        ct);
}
