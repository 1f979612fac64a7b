namespace NodeStash.Core.Access;

/// <summary>Stores credentials and workspaces, which are looked up before the caller's partition is known.</summary>
public interface IAccessStore
{
    /// <summary>Finds the credential with this hash, or null. One point read.</summary>
    /// <param name="hash">Lower-case hex of the secret's SHA-256.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask<Credential?> FindCredential(string hash, CancellationToken ct);

    /// <summary>Stores or replaces a credential. It is on disk when the call returns.</summary>
    ValueTask PutCredential(Credential credential, CancellationToken ct);

    /// <summary>Removes a credential. Changes nothing if there is none.</summary>
    ValueTask RemoveCredential(string hash, CancellationToken ct);

    /// <summary>Finds a workspace by its id, <c>ws_…</c>; null if there is none.</summary>
    ValueTask<Workspace?> FindWorkspace(string id, CancellationToken ct);

    /// <summary>Lists the ids of all workspaces, in no order. It reads them all: use it for upkeep, not in requests.</summary>
    ValueTask<IReadOnlyList<string>> WorkspaceIds(CancellationToken ct);

    /// <summary>Stores or replaces a workspace.</summary>
    ValueTask PutWorkspace(Workspace workspace, CancellationToken ct);
}

/// <summary>
/// Locates the API key that a secret belongs to. The record of the key alone says what the secret may do, and whether it still works. The secret
/// itself is stored nowhere.
/// </summary>
/// <param name="Hash">Lower-case hex of the secret's SHA-256.</param>
/// <param name="KeyId">The key, <c>key_…</c></param>
/// <param name="WorkspaceId">The workspace of the key, <c>ws_…</c></param>
public sealed record Credential(string Hash, string KeyId, string WorkspaceId);

/// <summary>Describes a workspace: the data of one customer, in a live and a test environment.</summary>
/// <param name="Id">The id, <c>ws_…</c></param>
/// <param name="Name">The name that its owner chose.</param>
/// <param name="Plan">The plan, e.g. <c>local</c> (docs/api/access.md).</param>
/// <param name="CreatedAt">When it was created, to the second.</param>
public sealed record Workspace(string Id, string Name, string Plan, DateTimeOffset CreatedAt);
