namespace NodeStash.Core.Search;

/// <summary>Decides how many typos a search tolerates. A typo is a letter too many, too few or wrong, or two letters swapped.</summary>
public static class Typos
{
    private const int MinLengthForOne = 4;
    private const int MinLengthForTwo = 8;

    /// <summary>
    /// Returns the typos tolerated in a word: none below 4 letters, 1 from 4, 2 from 8. None in a word with a digit, which is a number or a code.
    /// </summary>
    public static int Allowed(string word) =>
        word.Length < MinLengthForOne || word.AsSpan().ContainsAnyInRange('0', '9') ? 0 : word.Length < MinLengthForTwo ? 1 : 2;

    /// <summary>Counts the typos between two words (optimal string alignment). Returns any number above <paramref name="max"/> if there are more.</summary>
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
