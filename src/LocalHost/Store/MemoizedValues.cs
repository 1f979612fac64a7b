using System.Collections.Concurrent;

namespace NodeStash.LocalHost.Store;

/// <summary>
/// Caches values derived from the records of a type in one partition, until a record of that type changes. All commits of the file come through this
/// process, so a value is never stale: while a commit of the type is in flight, no value is cached or returned from the cache.
/// </summary>
internal sealed class MemoizedValues
{
    /// <summary>Maximum number of values of one type.</summary>
    private const int MaxValues = 1000;

    private readonly ConcurrentDictionary<string, TypeValues> types = new(StringComparer.Ordinal);

    /// <summary>Returns the cached value, or the result of <paramref name="make"/>; null is not cached.</summary>
    public async ValueTask<T?> Get<T>(string type, string name, Func<ValueTask<T?>> make)
        where T : class
    {
        var of = types.GetOrAdd(type, static _ => new TypeValues());

        // Keep this order: a value made after this check goes to the dictionary that the end of any later commit discards.
        if (Volatile.Read(ref of.Changing) > 0) return await make();
        var values = of.Current();
        if (values.TryGetValue(name, out var known)) return (T)known;
        var made = await make();
        if (made is not null && values.Count < MaxValues) values.TryAdd(name, made);
        return made;
    }

    /// <summary>Call before a commit that writes a record of this type.</summary>
    public void BeginChange(string type) => Interlocked.Increment(ref types.GetOrAdd(type, static _ => new TypeValues()).Changing);

    /// <summary>Call after the commit, before it is confirmed.</summary>
    public void EndChange(string type)
    {
        types[type].Clear();
        Interlocked.Decrement(ref types[type].Changing);
    }

    private sealed class TypeValues
    {
        public int Changing;
        private ConcurrentDictionary<string, object>? values;

        public ConcurrentDictionary<string, object> Current()
        {
            if (Volatile.Read(ref values) is { } current) return current;
            var first = new ConcurrentDictionary<string, object>(StringComparer.Ordinal);
            return Interlocked.CompareExchange(ref values, first, null) ?? first;
        }

        public void Clear()
        {
            if (Volatile.Read(ref values) is not null) Volatile.Write(ref values, null);
        }
    }
}
