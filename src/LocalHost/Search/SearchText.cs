using System.Buffers;
using System.Text;
using NodeStash.Core.Search;

namespace NodeStash.LocalHost.Search;

/// <summary>What a user typed, taken apart: words, addresses and phone numbers. Nothing in it is syntax.</summary>
/// <param name="Tokens">At most <see cref="MaxWords"/>; what comes after them is not looked at.</param>
internal sealed record SearchText(IReadOnlyList<Token> Tokens)
{
    /// <summary>Bounds the work of one search.</summary>
    private const int MaxWords = 12;

    private const int MinDigits = 5;

    private static readonly SearchValues<char> OfNumbers = SearchValues.Create("0123456789+-()./");

    public static SearchText Of(string text)
    {
        var (tokens, chunks) = (new List<Token>(), Chunks(text));
        for (var i = 0; i < chunks.Count && tokens.Count < MaxWords;)
        {
            var groups = chunks.Skip(i).TakeWhile(IsOfNumber).ToList();
            if (Words.Digits(string.Concat(groups)) is { Length: >= MinDigits } digits)
            {
                tokens.Add(new Token(TokenKind.Number, digits, [.. groups.SelectMany(group => Words.Of(group)).Select(word => word.Text)]));
                i += groups.Count;
                continue;
            }

            var words = Words.Of(chunks[i]).ConvertAll(word => word.Text);
            if (words.Count > 1 && chunks[i].AsSpan().ContainsAny('@', '.')) tokens.Add(new Token(TokenKind.Address, Words.Whole(chunks[i]), words));
            else tokens.AddRange(words.Select(word => new Token(TokenKind.Word, word, [word])));
            i++;
        }

        return new SearchText([.. tokens.Take(MaxWords)]);
    }

    private static List<string> Chunks(string text)
    {
        var (chunks, chunk) = (new List<string>(), new StringBuilder());
        foreach (var rune in text.EnumerateRunes())
        {
            if (!Rune.IsWhiteSpace(rune) && !Rune.IsControl(rune)) chunk.Append(rune.ToString());
            else if (chunk.Length > 0) Close();
        }

        if (chunk.Length > 0) Close();
        return chunks;

        void Close()
        {
            chunks.Add(chunk.ToString());
            chunk.Clear();
        }
    }

    /// <summary>Digits and what stands between them in a phone number.</summary>
    private static bool IsOfNumber(string chunk) => !chunk.AsSpan().ContainsAnyExcept(OfNumbers);
}

/// <param name="Kind">What it is.</param>
/// <param name="Whole">Folded, in one piece; of a number its digits.</param>
/// <param name="Words">Its words; one for a word.</param>
internal sealed record Token(TokenKind Kind, string Whole, IReadOnlyList<string> Words);

internal enum TokenKind
{
    Word,
    Address,
    Number,
}
