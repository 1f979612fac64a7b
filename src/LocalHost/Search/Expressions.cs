namespace NodeStash.LocalHost.Search;

/// <summary>How well a token matches a record. Each level includes those before it.</summary>
internal enum MatchLevel
{
    /// <summary>Exact match.</summary>
    Exact,

    /// <summary>Prefix match, of the last token only.</summary>
    Prefix,

    /// <summary>Match inside an address or number.</summary>
    Partial,

    /// <summary>Match with one typo.</summary>
    Mistyped,

    /// <summary>Match with two typos.</summary>
    MistypedTwice,
}

/// <summary>Builds the FTS5 expressions of a search in one set. Every word of the user is a quoted string that begins with the number of the set.</summary>
internal sealed class Expressions
{
    private static readonly string[] Columns = ["{name} : ", "{name detail} : ", ""];

    /// <summary>Expressions of each token, by <see cref="MatchLevel"/>.</summary>
    private readonly List<string[]> tokens = [];

    /// <param name="text">The search text; at least one token.</param>
    /// <param name="set">The number of the set.</param>
    /// <param name="vocabulary">The words of the set.</param>
    /// <param name="ct">Cancels the search for typos.</param>
    public Expressions(SearchText text, long set, Vocabulary vocabulary, CancellationToken ct)
    {
        foreach (var (i, token) in text.Tokens.Index()) tokens.Add(Of(token, isLast: i == text.Tokens.Count - 1, set, vocabulary, ct));
        HasAddress = text.Tokens.Any(token => token.Kind is TokenKind.Address);
        HasTypos = tokens.Exists(token => token[(int)MatchLevel.MistypedTwice] != token[(int)MatchLevel.Partial]);
    }

    /// <summary>Whether a token is an address. If the address is found, similar ones are not searched.</summary>
    public bool HasAddress { get; }

    /// <summary>Whether the vocabulary has words that a token may be a typo of.</summary>
    public bool HasTypos { get; }

    public int Tokens => tokens.Count;

    /// <summary>Matches records that have all tokens at this level, in any column.</summary>
    public string All(MatchLevel level) => $"({string.Join(" AND ", tokens.Select(token => token[(int)level]))})";

    /// <summary>Matches records in some columns only: 0 name, 1 name and details, 2 all.</summary>
    public string All(MatchLevel level, int columns) => Columns[columns] + All(level);

    /// <summary>Matches records that have one token at this level; null if that is the same as the weakest level.</summary>
    public string? One(int token, MatchLevel level) =>
        tokens[token][(int)level] is var near && near == tokens[token][(int)MatchLevel.MistypedTwice] ? null : near;

    private static string[] Of(Token token, bool isLast, long set, Vocabulary vocabulary, CancellationToken ct)
    {
        var words = token.Words.Select(word => Quoted(Terms.Word(set, word))).ToList();
        var joined = And(words);
        var exact = token.Kind switch
        {
            TokenKind.Word => joined,
            TokenKind.Address => Quoted(Terms.Whole(set, token.Whole)),
            _ => Or([joined, Quoted(Terms.Whole(set, token.Whole))]),
        };
        var prefix = token.Kind switch
        {
            TokenKind.Address => Or([exact, joined, .. isLast ? [exact + "*"] : Array.Empty<string>()]),
            _ when !isLast => exact,
            TokenKind.Word when token.Whole.Length <= Terms.MaxPrefixLength => Or([words[0], Quoted(Terms.Beginning(set, token.Whole))]),
            TokenKind.Word => words[0] + "*",
            _ => Or([And([.. words.SkipLast(1), words[^1] + "*"]), Quoted(Terms.Whole(set, token.Whole)) + "*"]),
        };
        var part = Or([prefix, .. Parts(token, set)]);
        if (token.Kind is TokenKind.Number) return [exact, prefix, part, part, part];

        var variants = token.Words.Select(word => vocabulary.Variants(word, ct)).ToList();
        if (variants.TrueForAll(v => v.One.Count + v.Two.Count == 0)) return [exact, prefix, part, part, part];
        var once = Or([part, And([.. words.Select((word, i) => Or([word, .. variants[i].One.Select(Named)]))])]);
        var twice = variants.TrueForAll(v => v.Two.Count == 0) ? once
            : Or([part, And([.. words.Select((word, i) => Or([word, .. variants[i].One.Select(Named), .. variants[i].Two.Select(Named)]))])]);
        return [exact, prefix, part, once, twice];

        string Named(string word) => Quoted(Terms.Word(set, word));
    }

    private static IEnumerable<string> Parts(Token token, long set)
    {
        // A dialled number may have a prefix that the stored one lacks: 00 for +, or the 0 before an area code.
        var plain = token.Kind is TokenKind.Number && token.Whole.StartsWith("00", StringComparison.Ordinal) ? token.Whole[2..] : token.Whole;
        string[] forms = token.Kind is TokenKind.Number && plain.StartsWith('0') ? [plain, plain[1..]] : [plain];
        foreach (var form in forms.Where(form => form.Length >= Terms.MinPartLength)) yield return Inside(form);

        // A long part is matched by its beginning and its end.
        string Inside(string part) => part.Length <= Terms.MaxPartLength ? One(part) : And([One(part), One(part[^Terms.MaxPartLength..])]);

        string One(string part) => $"parts : {Quoted(Terms.Inside(set, part))}*";
    }

    private static string And(IReadOnlyList<string> inner) => inner.Count == 1 ? inner[0] : $"({string.Join(" AND ", inner)})";

    private static string Or(IReadOnlyList<string> inner) => inner.Count == 1 ? inner[0] : $"({string.Join(" OR ", inner)})";

    private static string Quoted(string terms) => $"\"{terms.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
