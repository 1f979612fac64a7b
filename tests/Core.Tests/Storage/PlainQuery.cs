using System.Text;
using NodeStash.Core.Storage;

namespace NodeStash.Core.Tests.Storage;

/// <summary>What conditions and sort keys mean, said as plainly as possible: the yardstick for adapters. Keys are dictionaries as they were serialized.</summary>
internal static class PlainQuery
{
    public static bool Holds(Condition condition, IReadOnlyDictionary<string, object?> keys) => condition switch
    {
        Condition.All all => all.Conditions.All(inner => Holds(inner, keys)),
        Condition.Any any => any.Conditions.Any(inner => Holds(inner, keys)),
        Condition.Not not => !Holds(not.Inner, keys),
        Condition.Equal equal => Same(Value(keys, equal.Path), equal.Value),
        Condition.In @in => @in.Values.Any(value => Same(Value(keys, @in.Path), value)),
        Condition.Compare compare => Compares(Value(keys, compare.Path), compare.How, compare.Value),
        Condition.Contains contains => Value(keys, contains.Path) is string text && text.Contains(contains.Text, StringComparison.Ordinal),
        Condition.StartsWith starts => Value(keys, starts.Path) is string text && text.StartsWith(starts.Text, StringComparison.Ordinal),
        Condition.Has has => Value(keys, has.Path) is string[] members && members.Contains(has.Member),
        _ => throw new ArgumentException(condition.ToString()),
    };

    public static object? Value(IReadOnlyDictionary<string, object?> keys, KeyPath path)
    {
        var value = keys.GetValueOrDefault(path.Name);
        return path.Inner is null ? value : (value as IReadOnlyDictionary<string, object?>)?.GetValueOrDefault(path.Inner);
    }

    /// <summary>Less than, equal to or greater than 0; null where the values are of different types and none of them is null.</summary>
    public static int? Order(object? left, object? right) => (Sortable(left), Sortable(right)) switch
    {
        (null, null) => 0,
        (null, _) => -1,
        (_, null) => 1,
        (string a, string b) => Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b)),
        (bool a, bool b) => a.CompareTo(b),
        (long a, long b) => a.CompareTo(b),
        (double a, double b) => a.CompareTo(b),
        (long a, double b) => Order(a, b),
        (double a, long b) => -Order(b, a),
        _ => null,
    };

    private static int Order(long whole, double number)
    {
        if (Math.Abs(number) >= 9.3e18) return -Math.Sign(number);
        var floor = Math.Floor(number);
        var order = ((Int128)whole).CompareTo((Int128)floor);
        return order == 0 && number > floor ? -1 : order;
    }

    private static object? Sortable(object? value) => value is Array ? null : value;

    private static bool Same(object? stored, object? value) => stored is not string[] && Order(stored, value) == 0;

    private static bool Compares(object? stored, Comparison how, object value) => stored is not (null or string[]) && Order(stored, value) is { } order && how switch
    {
        Comparison.Less => order < 0,
        Comparison.LessOrEqual => order <= 0,
        Comparison.Greater => order > 0,
        _ => order >= 0,
    };
}
