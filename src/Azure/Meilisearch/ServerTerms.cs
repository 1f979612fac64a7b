using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using NodeStash.Core.Records;
using NodeStash.Core.Search;

namespace NodeStash.Azure.Meilisearch;

/// <summary>
/// Splits and folds texts into words for the server, so that both adapters use the same words. The server compares them, ranks them and allows for typos.
/// Each word begins with a tag of its partition, so a typo can only match words of the same partition, however many share the index. It also makes a typo
/// in the first letter, for which the server has rules of its own, a typo like any other. There are three kinds of tags: for words; for words with digits,
/// which are never mistyped; and for prefixes, because the server completes a prefix with at most a thousand words, and one or two letters can begin more.
/// </summary>
internal sealed partial class ServerTerms
{
    /// <summary>Number of letters in a tag. The minimum lengths for typos are longer by this number.</summary>
    public const int TagLength = 8;

    /// <summary>Maximum number of words in a query that the server uses.</summary>
    private const int MaxWords = 10;

    private const int MaxPrefixLength = 2;
    private const int MinPartLength = 3;
    private const int MinDigits = 5;
    private const int MaxDigits = 20;
    private const int InternationalDigits = 10;

    /// <summary>Letters for tags, by script. A tag uses the script of its word, because the server splits words where the script changes.</summary>
    private static readonly string[] Alphabets = [
        "abcdefghijklmnopqrstuvwxyz0123456789", "αβγδεζηθικλμνξοπρστυφχψω", "абвгдежзиклмнопрстуфхцчшщъыьэюяђєіјљњћџ"];

    /// <summary>Version of the terms: changes if the terms of a record change.</summary>
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

    /// <summary>Lists the words of a record by search attribute.</summary>
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
    /// Converts a search text to a query for the server. It has only letters and digits, so nothing in it is syntax. Empty if the text has no word.
    /// </summary>
    public string Query(string text)
    {
        var (words, at) = (new List<string>(), 0);
        foreach (Match match in Number().Matches(text))
        {
            // Drop the dialling prefixes 00 and 0, which a stored number may lack.
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

    /// <summary>Adds the tag to a word. A word of another script stays as it is, too short for the server to allow typos.</summary>
    private static string With(string[] tags, string word)
    {
        var alphabet = Array.FindIndex(Alphabets, letters => letters.Contains(word[0], StringComparison.Ordinal));
        return alphabet < 0 ? word : tags[alphabet] + word;
    }

    private static bool HasDigit(string word) => word.AsSpan().ContainsAnyInRange('0', '9');

    /// <summary>Returns the letters before the first digit of a word, because users may search for them; null for none.</summary>
    private static string? LettersBefore(string word) => word.AsSpan().IndexOfAnyInRange('0', '9') is > 0 and var digit ? word[..digit] : null;

    private static IEnumerable<string> Ends(string word) => Enumerable.Range(0, Math.Max(0, word.Length - MinPartLength + 1)).Select(start => word[start..]);

    /// <summary>Returns the digits of a phone number without "(0)", which is not dialled from everywhere.</summary>
    private static string DigitsOf(string text) =>
        Words.Digits(text.Replace("(0)", "", StringComparison.Ordinal)) is { Length: >= MinDigits and <= MaxDigits } digits ? digits : "";

    [GeneratedRegex(@"[0-9][0-9\s()+./-]*[0-9]", RegexOptions.None, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Number();
}
