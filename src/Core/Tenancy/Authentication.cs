using System.Collections.Concurrent;
using NodeStash.Core.Access;
using NodeStash.Core.Events;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;

namespace NodeStash.Core.Tenancy;

/// <summary>Finds out who calls, from the bearer secret.</summary>
public sealed class Authentication(
    IAccessStore access, IWorkspaceStores stores, ISearchIndexes indexes, SearchOptions searches, KeyUsage usage, TimeProvider clock)
{
    /// <summary>The most credentials whose place is remembered.</summary>
    private const int MaxKnown = 10_000;

    /// <summary>Where keys in use are, by the hash of their secret. That never changes, and opens nothing: see <see cref="Credential"/>.</summary>
    private readonly ConcurrentDictionary<string, Credential> known = new(StringComparer.Ordinal);

    /// <summary>The caller; null where the secret is malformed, unknown, revoked or expired. Which of them is not told.</summary>
    /// <param name="secret">The bearer secret.</param>
    /// <param name="session">What the caller's reads are to see at least, as <see cref="IWorkspaceStore.Session"/> had it; null for nothing certain.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="FormatException">The session is none.</exception>
    public async ValueTask<Caller?> Authenticate(string secret, string? session, CancellationToken ct)
    {
        if (!ApiKeySecret.IsWellFormed(secret)) return null;
        var hash = ApiKeySecret.Hash(secret);
        if (!known.TryGetValue(hash, out var credential) && (credential = await access.FindCredential(hash, ct)) is null) return null;

        // The key's record decides, so that what changes a key (rotation, revocation) is one commit.
        var live = stores.Open(new Partition(credential.WorkspaceId, WorkspaceEnvironment.Live), session);
        var key = await live.Memoized(ApiKey.Schema.Type, credential.KeyId, inner => Load(live, credential.KeyId, inner), ct);
        var now = clock.GetUtcNow();
        if (key is null || !ApiKey.Accepts(key, hash, now)) return null;

        var environment = ApiKey.EnvironmentOf(key);
        var store = environment is WorkspaceEnvironment.Live ? live : stores.Open(new Partition(credential.WorkspaceId, environment), session);
        await usage.Seen(credential.KeyId, live, now, ct);
        Remember(credential);
        var visible = new ArchiveFilter(new CascadeOverlay(store, Crm.Catalog, clock));
        var search = new RecordSearch(visible, indexes.Open(store.Partition), searches);
        return new Caller(credential.KeyId, ChangeSource.Api, ApiKey.Scopes.Of(key), visible, live, search);
    }

    private static async ValueTask<Record?> Load(IWorkspaceStore store, string keyId, CancellationToken ct) =>
        await store.Find(ApiKey.Schema.Type, keyId, ct) is { } stored ? Record.Load(ApiKey.Schema, stored) : null;

    private void Remember(Credential credential)
    {
        if (!known.TryAdd(credential.Hash, credential) || known.Count <= MaxKnown) return;
        known.Clear();
    }
}
