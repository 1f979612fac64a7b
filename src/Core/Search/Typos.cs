namespace NodeStash.Core.Search;

/// <summary>How far a word may be from another and still be meant. An edit is a letter too many, too few, another one, or two that changed places.</summary>
public static class Typos
{
    private const int OneFrom = 4;
    private const int TwoFrom = 8;

    /// <summary>
    /// The edits a word of a query may be off: none below 4 letters, one from 4, two from 8. A word with a digit is a number or a code: none.
    /// </summary>
    public static int Allowed(string word) => word.Length < OneFrom || word.AsSpan().ContainsAnyInRange('0', '9') ? 0 : word.Length < TwoFrom ? 1 : 2;

    /// <summary>The edits from one word to the other (optimal string alignment); anything above <paramref name="max"/> where there are more.</summary>
    public static int Distance(ReadOnlySpan<char> left, ReadOnlySpan<char> right, int max)
    {
        if (Math.Abs(left.Length - right.Length) > max) return max + 1;
        Span<int> before = stackalloc int[right.Length + 1], last = stackalloc int[right.Length + 1], row = stackalloc int[right.Length + 1];
        for (var j = 0; j <= right.Length; j++) last[j] = j;
        for (var i = 1; i <= left.Length; i++)
        {
            row[0] = i;
            var min = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var cost = Math.Min(last[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1), Math.Min(last[j], row[j - 1]) + 1);
                if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1]) cost = Math.Min(cost, before[j - 2] + 1);
                row[j] = cost;
                min = Math.Min(min, cost);
            }

            if (min > max) return max + 1;
            var free = before;
            before = last;
            last = row;
            row = free;
        }

        return last[right.Length];
    }
}
