using System.Collections.Concurrent;
using NodeStash.Core.Access;
using NodeStash.Core.Events;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;

namespace NodeStash.Core.Tenancy;

/// <summary>Authenticates requests by their bearer secret.</summary>
public sealed class Authentication(
    IAccessStore access, IWorkspaceStores stores, ISearchIndexes indexes, SearchOptions searches, KeyUsage usage, TimeProvider clock)
{
    /// <summary>Most credentials kept in memory.</summary>
    private const int MaxKnown = 10_000;

    /// <summary>Credentials of keys in use, by the hash of their secret. They never change, and open nothing by themselves.</summary>
    private readonly ConcurrentDictionary<string, Credential> known = new(StringComparer.Ordinal);

    /// <summary>Returns the caller; null if the secret is malformed, unknown, revoked or expired. It does not say which.</summary>
    /// <param name="secret">The bearer secret.</param>
    /// <param name="session">The <see cref="IWorkspaceStore.Session"/> that the caller's reads must see; null to demand none.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="FormatException">The session is malformed.</exception>
    public async ValueTask<Caller?> Authenticate(string secret, string? session, CancellationToken ct)
    {
        if (!ApiKeySecret.IsWellFormed(secret)) return null;
        var hash = ApiKeySecret.Hash(secret);
        if (!known.TryGetValue(hash, out var credential) && (credential = await access.FindCredential(hash, ct)) is null) return null;

        // The record of the key decides, so that a rotation or revocation is one commit.
        var live = stores.Open(new Partition(credential.WorkspaceId, WorkspaceEnvironment.Live), session);
        var key = await live.Memoized(ApiKey.Schema.Type, credential.KeyId, inner => Load(live, credential.KeyId, inner), ct);
        var now = clock.GetUtcNow();
        if (key is null || !ApiKey.Accepts(key, hash, now)) return null;

        var environment = ApiKey.EnvironmentOf(key);
        var store = environment is WorkspaceEnvironment.Live ? live : stores.Open(new Partition(credential.WorkspaceId, environment), session);
        await usage.RecordUse(credential.KeyId, live, now, ct);
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
