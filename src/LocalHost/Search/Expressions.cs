namespace NodeStash.LocalHost.Search;

/// <summary>How near a token comes to what a record has. Each includes those before it.</summary>
internal enum Nearness
{
    /// <summary>As it is.</summary>
    Exact,

    /// <summary>The last one only begun.</summary>
    Begun,

    /// <summary>Part of an address or number.</summary>
    Part,

    /// <summary>One edit off.</summary>
    Mistyped,

    /// <summary>Two edits off.</summary>
    MistypedTwice,
}

/// <summary>The FTS5 expressions of a search in one set. Every word of the user's is a quoted string in them, with the set's number before it.</summary>
internal sealed class Expressions
{
    private static readonly string[] Columns = ["{name} : ", "{name detail} : ", ""];

    /// <summary>Of each token, by <see cref="Nearness"/>.</summary>
    private readonly List<string[]> tokens = [];

    /// <param name="text">What is searched for; at least one token.</param>
    /// <param name="set">The set.</param>
    /// <param name="vocabulary">Its words.</param>
    /// <param name="ct">Ends the comparing of words.</param>
    public Expressions(SearchText text, long set, Vocabulary vocabulary, CancellationToken ct)
    {
        foreach (var (i, token) in text.Tokens.Index()) tokens.Add(Of(token, isLast: i == text.Tokens.Count - 1, set, vocabulary, ct));
        HasAddress = text.Tokens.Any(token => token.Kind is TokenKind.Address);
        HasTypos = tokens.Exists(token => token[(int)Nearness.MistypedTwice] != token[(int)Nearness.Part]);
    }

    /// <summary>Whether a token is an address: one that is found is meant, and what resembles it is not.</summary>
    public bool HasAddress { get; }

    /// <summary>Whether the vocabulary has words that any token may be meant for.</summary>
    public bool HasTypos { get; }

    public int Tokens => tokens.Count;

    /// <summary>Records that have all tokens so near, in any column.</summary>
    public string All(Nearness nearness) => $"({string.Join(" AND ", tokens.Select(token => token[(int)nearness]))})";

    /// <summary>The same in some columns only: 0 the name, 1 the name and details, 2 all.</summary>
    public string All(Nearness nearness, int columns) => Columns[columns] + All(nearness);

    /// <summary>Records that have one token so near; null where that says no more than that they have it at all.</summary>
    public string? One(int token, Nearness nearness) =>
        tokens[token][(int)nearness] is var near && near == tokens[token][(int)Nearness.MistypedTwice] ? null : near;

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
        var begun = token.Kind switch
        {
            TokenKind.Address => Or([exact, joined, .. isLast ? [exact + "*"] : Array.Empty<string>()]),
            _ when !isLast => exact,
            TokenKind.Word when token.Whole.Length <= Terms.MaxPrefixLength => Or([words[0], Quoted(Terms.Beginning(set, token.Whole))]),
            TokenKind.Word => words[0] + "*",
            _ => Or([And([.. words.SkipLast(1), words[^1] + "*"]), Quoted(Terms.Whole(set, token.Whole)) + "*"]),
        };
        var part = Or([begun, .. Parts(token, set)]);
        if (token.Kind is TokenKind.Number) return [exact, begun, part, part, part];

        var variants = token.Words.Select(word => vocabulary.Variants(word, ct)).ToList();
        if (variants.TrueForAll(v => v.One.Count + v.Two.Count == 0)) return [exact, begun, part, part, part];
        var once = Or([part, And([.. words.Select((word, i) => Or([word, .. variants[i].One.Select(Named)]))])]);
        var twice = variants.TrueForAll(v => v.Two.Count == 0) ? once
            : Or([part, And([.. words.Select((word, i) => Or([word, .. variants[i].One.Select(Named), .. variants[i].Two.Select(Named)]))])]);
        return [exact, begun, part, once, twice];

        string Named(string word) => Quoted(Terms.Word(set, word));
    }

    private static IEnumerable<string> Parts(Token token, long set)
    {
        // A number may be dialled with what the stored one has not: 00 for +, and the 0 before an area code.
        var plain = token.Kind is TokenKind.Number && token.Whole.StartsWith("00", StringComparison.Ordinal) ? token.Whole[2..] : token.Whole;
        string[] forms = token.Kind is TokenKind.Number && plain.StartsWith('0') ? [plain, plain[1..]] : [plain];
        foreach (var form in forms.Where(form => form.Length >= Terms.MinPartLength)) yield return Inside(form);

        // A long part is told by how it begins and how it ends.
        string Inside(string part) => part.Length <= Terms.MaxPartLength ? One(part) : And([One(part), One(part[^Terms.MaxPartLength..])]);

        string One(string part) => $"parts : {Quoted(Terms.Inside(set, part))}*";
    }

    private static string And(IReadOnlyList<string> inner) => inner.Count == 1 ? inner[0] : $"({string.Join(" AND ", inner)})";

    private static string Or(IReadOnlyList<string> inner) => inner.Count == 1 ? inner[0] : $"({string.Join(" OR ", inner)})";

    private static string Quoted(string terms) => $"\"{terms.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
