using System.Text;

namespace NodeStash.Core.Storage;

/// <summary>
/// Evaluates conditions and compares values in memory, with the semantics of every store. Automations and overlays use it; tests compare adapters
/// with it.
/// Values are null, string, bool, long, double, or a list of strings.
/// </summary>
public static class ConditionEvaluator
{
    /// <summary>Whether a condition holds for a record's keys.</summary>
    /// <param name="condition">The condition, without <see cref="Condition.Linked"/>, which needs a store.</param>
    /// <param name="valueOf">Returns the value at a path of the record's keys; null if there is none.</param>
    /// <exception cref="ArgumentException">The condition contains <see cref="Condition.Linked"/>.</exception>
    public static bool Holds(Condition condition, Func<KeyPath, object?> valueOf) => condition switch
    {
        Condition.All all => all.Conditions.All(inner => Holds(inner, valueOf)),
        Condition.Any any => any.Conditions.Any(inner => Holds(inner, valueOf)),
        Condition.Not not => !Holds(not.Inner, valueOf),
        Condition.Equal equal => Same(valueOf(equal.Path), equal.Value),
        Condition.In among => valueOf(among.Path) is var value && among.Values.Any(one => Same(value, one)),
        Condition.Compare compare => Compares(valueOf(compare.Path), compare.How, compare.Value),
        Condition.Contains contains => valueOf(contains.Path) is string text && text.Contains(contains.Text, StringComparison.Ordinal),
        Condition.StartsWith starts => valueOf(starts.Path) is string text && text.StartsWith(starts.Text, StringComparison.Ordinal),
        Condition.Has has => valueOf(has.Path) is IReadOnlyList<string> members && members.Contains(has.Member, StringComparer.Ordinal),
        _ => throw new ArgumentException($"{condition.GetType().Name} can't be evaluated without a store", nameof(condition)),
    };

    /// <summary>Compares two values: null and lists first, then text by code point, numbers by value, false before true.</summary>
    /// <returns>Less than, equal to or greater than 0; null if the values have different types and neither is null.</returns>
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

    /// <summary>Compares a whole number with any number. Beyond the range of a long, the sign of the other number decides.</summary>
    private static int Order(long whole, double number)
    {
        const double BeyondLong = 9.3e18;
        if (Math.Abs(number) >= BeyondLong) return -Math.Sign(number);
        var floor = Math.Floor(number);
        var order = ((Int128)whole).CompareTo((Int128)floor);
        return order == 0 && number > floor ? -1 : order;
    }

    private static object? Sortable(object? value) => value is IReadOnlyList<string> ? null : value;

    private static bool Same(object? stored, object? value) => stored is not IReadOnlyList<string> && Order(stored, value) == 0;

    private static bool Compares(object? stored, Comparison how, object value) =>
        stored is not (null or IReadOnlyList<string>) && Order(stored, value) is { } order && how switch
        {
            Comparison.Less => order < 0,
            Comparison.LessOrEqual => order <= 0,
            Comparison.Greater => order > 0,
            _ => order >= 0,
        };
}
