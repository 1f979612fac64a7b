namespace NodeStash.Core.Access;

/// <summary>What has to be found before it is known whose it is: credentials by the hash of their secret, and workspaces by id.</summary>
public interface IAccessStore
{
    /// <summary>The credential with this hash, or null. One point read.</summary>
    /// <param name="hash">Lower-case hex of the secret's SHA-256.</param>
    /// <param name="ct">Ends the wait.</param>
    ValueTask<Credential?> FindCredential(string hash, CancellationToken ct);

    /// <summary>Stores or replaces a credential; on disk when it answers.</summary>
    ValueTask PutCredential(Credential credential, CancellationToken ct);

    /// <summary>Removes a credential. Removing what is not there changes nothing.</summary>
    ValueTask RemoveCredential(string hash, CancellationToken ct);

    ValueTask<Workspace?> FindWorkspace(string id, CancellationToken ct);

    /// <summary>The ids of all workspaces, in no order. Reads them all: for upkeep, not for requests.</summary>
    ValueTask<IReadOnlyList<string>> WorkspaceIds(CancellationToken ct);

    /// <summary>Stores or replaces a workspace.</summary>
    ValueTask PutWorkspace(Workspace workspace, CancellationToken ct);
}

/// <summary>
/// Where the key of a secret is found. What the key may do, and whether it still may, stands in the key's own record alone. The secret itself is
/// stored nowhere.
/// </summary>
/// <param name="Hash">Lower-case hex of the secret's SHA-256.</param>
/// <param name="KeyId"><c>key_…</c></param>
/// <param name="WorkspaceId"><c>ws_…</c></param>
public sealed record Credential(string Hash, string KeyId, string WorkspaceId);

/// <param name="Id"><c>ws_…</c></param>
/// <param name="Name">As its owner calls it.</param>
/// <param name="Plan">E.g. <c>local</c> (docs/api/access.md).</param>
/// <param name="CreatedAt">To the second.</param>
public sealed record Workspace(string Id, string Name, string Plan, DateTimeOffset CreatedAt);
