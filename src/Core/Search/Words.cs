using System.Text;

namespace NodeStash.Core.Search;

/// <summary>Holds a word of a text and its position.</summary>
/// <param name="Text">The word, folded (<see cref="Letters"/>), at most <see cref="Words.MaxLength"/> characters.</param>
/// <param name="Start">The position where it begins in the text, in UTF-16 code units.</param>
/// <param name="End">The position where it ends, exclusive.</param>
public readonly record struct Word(string Text, int Start, int End);

/// <summary>
/// Splits texts into words: runs of letters and digits. Everything else separates words, except an apostrophe inside a word.
/// </summary>
public static class Words
{
    /// <summary>Longest word in characters; the rest of a longer word is ignored.</summary>
    public const int MaxLength = 64;

    [ThreadStatic]
    private static StringBuilder? scratch;

    /// <summary>Returns the words of a text, folded, in order.</summary>
    public static List<Word> Of(string text)
    {
        var (words, word, start, end) = (new List<Word>(), scratch ??= new StringBuilder(), 0, 0);
        word.Clear();
        for (var i = 0; i < text.Length;)
        {
            var isValid = Rune.TryGetRuneAt(text, i, out var rune);
            var width = isValid ? rune.Utf16SequenceLength : 1;
            if (isValid && Letters.IsOfWords(rune))
            {
                if (Letters.IsWord(rune)) Close();
                if (word.Length == 0) start = i;
                Letters.Fold(rune, word);
                end = i + width;
                if (Letters.IsWord(rune)) Close();
            }
            else if (!IsInside(text, i, word.Length > 0))
            {
                Close();
            }

            i += width;
        }

        Close();
        return words;

        void Close()
        {
            if (word.Length > 0) words.Add(new Word(word.ToString(0, Math.Min(word.Length, MaxLength)), start, end));
            word.Clear();
        }
    }

    /// <summary>Folds a whole text, for values that any part of them finds. Removes spaces, quotes and invisible characters.</summary>
    public static string Whole(string text)
    {
        var folded = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.IsLetterOrDigit(rune)) Letters.Fold(rune, folded);
            else if (rune.IsAscii && rune.Value is > ' ' and not ('"' or '\'' or 0x7F)) folded.Append((char)rune.Value);
        }

        return folded.ToString();
    }

    /// <summary>Returns the digits 0 to 9 of a text, in order.</summary>
    public static string Digits(string text) => string.Concat(text.Where(char.IsAsciiDigit));

    private static bool IsInside(string text, int i, bool inWord) =>
        inWord && text[i] is '\'' or '’' or 'ʼ' && i + 1 < text.Length && Rune.TryGetRuneAt(text, i + 1, out var next) && Rune.IsLetter(next);
}
