namespace NodeStash.Core.Values;

/// <summary>Says what is not known, and which known name is nearest.</summary>
public static class Suggestion
{
    /// <returns>E.g. <c>Unknown field. Did you mean 'email'?</c></returns>
    public static string Unknown(string what, string name, IEnumerable<string> known)
    {
        var nearest = known.Select(k => (Name: k, Distance: Distance(name, k))).DefaultIfEmpty((Name: "", Distance: int.MaxValue)).MinBy(k => k.Distance);
        return nearest.Distance <= Math.Max(2, name.Length / 3) ? $"Unknown {what}. Did you mean '{nearest.Name}'?" : $"Unknown {what}";
    }

    /// <summary>Levenshtein distance; long names are cut, they resemble nothing anyway.</summary>
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
