using System.Collections.Concurrent;
using NodeStash.Core.Events;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Access;

/// <summary>Updates <c>last_used_at</c> of API keys, at most once a minute for each key and process.</summary>
public sealed class KeyUsage(Catalog catalog, Ids ids, TimeProvider clock)
{
    private static readonly TimeSpan Resolution = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, DateTimeOffset> written = new(StringComparer.Ordinal);

    /// <summary>Records that a key was used at a time. Does not fail if the store is unavailable.</summary>
    public async ValueTask RecordUse(string keyId, IWorkspaceStore store, DateTimeOffset now, CancellationToken ct)
    {
        var last = written.GetValueOrDefault(keyId);
        if (now - last < Resolution) return;

        // Of concurrent requests, one writes; the others go on.
        if (last == default ? !written.TryAdd(keyId, now) : !written.TryUpdate(keyId, now, last)) return;
        var keys = new RecordSet(catalog, store, Origin.OfSystem, ids, clock);
        try
        {
            await keys.Update(ApiKey.Schema, keyId, null, (change, _) =>
            {
                change.After![ApiKey.LastUsedAt] = Text.ToSecond(now);
                return null;
            }, ct);
        }
        catch (StoreUnavailableException)
        {
            // A read must not fail because the store takes no writes. The next request tries again.
            written.TryRemove(keyId, out _);
        }
    }
}
