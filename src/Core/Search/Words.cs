using System.Text;

namespace NodeStash.Core.Search;

/// <summary>A word of a text.</summary>
/// <param name="Text">As it is searched (<see cref="Letters"/>), at most <see cref="Words.MaxLength"/> characters.</param>
/// <param name="Start">Where it begins in the text, in UTF-16 code units.</param>
/// <param name="End">Where it ends, exclusive.</param>
public readonly record struct Word(string Text, int Start, int End);

/// <summary>
/// Takes texts apart: runs of letters and digits are words, whatever else there is stands between them. An apostrophe inside a word does not part it.
/// </summary>
public static class Words
{
    /// <summary>Characters of a word; what goes beyond is not looked at.</summary>
    public const int MaxLength = 64;

    [ThreadStatic]
    private static StringBuilder? scratch;

    /// <summary>The words, in order.</summary>
    public static List<Word> Of(string text)
    {
        var (words, word, start, end) = (new List<Word>(), scratch ??= new StringBuilder(), 0, 0);
        word.Clear();
        for (var i = 0; i < text.Length;)
        {
            var sound = Rune.TryGetRuneAt(text, i, out var rune);
            var width = sound ? rune.Utf16SequenceLength : 1;
            if (sound && Letters.IsOfWords(rune))
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

    /// <summary>A text folded whole, without spaces, quotes and what can't be seen: for values that are searched by any part of them.</summary>
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

    /// <summary>The digits 0 to 9 of a text, in order.</summary>
    public static string Digits(string text) => string.Concat(text.Where(char.IsAsciiDigit));

    private static bool IsInside(string text, int i, bool inWord) =>
        inWord && text[i] is '\'' or '’' or 'ʼ' && i + 1 < text.Length && Rune.TryGetRuneAt(text, i + 1, out var next) && Rune.IsLetter(next);
}
