using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace NodeStash.Core.Search.Server;

/// <summary>
/// Texts as the server gets them. They are taken apart and folded here, so that both adapters see the same words; the server compares them, ranks
/// them, and allows for typos. Each word begins with the tag of its data set: the words of a data set are mistyped for one another and for those of no
/// other, however many share the index; and a typo in the first letter, for which the server has rules of its own, is a typo like any other.
/// </summary>
internal sealed partial class ServerTerms
{
    /// <summary>Letters of a tag. The lengths from which the server allows for typos are this much above those of the words.</summary>
    public const int TagLength = 8;

    /// <summary>The server looks at no more.</summary>
    private const int MostWords = 10;

    private const int ShortestPart = 3;
    private const int FewestDigits = 5;
    private const int MostDigits = 20;
    private const int InternationalDigits = 10;

    /// <summary>A tag is of the letters of its word's script: the server parts words where the script changes.</summary>
    private static readonly string[] Alphabets = ["abcdefghijklmnopqrstuvwxyz", "αβγδεζηθικλμνξοπρστυφχψω", "абвгдежзиклмнопрстуфхцчшщъыьэюяђєіјљњћџ"];

    private readonly string[] tags;

    /// <param name="dataSet">The key of the partition.</param>
    public ServerTerms(string dataSet)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(dataSet));
        tags = [.. Alphabets.Select(letters => string.Concat(hash.Take(TagLength).Select(number => letters[number % 16])))];
    }

    /// <summary>The words of a record, by the attribute that they are searched in.</summary>
    public IReadOnlyDictionary<string, IEnumerable<string>> Of(IReadOnlyList<SearchField> fields)
    {
        var terms = ServerSettings.Searched.ToDictionary(attribute => attribute, _ => new HashSet<string>(StringComparer.Ordinal), StringComparer.Ordinal);
        foreach (var field in fields)
        {
            var words = Words.Of(field.Text).ConvertAll(word => word.Text);
            terms[ServerSettings.AttributeOf(field.As)].UnionWith(words.Select(Tagged));
            var parts = terms[ServerSettings.Parts];
            if (field.As is Searchable.Address) parts.UnionWith(words.SelectMany(word => Ends(word).Skip(1)).Select(Tagged));
            if (field.As is Searchable.Phone) parts.UnionWith(Ends(DigitsOf(field.Text)));
            foreach (Match number in Number().Matches(field.Text)) parts.UnionWith(Ends(DigitsOf(number.Value)));
        }

        return terms.ToDictionary(term => term.Key, IEnumerable<string> (term) => term.Value, StringComparer.Ordinal);
    }

    /// <summary>What is searched for, as the server gets it: words of letters and digits alone, so that nothing in it is syntax. Empty where there is no word.</summary>
    public string Query(string text)
    {
        var (words, at) = (new List<string>(), 0);
        foreach (Match match in Number().Matches(text))
        {
            // 00 and 0 stand before a number for what it begins with elsewhere.
            var digits = DigitsOf(match.Value).TrimStart('0');
            var isOne = !match.Value.AsSpan().ContainsAnyExceptInRange('0', '9');
            if (digits.Length < (isOne ? InternationalDigits - 1 : ShortestPart)) continue;
            words.AddRange(WordsOf(text[at..match.Index]));
            words.Add(digits);
            at = match.Index + match.Length;
        }

        words.AddRange(WordsOf(text[at..]));
        return string.Join(' ', words.Distinct(StringComparer.Ordinal).Take(MostWords).Select(Tagged));
    }

    private static IEnumerable<string> WordsOf(string text) => Words.Of(text).Select(word => word.Text);

    /// <summary>A word with its tag; numbers, codes and other scripts as they are, too short without a tag to be allowed typos.</summary>
    private string Tagged(string word)
    {
        if (word.AsSpan().ContainsAnyInRange('0', '9')) return word;
        var alphabet = Array.FindIndex(Alphabets, letters => letters.Contains(word[0], StringComparison.Ordinal));
        return alphabet < 0 ? word : tags[alphabet] + word;
    }

    private static IEnumerable<string> Ends(string word) => Enumerable.Range(0, Math.Max(0, word.Length - ShortestPart + 1)).Select(start => word[start..]);

    /// <summary>The digits of a phone number; "(0)" in it is not dialled from everywhere.</summary>
    private static string DigitsOf(string text) => Words.Digits(text.Replace("(0)", "", StringComparison.Ordinal)) is { Length: >= FewestDigits and <= MostDigits } digits ? digits : "";

    [GeneratedRegex(@"[0-9][0-9\s()+./-]*[0-9]")]
    private static partial Regex Number();
}
