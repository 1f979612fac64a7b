using System.Globalization;
using System.Text;
using NodeStash.Core.Records;
using NodeStash.Core.Search;

namespace NodeStash.LocalHost.Search;

/// <summary>
/// Builds the terms of the index: <c>7_jane</c> is a word, <c>7=jane@example.com</c> a whole address, and <c>7~ane@example.com</c> an ending of it, so that
/// a prefix of an ending matches inside the address. Each term begins with the number of its set, so that a search reads nothing of another set.
/// </summary>
internal static class Terms
{
    /// <summary>Maximum number of characters of an address that are indexed.</summary>
    private const int MaxWholeLength = 256;

    /// <summary>Maximum number of characters that distinguish parts.</summary>
    public const int MaxPartLength = 16;

    /// <summary>Minimum number of characters to find inside an address.</summary>
    public const int MinPartLength = 3;

    /// <summary>Maximum length of the prefixes that are indexed.</summary>
    public const int MaxPrefixLength = 2;

    private const int MinTypoLength = 3;

    public static string Word(long set, string word) => string.Create(CultureInfo.InvariantCulture, $"{set}_{word}");

    public static string Whole(long set, string whole) => string.Create(CultureInfo.InvariantCulture, $"{set}={Cut(whole)}");

    /// <summary>Builds the term of a prefix of one or two letters. It is indexed, because too many words share it to combine them in a search.</summary>
    public static string Beginning(long set, string letters) => string.Create(CultureInfo.InvariantCulture, $"{set}^{letters}");

    /// <summary>Builds the terms of all endings of a value, from the whole to its last three characters.</summary>
    public static IEnumerable<string> Ends(long set, string whole)
    {
        var cut = Cut(whole);
        for (var i = 0; i + MinPartLength <= cut.Length; i++)
        {
            if (!char.IsLowSurrogate(cut[i])) yield return Inside(set, cut[i..]);
        }
    }

    /// <summary>Builds the prefix of the endings that begin with this part, cut to the maximum length.</summary>
    public static string Inside(long set, string part) => string.Create(CultureInfo.InvariantCulture, $"{set}~{Cut(part, MaxPartLength)}");

    /// <summary>Whether typos of the word are allowed; not for numbers, codes and short words.</summary>
    public static bool MayBeMistyped(string word) => word.Length >= MinTypoLength && !word.AsSpan().ContainsAnyInRange('0', '9');

    private static string Cut(string whole, int maxLength = MaxWholeLength) =>
        whole.Length <= maxLength ? whole : whole[..(char.IsHighSurrogate(whole[maxLength - 1]) ? maxLength - 1 : maxLength)];
}

/// <summary>Collects the terms of one record, by column.</summary>
internal sealed class DocumentTerms(long set)
{
    /// <summary>Version of the terms: changes if the terms of a record change.</summary>
    public static string Format { get; } = IndexFormat.Of(fields =>
    {
        var terms = new DocumentTerms(0);
        foreach (var field in fields) terms.Add(field);
        return [terms.Name, terms.Detail, terms.Body, terms.Parts, .. terms.Words];
    });

    private readonly StringBuilder name = new();
    private readonly StringBuilder detail = new();
    private readonly StringBuilder body = new();
    private readonly StringBuilder parts = new();
    private readonly HashSet<(StringBuilder, string)> seen = [];

    public string Name => name.ToString();

    public string Detail => detail.ToString();

    public string Body => body.ToString();

    public string Parts => parts.ToString();

    /// <summary>Words of which typos are allowed.</summary>
    public HashSet<string> Words { get; } = new(StringComparer.Ordinal);

    public void Add(SearchField field)
    {
        switch (field.As)
        {
            case Searchable.Phone:
                AddNumber(field.Text);
                break;
            case Searchable.Address:
                AddWords(detail, field.Text);
                AddAddress(Core.Search.Words.Whole(field.Text));
                break;
            default:
                AddWords(field.As is Searchable.Name ? name : field.As is Searchable.Body ? body : detail, field.Text);
                break;
        }
    }

    private void AddWords(StringBuilder column, string text)
    {
        foreach (var word in Core.Search.Words.Of(text)) AddWord(column, word.Text);
    }

    private void AddWord(StringBuilder column, string word)
    {
        if (!seen.Add((column, word))) return;
        Append(column, Terms.Word(set, word));
        for (var length = 1; length <= Terms.MaxPrefixLength && length < word.Length; length++)
        {
            if (seen.Add((column, $"^{word[..length]}"))) Append(column, Terms.Beginning(set, word[..length]));
        }

        if (Terms.MayBeMistyped(word)) Words.Add(word);
    }

    private void AddAddress(string whole)
    {
        Append(detail, Terms.Whole(set, whole));
        if (whole.LastIndexOf('@') is > 0 and var at) Append(detail, Terms.Whole(set, whole[(at + 1)..]));
        AddParts(whole);

        // Add the name in jane42@…, too.
        foreach (var word in Core.Search.Words.Of(whole).Where(word => word.Text.AsSpan().ContainsAnyInRange('0', '9')))
        {
            if (word.Text.AsSpan().Trim("0123456789").ToString() is { Length: >= MinNameLength } letters && letters.All(char.IsLetter))
                AddWord(detail, letters);
        }
    }

    private const int MinNameLength = 3;

    private void AddNumber(string text)
    {
        var digits = Core.Search.Words.Digits(text);
        if (digits.Length > 0) Append(detail, Terms.Whole(set, digits));
        AddParts(digits);
        // +44 (0)20 is dialled as +44 20, and as 020.
        if (text.Contains("(0)", StringComparison.Ordinal)) AddParts(Core.Search.Words.Digits(text.Replace("(0)", "", StringComparison.Ordinal)));
    }

    private void AddParts(string whole)
    {
        foreach (var end in Terms.Ends(set, whole)) Append(parts, end);
    }

    private static void Append(StringBuilder column, string term)
    {
        if (column.Length > 0) column.Append(' ');
        column.Append(term);
    }
}
