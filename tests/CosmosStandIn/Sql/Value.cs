namespace NodeStash.CosmosStandIn.Sql;

/// <summary>How values compare. Source: Microsoft Learn, "Equality and comparison operators" and "ORDER BY clause" of the query language.</summary>
internal static class Value
{
    /// <summary>The value of a property that is not there, and of what can't be computed. It is no JSON and leaves any answer it is in.</summary>
    public static readonly object Undefined = new();

    public static bool IsDefined(object? value) => !ReferenceEquals(value, Undefined);

    /// <summary>The order of types among each other, which counts in ORDER BY, MIN and MAX alone.</summary>
    private static int Rank(object? value) => value switch
    {
        null => 1,
        bool => 2,
        double => 3,
        string => 4,
        JsonArray => 5,
        JsonObject => 6,
        _ => 0,
    };

    /// <summary>The order of ORDER BY: by type, then by value.</summary>
    public static int Order(object? left, object? right) => Rank(left) != Rank(right) ? Rank(left).CompareTo(Rank(right)) : OrderWithinType(left, right);

    /// <summary>Whether the operands compare; values of different types, arrays and objects do not.</summary>
    public static bool Compare(object? left, object? right, out int order)
    {
        var rank = Rank(left);
        var compares = rank == Rank(right) && rank is >= 1 and <= 4;
        order = compares ? OrderWithinType(left, right) : 0;
        return compares;
    }

    public static bool AreEqual(object? left, object? right) => (left, right) switch
    {
        (JsonArray a, JsonArray b) => a.Count == b.Count && a.Zip(b).All(pair => AreEqual(pair.First, pair.Second)),
        (JsonObject a, JsonObject b) => a.Count == b.Count && a.All(member => b.TryGetValue(member.Key, out var other) && AreEqual(member.Value, other)),
        _ => Equals(left, right),
    };

    private static int OrderWithinType(object? left, object? right) => (left, right) switch
    {
        (bool a, bool b) => a.CompareTo(b),
        (double a, double b) => a.CompareTo(b),
        (string a, string b) => ByCodePoint(a, b),
        (JsonArray or JsonObject, _) => ByCodePoint(Json.Text(left), Json.Text(right)),
        _ => 0,
    };

    /// <summary>Strings are ordered by their UTF-8 bytes, which is by code point: unlike UTF-16, a surrogate pair is above U+FFFF.</summary>
    private static int ByCodePoint(string left, string right)
    {
        var length = Math.Min(left.Length, right.Length);
        for (var i = 0; i < length; i++)
        {
            if (left[i] == right[i]) continue;
            var leftIsSurrogate = char.IsSurrogate(left[i]);
            return leftIsSurrogate == char.IsSurrogate(right[i]) ? left[i].CompareTo(right[i]) : leftIsSurrogate ? 1 : -1;
        }

        return left.Length.CompareTo(right.Length);
    }
}
