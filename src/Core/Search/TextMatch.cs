using System.Text;
using NodeStash.Core.Records;

namespace NodeStash.Core.Search;

/// <summary>
/// Finds a search text in the texts of a record, independently of the index. It shows why a record was found, and tells whether it still would be.
/// </summary>
public sealed class TextMatch(string text)
{
    private const int MaxWords = 12;
    private const int MinPartLength = 3;

    private readonly List<string> words = [.. Words.Of(text).Select(word => word.Text).Distinct(StringComparer.Ordinal).Take(MaxWords)];

    /// <summary>Whether every word of the search text is found in one of the texts.</summary>
    public bool IsIn(IReadOnlyList<SearchField> fields)
    {
        var parsed = fields.Select(field => (Field: field, Words: Words.Of(field.Text))).ToList();
        return words.TrueForAll(word => parsed.Exists(p => Ranges(word, p.Field, p.Words).Any()));
    }

    /// <summary>Returns the ranges of a text that match, in order and not overlapping; in UTF-16 code units, the end exclusive.</summary>
    public IReadOnlyList<(int Start, int End)> In(SearchField field)
    {
        var inField = Words.Of(field.Text);
        var merged = new List<(int Start, int End)>();
        foreach (var range in words.SelectMany(word => Ranges(word, field, inField)).Order())
        {
            if (merged.Count > 0 && range.Start <= merged[^1].End) merged[^1] = (merged[^1].Start, Math.Max(merged[^1].End, range.End));
            else merged.Add(range);
        }

        return merged;
    }

    private IEnumerable<(int Start, int End)> Ranges(string word, SearchField field, List<Word> inField)
    {
        var (isLast, typos) = (word == words[^1], Typos.Allowed(word));
        foreach (var other in inField)
        {
            if (other.Text == word || (isLast && other.Text.StartsWith(word, StringComparison.Ordinal))
                || (typos > 0 && AllowsTypos(other.Text) && Typos.Distance(word, other.Text, typos) <= typos))
                yield return (other.Start, other.End);
        }

        if (word.Length < MinPartLength) yield break;
        if (field.As is Searchable.Address && field.Text.IndexOf(word, StringComparison.OrdinalIgnoreCase) is >= 0 and var at)
            yield return (at, at + word.Length);
        if (field.As is Searchable.Phone && InDigits(word, field.Text) is { } range) yield return range;
    }

    /// <summary>Whether a mistyped word may match this one. A word with digits must match exactly.</summary>
    private static bool AllowsTypos(string word) => !word.AsSpan().ContainsAnyInRange('0', '9');

    private static (int Start, int End)? InDigits(string word, string number)
    {
        var (digits, places) = (new StringBuilder(), new List<int>());
        foreach (var (i, character) in number.Index().Where(c => char.IsAsciiDigit(c.Item)))
        {
            digits.Append(character);
            places.Add(i);
        }

        return digits.ToString().IndexOf(word, StringComparison.Ordinal) is >= 0 and var at ? (places[at], places[at + word.Length - 1] + 1) : null;
    }
}
