using System.Globalization;
using System.Text;

namespace NodeStash.CosmosStandIn.Sql;

internal enum TokenKind
{
    Word,
    Parameter,
    Number,
    Text,
    Symbol,
    End,
}

/// <param name="Kind">What it is.</param>
/// <param name="Text">The word, the name with its @, the symbol, or the content of a string literal.</param>
/// <param name="Number">The value of a number.</param>
internal sealed record Token(TokenKind Kind, string Text, double Number = 0)
{
    private static readonly string[] Symbols = [
        "!=", "<>", "<=", ">=", "??", "||", "(", ")", "[", "]", "{", "}", ",", ".", ":", "*", "=", "<", ">", "+", "-", "/", "%"];

    public static List<Token> Read(string query)
    {
        var tokens = new List<Token>();
        for (var at = 0; at < query.Length;)
        {
            var first = query[at];
            if (char.IsWhiteSpace(first))
            {
                at++;
            }
            else if (char.IsAsciiLetter(first) || first is '_' or '@')
            {
                var end = at + 1;
                while (end < query.Length && (char.IsAsciiLetterOrDigit(query[end]) || query[end] == '_')) end++;
                tokens.Add(new Token(first == '@' ? TokenKind.Parameter : TokenKind.Word, query[at..end]));
                at = end;
            }
            else if (char.IsAsciiDigit(first))
            {
                var end = at + 1;
                while (end < query.Length
                    && (char.IsAsciiLetterOrDigit(query[end]) || query[end] == '.' || (query[end] is '+' or '-' && query[end - 1] is 'e' or 'E'))) end++;
                if (!double.TryParse(query[at..end], NumberStyles.Float, CultureInfo.InvariantCulture, out var number)) throw SyntaxError(query[at..end]);
                tokens.Add(new Token(TokenKind.Number, query[at..end], number));
                at = end;
            }
            else if (first is '\'' or '"')
            {
                tokens.Add(new Token(TokenKind.Text, Literal(query, ref at)));
            }
            else
            {
                var rest = query.AsSpan(at);
                string? symbol = null;
                foreach (var candidate in Symbols)
                {
                    if (!rest.StartsWith(candidate, StringComparison.Ordinal)) continue;
                    symbol = candidate;
                    break;
                }

                if (symbol is null) throw SyntaxError(first.ToString());
                tokens.Add(new Token(TokenKind.Symbol, symbol));
                at += symbol.Length;
            }
        }

        tokens.Add(new Token(TokenKind.End, "<EOF>"));
        return tokens;
    }

    public static ServiceError SyntaxError(string near) =>
        ServiceError.BadRequest($$"""{"errors":[{"severity":"Error","code":"SC1001","message":"Syntax error, incorrect syntax near '{{near}}'."}]}""");

    /// <summary>Escapes are those of JSON, and a backslash before either quote.</summary>
    private static string Literal(string query, ref int at)
    {
        var start = at;
        var quote = query[at++];
        var text = new StringBuilder();
        for (; at < query.Length; at++)
        {
            if (query[at] == quote)
            {
                at++;
                return text.ToString();
            }

            if (query[at] != '\\')
            {
                text.Append(query[at]);
                continue;
            }

            if (++at == query.Length) break;
            switch (query[at])
            {
                case 'n': text.Append('\n'); break;
                case 't': text.Append('\t'); break;
                case 'r': text.Append('\r'); break;
                case 'b': text.Append('\b'); break;
                case 'f': text.Append('\f'); break;
                case 'u' when at + 4 < query.Length
                    && ushort.TryParse(query.AsSpan(at + 1, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var code):
                    text.Append((char)code);
                    at += 4;
                    break;
                case '\\' or '/' or '\'' or '"': text.Append(query[at]); break;
                default: throw SyntaxError(query[start..]);
            }
        }

        throw SyntaxError(query[start..]);
    }
}
