using NodeStash.Core.Records;
using NodeStash.Core.Storage;

namespace NodeStash.Core.Access;

/// <summary>Finds out who calls, from the bearer secret.</summary>
public sealed class Authentication(IAccessStore access, IWorkspaceStores stores, KeyUsage usage, TimeProvider clock)
{
    /// <summary>The caller; null where the secret is malformed, unknown, revoked or expired. Which of them is not told.</summary>
    public async ValueTask<Caller?> Authenticate(string secret, CancellationToken ct)
    {
        if (!ApiKeySecret.IsWellFormed(secret)) return null;
        var hash = ApiKeySecret.Hash(secret);
        if (await access.FindCredential(hash, ct) is not { } credential) return null;

        // The key's record decides, so that what changes a key (rotation, revocation) is one commit.
        var live = stores.Open(new Partition(credential.WorkspaceId, DataEnvironment.Live));
        if (await live.Find(ApiKey.Schema.Type, credential.KeyId, ct) is not { } stored) return null;
        var (key, now) = (Record.Load(ApiKey.Schema, stored), clock.GetUtcNow());
        if (!ApiKey.Accepts(key, hash, now)) return null;

        var environment = ApiKey.EnvironmentOf(key);
        var store = environment is DataEnvironment.Live ? live : stores.Open(new Partition(credential.WorkspaceId, environment));
        await usage.Seen(credential.KeyId, live, now, ct);
        return new Caller(credential.KeyId, ApiKey.Scopes.Of(key), new SettledStore(store, clock), live);
    }
}
