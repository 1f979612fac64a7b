using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace NodeStash.Core.Search;

/// <summary>
/// Folds letters for search: removes case and diacritics. It has a table of its own, because the process runs without the ICU library, which would
/// know them all.
/// </summary>
public static class Letters
{
    /// <summary>Groups of letters that fold to one: the plain letter first, then its variants.</summary>
    private const string Groups =
        """
        0０ 1¹１ 2²２ 3³３ 4４ 5５ 6６ 7７ 8８ 9９ aªàáâãäåāăąǎǟǡǻȁȃȧḁạảấầẩẫậắằẳẵặａ bƀɓḃḅḇｂ cçćĉċčḉｃ dðďđɖɗḋḍḏḑḓｄ eèéêëēĕėęěǝȅȇȩəɛḕḗḙḛḝẹẻẽếềểễệｅ fƒḟｆ
        gĝğġģǧǵḡｇ hĥħȟḣḥḧḩḫẖｈ iìíîïĩīĭįİıǐȉȋɨɩɪḭḯỉịｉ jĵǰｊ kķĸƙǩḱḳḵｋ lĺļľłɫḷḹḻḽｌ mḿṁṃｍ nñńņňŋǹɲṅṇṉṋｎ oºòóôõöøōŏőơǒǫǭǿȍȏȫȭȯȱɔṍṏṑṓọỏốồổỗộớờởỡợｏ pṕṗｐ qｑ
        rŕŗřȑȓṙṛṝṟｒ sśŝşšſșʃṡṣṥṧṩẛｓ tţťŧțṫṭṯṱẗｔ uùúûüũūŭůűųưǔǖǘǚǜȕȗʉʊṳṵṷṹṻụủứừửữựｕ vṽṿｖ wŵẁẃẅẇẉẘｗ xẋẍｘ yýÿŷƴȳẏẙỳỵỷỹｙ zźżžǯʒẑẓẕｚ
        αάἀἁἂἃἄἅἆἇὰάᾀᾁᾂᾃᾄᾅᾆᾇᾰᾱᾲᾳᾴᾶᾷ βϐ εέϵἐἑἒἓἔἕὲέ ηήἠἡἢἣἤἥἦἧὴήᾐᾑᾒᾓᾔᾕᾖᾗῂῃῄῆῇ θϑ ιΐίϊἰἱἲἳἴἵἶἷὶίιῐῑῒΐῖῗ κϰ οόὀὁὂὃὄὅὸό πϖ ρϱῤῥ σςϲ
        υΰϋύϒϓϔὐὑὒὓὔὕὖὗὺύῠῡῢΰῦῧ φϕ ωώὠὡὢὣὤὥὦὧὼώᾠᾡᾢᾣᾤᾥᾦᾧῲῳῴῶῷ аӑӓ гѓ еѐёӗ жӂӝ зӟ ийѝӣӥ кќ оӧ уўӯӱӳ чӵ ыӹ эӭ ії ѵѷ әӛ өӫ
        """;

    private static readonly FrozenDictionary<char, string> Plain = Groups.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
        .SelectMany(group => group.Skip(1).Select(letter => (Letter: letter, Plain: group[..1])))
        .Concat(new (string Plain, string Letters)[]
        {
            ("ae", "æǣǽ"), ("dz", "ǆǳ"), ("ff", "ﬀ"), ("ffi", "ﬃ"), ("ffl", "ﬄ"), ("fi", "ﬁ"), ("fl", "ﬂ"), ("ij", "ĳ"), ("lj", "ǉ"), ("nj", "ǌ"), ("oe", "œ"),
            ("ss", "ß"), ("st", "ﬅﬆ"), ("th", "þ"),
        }.SelectMany(pair => pair.Letters.Select(letter => (Letter: letter, pair.Plain))))
        .ToFrozenDictionary(pair => pair.Letter, pair => pair.Plain);

    /// <summary>Appends a letter or digit, folded, to a text. Appends nothing for a combining diacritic.</summary>
    public static void Fold(Rune letter, StringBuilder text)
    {
        var lower = Rune.ToLowerInvariant(letter);
        if (lower.IsAscii) text.Append((char)lower.Value);
        else if (lower.Value is >= 0x300 and <= 0x36F) return;
        else if (lower.IsBmp && Plain.TryGetValue((char)lower.Value, out var plain)) text.Append(plain);
        else text.Append(lower.ToString());
    }

    /// <summary>Whether a character belongs to a word: a letter, digit or mark.</summary>
    public static bool IsOfWords(Rune rune) =>
        rune.IsAscii
            ? char.IsAsciiLetterOrDigit((char)rune.Value)
            : Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;

    /// <summary>Whether a character is a word by itself: in scripts without spaces between words, such as Chinese and Japanese.</summary>
    public static bool IsWord(Rune rune) =>
        rune.Value is (>= 0x3040 and <= 0x30FF) or (>= 0x3400 and <= 0x9FFF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x20000 and <= 0x3FFFF);
}
