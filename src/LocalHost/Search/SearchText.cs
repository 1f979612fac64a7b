using System.Buffers;
using System.Text;
using NodeStash.Core.Search;

namespace NodeStash.LocalHost.Search;

/// <summary>Splits a search text into words, addresses and phone numbers. No character is syntax.</summary>
/// <param name="Tokens">The tokens, at most <see cref="MaxWords"/>; later ones are ignored.</param>
internal sealed record SearchText(IReadOnlyList<Token> Tokens)
{
    /// <summary>Maximum number of tokens, to limit the work of a search.</summary>
    private const int MaxWords = 12;

    private const int MinDigits = 5;

    private static readonly SearchValues<char> PhoneCharacters = SearchValues.Create("0123456789+-()./");

    public static SearchText Of(string text)
    {
        var (tokens, chunks) = (new List<Token>(), Chunks(text));
        for (var i = 0; i < chunks.Count && tokens.Count < MaxWords;)
        {
            var groups = chunks.Skip(i).TakeWhile(IsPhonePart).ToList();
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

    /// <summary>Whether a chunk consists of characters of phone numbers.</summary>
    private static bool IsPhonePart(string chunk) => !chunk.AsSpan().ContainsAnyExcept(PhoneCharacters);
}

/// <summary>Token of a search text.</summary>
/// <param name="Kind">The kind of token.</param>
/// <param name="Whole">The folded token in one piece; for a number, its digits.</param>
/// <param name="Words">The words of the token; one for a word.</param>
internal sealed record Token(TokenKind Kind, string Whole, IReadOnlyList<string> Words);

internal enum TokenKind
{
    Word,
    Address,
    Number,
}
