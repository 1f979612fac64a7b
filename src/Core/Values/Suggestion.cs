namespace NodeStash.Core.Values;

/// <summary>Writes error messages for unknown names that suggest the nearest known name.</summary>
public static class Suggestion
{
    /// <summary>Writes the error message for an unknown name.</summary>
    /// <param name="what">The noun for the name, e.g. <c>field</c>.</param>
    /// <param name="name">The unknown name.</param>
    /// <param name="known">The known names.</param>
    /// <returns>E.g. <c>Unknown field. Did you mean 'email'?</c> The question is left out if no known name is similar.</returns>
    public static string Unknown(string what, string name, IEnumerable<string> known)
    {
        var nearest = known.Select(k => (Name: k, Distance: Distance(name, k))).DefaultIfEmpty((Name: "", Distance: int.MaxValue)).MinBy(k => k.Distance);
        return nearest.Distance <= Math.Max(2, name.Length / 3) ? $"Unknown {what}. Did you mean '{nearest.Name}'?" : $"Unknown {what}";
    }

    /// <summary>Computes the Levenshtein distance of two names. A name of more than 64 characters resembles nothing.</summary>
    private static int Distance(string left, string right)
    {
        if (left.Length > 64) return int.MaxValue;
        Span<int> row = stackalloc int[right.Length + 1];
        for (var j = 0; j <= right.Length; j++) row[j] = j;
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var cost = Math.Min(diagonal + (left[i - 1] == right[j - 1] ? 0 : 1), Math.Min(row[j], row[j - 1]) + 1);
                (diagonal, row[j]) = (row[j], cost);
            }
        }

        return row[^1];
    }
}
