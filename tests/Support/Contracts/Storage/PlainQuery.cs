using NodeStash.Core.Storage;

namespace NodeStash.Support.Contracts.Storage;

/// <summary>Evaluates conditions over keys as they were serialized, for <see cref="ConditionEvaluator"/>.</summary>
internal static class PlainQuery
{
    public static bool Holds(Condition condition, IReadOnlyDictionary<string, object?> keys) => ConditionEvaluator.Holds(condition, path => Value(keys, path));

    public static object? Value(IReadOnlyDictionary<string, object?> keys, KeyPath path)
    {
        var value = keys.GetValueOrDefault(path.Name);
        return path.Inner is null ? value : (value as IReadOnlyDictionary<string, object?>)?.GetValueOrDefault(path.Inner);
    }
}
