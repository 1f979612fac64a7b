using System.Collections.Concurrent;

namespace NodeStash.LocalHost.Store;

/// <summary>
/// What was made of a partition's records, by their type, until one of that type changes. All commits of this file come through this
/// process, so nothing is ever kept too long: while a commit of the type is under way nothing is kept and nothing kept is given out.
/// </summary>
internal sealed class MemoizedValues
{
    /// <summary>The most values of one type.</summary>
    private const int MaxValues = 1000;

    private readonly ConcurrentDictionary<string, OfType> types = new(StringComparer.Ordinal);

    /// <summary>What was made before, or what <paramref name="make"/> makes now; null is not kept.</summary>
    public async ValueTask<T?> Get<T>(string type, string name, Func<ValueTask<T?>> make)
        where T : class
    {
        var of = types.GetOrAdd(type, static _ => new OfType());

        // In this order: a value made after this moment goes to where the end of any commit after this moment throws it away.
        if (Volatile.Read(ref of.Changing) > 0) return await make();
        var values = of.Current();
        if (values.TryGetValue(name, out var known)) return (T)known;
        var made = await make();
        if (made is not null && values.Count < MaxValues) values.TryAdd(name, made);
        return made;
    }

    /// <summary>Before a commit that writes a record of this type.</summary>
    public void Changing(string type) => Interlocked.Increment(ref types.GetOrAdd(type, static _ => new OfType()).Changing);

    /// <summary>After it, before anyone is told that it is done.</summary>
    public void Changed(string type)
    {
        types[type].Forget();
        Interlocked.Decrement(ref types[type].Changing);
    }

    private sealed class OfType
    {
        public int Changing;
        private ConcurrentDictionary<string, object>? values;

        public ConcurrentDictionary<string, object> Current()
        {
            if (Volatile.Read(ref values) is { } current) return current;
            var first = new ConcurrentDictionary<string, object>(StringComparer.Ordinal);
            return Interlocked.CompareExchange(ref values, first, null) ?? first;
        }

        public void Forget()
        {
            if (Volatile.Read(ref values) is not null) Volatile.Write(ref values, null);
        }
    }
}
