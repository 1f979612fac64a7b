using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace NodeStash.Core.Search;

/// <summary>
/// Letters as they are searched: without case and without diacritics. A table of our own, for the process runs without the ICU library that knows
/// them all.
/// </summary>
public static class Letters
{
    /// <summary>In each group the plain letter first, then those that are searched as it.</summary>
    private const string Alike =
        """
        0０ 1¹１ 2²２ 3³３ 4４ 5５ 6６ 7７ 8８ 9９ aªàáâãäåāăąǎǟǡǻȁȃȧḁạảấầẩẫậắằẳẵặａ bƀɓḃḅḇｂ cçćĉċčḉｃ dðďđɖɗḋḍḏḑḓｄ eèéêëēĕėęěǝȅȇȩəɛḕḗḙḛḝẹẻẽếềểễệｅ fƒḟｆ
        gĝğġģǧǵḡｇ hĥħȟḣḥḧḩḫẖｈ iìíîïĩīĭįİıǐȉȋɨɩɪḭḯỉịｉ jĵǰｊ kķĸƙǩḱḳḵｋ lĺļľłɫḷḹḻḽｌ mḿṁṃｍ nñńņňŋǹɲṅṇṉṋｎ oºòóôõöøōŏőơǒǫǭǿȍȏȫȭȯȱɔṍṏṑṓọỏốồổỗộớờởỡợｏ pṕṗｐ qｑ
        rŕŗřȑȓṙṛṝṟｒ sśŝşšſșʃṡṣṥṧṩẛｓ tţťŧțṫṭṯṱẗｔ uùúûüũūŭůűųưǔǖǘǚǜȕȗʉʊṳṵṷṹṻụủứừửữựｕ vṽṿｖ wŵẁẃẅẇẉẘｗ xẋẍｘ yýÿŷƴȳẏẙỳỵỷỹｙ zźżžǯʒẑẓẕｚ
        αάἀἁἂἃἄἅἆἇὰάᾀᾁᾂᾃᾄᾅᾆᾇᾰᾱᾲᾳᾴᾶᾷ βϐ εέϵἐἑἒἓἔἕὲέ ηήἠἡἢἣἤἥἦἧὴήᾐᾑᾒᾓᾔᾕᾖᾗῂῃῄῆῇ θϑ ιΐίϊἰἱἲἳἴἵἶἷὶίιῐῑῒΐῖῗ κϰ οόὀὁὂὃὄὅὸό πϖ ρϱῤῥ σςϲ
        υΰϋύϒϓϔὐὑὒὓὔὕὖὗὺύῠῡῢΰῦῧ φϕ ωώὠὡὢὣὤὥὦὧὼώᾠᾡᾢᾣᾤᾥᾦᾧῲῳῴῶῷ аӑӓ гѓ еѐёӗ жӂӝ зӟ ийѝӣӥ кќ оӧ уўӯӱӳ чӵ ыӹ эӭ ії ѵѷ әӛ өӫ
        """;

    private static readonly FrozenDictionary<char, string> Plain = Alike.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
        .SelectMany(group => group.Skip(1).Select(letter => (Letter: letter, Plain: group[..1])))
        .Concat(new (string Plain, string Letters)[]
        {
            ("ae", "æǣǽ"), ("dz", "ǆǳ"), ("ff", "ﬀ"), ("ffi", "ﬃ"), ("ffl", "ﬄ"), ("fi", "ﬁ"), ("fl", "ﬂ"), ("ij", "ĳ"), ("lj", "ǉ"), ("nj", "ǌ"), ("oe", "œ"),
            ("ss", "ß"), ("st", "ﬅﬆ"), ("th", "þ"),
        }.SelectMany(pair => pair.Letters.Select(letter => (Letter: letter, pair.Plain))))
        .ToFrozenDictionary(pair => pair.Letter, pair => pair.Plain);

    /// <summary>Adds a letter or digit as it is searched; nothing for a diacritic that stands by itself.</summary>
    public static void Fold(Rune letter, StringBuilder text)
    {
        var lower = Rune.ToLowerInvariant(letter);
        if (lower.IsAscii) text.Append((char)lower.Value);
        else if (lower.Value is >= 0x300 and <= 0x36F) return;
        else if (lower.IsBmp && Plain.TryGetValue((char)lower.Value, out var plain)) text.Append(plain);
        else text.Append(lower.ToString());
    }

    /// <summary>Whether it makes a word, or part of one.</summary>
    public static bool IsOfWords(Rune rune) =>
        rune.IsAscii
            ? char.IsAsciiLetterOrDigit((char)rune.Value)
            : Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;

    /// <summary>Whether it is a word by itself, in scripts that put no space between words.</summary>
    public static bool IsWord(Rune rune) =>
        rune.Value is (>= 0x3040 and <= 0x30FF) or (>= 0x3400 and <= 0x9FFF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x20000 and <= 0x3FFFF);
}
