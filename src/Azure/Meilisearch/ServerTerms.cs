using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using NodeStash.Core.Records;
using NodeStash.Core.Search;

namespace NodeStash.Azure.Meilisearch;

/// <summary>
/// Texts as the server gets them. They are taken apart and folded here, so that both adapters see the same words; the server compares them, ranks
/// them, and allows for typos. Each word begins with the tag of its partition: the words of a partition are mistyped for one another and for those of no
/// other, however many share the index; and a typo in the first letter, for which the server has rules of its own, is a typo like any other.
/// There are three tags: of words; of words with digits, which are never mistyped; and of beginnings, for the server completes one with a thousand
/// words at most, and one or two letters may begin more.
/// </summary>
internal sealed partial class ServerTerms
{
    /// <summary>Letters of a tag. The lengths from which the server allows for typos are this much above those of the words.</summary>
    public const int TagLength = 8;

    /// <summary>The server looks at no more.</summary>
    private const int MaxWords = 10;

    private const int MaxPrefixLength = 2;
    private const int MinPartLength = 3;
    private const int MinDigits = 5;
    private const int MaxDigits = 20;
    private const int InternationalDigits = 10;

    /// <summary>A tag is of the letters of its word's script: the server parts words where the script changes.</summary>
    private static readonly string[] Alphabets = [
        "abcdefghijklmnopqrstuvwxyz0123456789", "αβγδεζηθικλμνξοπρστυφχψω", "абвгдежзиклмнопрстуфхцчшщъыьэюяђєіјљњћџ"];

    /// <summary>Differs where the terms of a record would be others than they were.</summary>
    public static string Format { get; } =
        IndexFormat.Of(fields => new ServerTerms("an example").Of(fields).SelectMany(terms => terms.Value.Prepend(terms.Key)));

    private readonly string[] wordTags, codeTags, beginningTags;

    /// <param name="dataSet">The key of the partition.</param>
    public ServerTerms(string dataSet)
    {
        (wordTags, codeTags, beginningTags) = (Tags("word"), Tags("code"), Tags("beginning"));

        string[] Tags(string kind)
        {
            var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{kind} {dataSet}"));
            return [.. Alphabets.Select(letters => string.Concat(hash.Take(TagLength).Select(number => letters[number % 16])))];
        }
    }

    /// <summary>The words of a record, by the attribute that they are searched in.</summary>
    public IReadOnlyDictionary<string, IEnumerable<string>> Of(IReadOnlyList<SearchField> fields)
    {
        var terms = ServerSettings.Searched.ToDictionary(attribute => attribute, _ => new HashSet<string>(StringComparer.Ordinal), StringComparer.Ordinal);
        var (codes, beginnings, parts) = (terms[ServerSettings.Codes], terms[ServerSettings.Beginnings], terms[ServerSettings.Parts]);
        foreach (var field in fields)
        {
            var inField = terms[ServerSettings.AttributeOf(field.As)];
            foreach (var word in Words.Of(field.Text).Select(word => word.Text))
            {
                (HasDigit(word) ? codes : inField).Add(Tagged(word));
                if (LettersBefore(word) is { } letters) beginnings.Add(Tagged(letters));
                for (var length = 1; length <= Math.Min(
                    MaxPrefixLength, word.Length); length++) (length == word.Length ? inField : beginnings).Add(Beginning(word[..length]));
                if (field.As is not Searchable.Address) continue;
                foreach (var end in Ends(word).Skip(1)) parts.UnionWith(LettersBefore(end) is { } few ? [Tagged(end), Tagged(few)] : [Tagged(end)]);
            }

            if (field.As is Searchable.Phone) parts.UnionWith(Ends(DigitsOf(field.Text)).Select(Tagged));
            foreach (Match number in Number().Matches(field.Text)) parts.UnionWith(Ends(DigitsOf(number.Value)).Select(Tagged));
        }

        return terms.ToDictionary(term => term.Key, IEnumerable<string> (term) => term.Value, StringComparer.Ordinal);
    }

    /// <summary>
    /// What is searched for, as the server gets it: words of letters and digits alone, so that nothing in it is syntax. Empty where there is no word.
    /// </summary>
    public string Query(string text)
    {
        var (words, at) = (new List<string>(), 0);
        foreach (Match match in Number().Matches(text))
        {
            // 00 and 0 stand before a number for what it begins with elsewhere.
            var digits = DigitsOf(match.Value).TrimStart('0');
            var isOne = !match.Value.AsSpan().ContainsAnyExceptInRange('0', '9');
            if (digits.Length < (isOne ? InternationalDigits - 1 : MinPartLength)) continue;
            words.AddRange(WordsOf(text[at..match.Index]));
            words.Add(digits);
            at = match.Index + match.Length;
        }

        words.AddRange(WordsOf(text[at..]));
        List<string> looked = [.. words.Distinct(StringComparer.Ordinal).Take(MaxWords)];
        return string.Join(' ', looked.Select((word, i) => i == looked.Count - 1 && word.Length <= MaxPrefixLength ? Beginning(word) : Tagged(word)));
    }

    private static IEnumerable<string> WordsOf(string text) => Words.Of(text).Select(word => word.Text);

    private string Tagged(string word) => With(HasDigit(word) ? codeTags : wordTags, word);

    private string Beginning(string letters) => With(beginningTags, letters);

    /// <summary>A word with its tag; of a script that has none as it is, too short for the server to allow typos.</summary>
    private static string With(string[] tags, string word)
    {
        var alphabet = Array.FindIndex(Alphabets, letters => letters.Contains(word[0], StringComparison.Ordinal));
        return alphabet < 0 ? word : tags[alphabet] + word;
    }

    private static bool HasDigit(string word) => word.AsSpan().ContainsAnyInRange('0', '9');

    /// <summary>The letters that a word with digits begins with, which may be what is searched for; null where it does not.</summary>
    private static string? LettersBefore(string word) => word.AsSpan().IndexOfAnyInRange('0', '9') is > 0 and var digit ? word[..digit] : null;

    private static IEnumerable<string> Ends(string word) => Enumerable.Range(0, Math.Max(0, word.Length - MinPartLength + 1)).Select(start => word[start..]);

    /// <summary>The digits of a phone number; "(0)" in it is not dialled from everywhere.</summary>
    private static string DigitsOf(string text) =>
        Words.Digits(text.Replace("(0)", "", StringComparison.Ordinal)) is { Length: >= MinDigits and <= MaxDigits } digits ? digits : "";

    [GeneratedRegex(@"[0-9][0-9\s()+./-]*[0-9]", RegexOptions.None, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Number();
}
