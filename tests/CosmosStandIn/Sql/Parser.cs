using System.Globalization;

namespace NodeStash.CosmosStandIn.Sql;

/// <summary>
/// Reads a query of the part of the language that is modelled; anything else is refused with 400, as the service refuses what it does not know.
/// </summary>
internal sealed class Parser
{
    /// <summary>Words that name no property after a dot and no alias.</summary>
    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "AND", "ARRAY", "AS", "ASC", "BETWEEN", "BY", "DESC", "DISTINCT", "ESCAPE", "EXISTS", "FALSE", "FROM", "GROUP", "HAVING", "IN", "JOIN", "LIKE", "LIMIT",
        "NOT", "NULL",
        "OFFSET", "OR", "ORDER", "SELECT", "TOP", "TRUE", "UDF", "UNDEFINED", "VALUE", "WHERE",
    };

    private static readonly HashSet<string> Aggregates = new(StringComparer.OrdinalIgnoreCase) { "COUNT", "SUM", "MIN", "MAX", "AVG" };

    private readonly List<Token> tokens;
    private readonly Dictionary<string, object?> parameters;
    private string source = "";
    private int at;

    private Parser(string query, Dictionary<string, object?> parameters)
    {
        tokens = Token.Read(query);
        this.parameters = parameters;
    }

    private Token Next => tokens[at];

    public static Query Read(string query, Dictionary<string, object?> parameters) => new Parser(query, parameters).ReadQuery();

    /// <summary>Reads the condition of a patch: <c>FROM c WHERE …</c>.</summary>
    public static Expression? ReadCondition(string condition)
    {
        var parser = new Parser(condition, []);
        parser.ReadSource();
        var where = parser.TakeWord("WHERE") ? parser.ReadExpression() : null;
        parser.ExpectEnd();
        return where;
    }

    private Query ReadQuery()
    {
        Expect("SELECT");
        var isDistinct = TakeWord("DISTINCT");
        var top = TakeWord("TOP") ? ReadCount() : (int?)null;

        // The names of the select clause are bound by the FROM clause behind it.
        var select = at;
        while (!IsWord("FROM"))
        {
            if (Next.Kind == TokenKind.End) throw ServiceError.NotModelled("A query without FROM");
            at++;
        }

        ReadSource();
        var afterSource = at;
        at = select;
        var projection = ReadProjection();
        if (!IsWord("FROM")) throw Token.SyntaxError(Next.Text);
        at = afterSource;

        var where = TakeWord("WHERE") ? ReadExpression() : null;
        var groupBy = TakeWords("GROUP", "BY") ? ReadList(ReadExpression) : [];
        var orderBy = TakeWords("ORDER", "BY") ? ReadList(ReadOrder) : [];
        var (offset, limit) = (0, top);
        if (TakeWord("OFFSET"))
        {
            if (top is not null) throw Token.SyntaxError("OFFSET");
            offset = ReadCount();
            Expect("LIMIT");
            limit = ReadCount();
        }

        ExpectEnd();
        if (where?.HasAggregate == true) throw ServiceError.BadRequest("An aggregate is not allowed in WHERE.");
        var query = new Query(projection, where, groupBy, orderBy, isDistinct, offset, limit);
        if (query.IsGrouped)
        {
            if (orderBy.Count > 0) throw ServiceError.NotModelled("ORDER BY with GROUP BY or an aggregate");
            EnsureGrouped(projection, groupBy);
        }

        return query;
    }

    private static void EnsureGrouped(Expression expression, IReadOnlyList<Expression> groupBy)
    {
        if (expression is Aggregate || groupBy.Any(key => key.Written == expression.Written)) return;
        if (expression is Root or Member)
        {
            throw ServiceError.BadRequest(
                $"Property reference '{expression}' is invalid in the select list because it is not contained in either an aggregate function or the "
                    + $"GROUP BY clause.");
        }

        foreach (var part in expression.Parts) EnsureGrouped(part, groupBy);
    }

    private void ReadSource()
    {
        Expect("FROM");
        source = ReadName();
        if (TakeWord("AS") || (Next.Kind == TokenKind.Word && !Reserved.Contains(Next.Text))) source = ReadName();
        if (IsWord("JOIN") || IsWord("IN") || IsSymbol(".") || IsSymbol("[")) throw ServiceError.NotModelled("A source other than the container");
    }

    private Expression ReadProjection()
    {
        if (TakeSymbol("*")) return new Root();
        if (TakeWord("VALUE")) return ReadExpression();
        var unnamed = 0;
        return new NewObject(ReadList(() =>
        {
            var expression = ReadExpression();
            var name = TakeWord("AS") || (Next.Kind == TokenKind.Word && !Reserved.Contains(Next.Text)) ? ReadName()
                : expression is Member { Key: Constant { Content: string property } } ? property
                : expression is Root ? source
                : string.Create(CultureInfo.InvariantCulture, $"${++unnamed}");
            return (name, expression);
        }));
    }

    private (Expression Key, bool Descending) ReadOrder()
    {
        var key = ReadExpression();
        if (key.Path is not { Count: > 0 })
            throw ServiceError.BadRequest("Unsupported ORDER BY clause. ORDER BY item expression could not be mapped to a document path.");
        var descending = TakeWord("DESC");
        if (!descending) TakeWord("ASC");
        return (key, descending);
    }

    private int ReadCount()
    {
        if (ReadPrimary() is Constant { Content: double number } && double.IsInteger(number) && number is >= 0 and <= int.MaxValue) return (int)number;
        throw ServiceError.BadRequest("TOP, OFFSET and LIMIT take an integer that is not negative.");
    }

    private List<T> ReadList<T>(Func<T> read)
    {
        var items = new List<T> { read() };
        while (TakeSymbol(",")) items.Add(read());
        return items;
    }

    private Expression ReadExpression()
    {
        var left = ReadAnd();
        while (TakeWord("OR")) left = new Binary("OR", left, ReadAnd());
        return left;
    }

    private Expression ReadAnd()
    {
        var left = ReadNot();
        while (TakeWord("AND")) left = new Binary("AND", left, ReadNot());
        return left;
    }

    private Expression ReadNot() => TakeWord("NOT") ? new Not(ReadNot()) : ReadComparison();

    private Expression ReadComparison()
    {
        var left = ReadOperators(0);
        while (true)
        {
            var isNegated = IsWord("NOT");
            if (isNegated) at++;
            if (TakeWord("IN"))
            {
                ExpectSymbol("(");
                left = new In(left, ReadList(ReadExpression));
                ExpectSymbol(")");
            }
            else if (TakeWord("BETWEEN"))
            {
                var low = ReadOperators(0);
                Expect("AND");
                left = new Binary("AND", new Binary(">=", left, low), new Binary("<=", left, ReadOperators(0)));
            }
            else if (isNegated || IsWord("LIKE"))
            {
                throw isNegated ? Token.SyntaxError("NOT") : ServiceError.NotModelled("LIKE");
            }
            else if (Next.Kind == TokenKind.Symbol && Next.Text is "=" or "!=" or "<>" or "<" or "<=" or ">" or ">=")
            {
                left = new Binary(tokens[at++].Text, left, ReadOperators(0));
            }
            else
            {
                return left;
            }

            if (isNegated) left = new Not(left);
        }
    }

    /// <summary>Operators by how loosely they bind: <c>??</c>, <c>||</c>, then sums, then products.</summary>
    private Expression ReadOperators(int level)
    {
        string[][] levels = [["??"], ["||"], ["+", "-"], ["*", "/", "%"]];
        if (level == levels.Length) return ReadUnary();
        var left = ReadOperators(level + 1);
        while (Next.Kind == TokenKind.Symbol && levels[level].Contains(Next.Text)) left = new Binary(tokens[at++].Text, left, ReadOperators(level + 1));
        return left;
    }

    private Expression ReadUnary()
    {
        if (!TakeSymbol("-")) return ReadMembers();
        return ReadUnary() is var operand && operand is Constant { Content: double number } ? new Constant(-number) : new Negative(operand);
    }

    private Expression ReadMembers()
    {
        var expression = ReadPrimary();
        while (true)
        {
            if (TakeSymbol("."))
            {
                expression = new Member(expression, new Constant(ReadName()));
            }
            else if (TakeSymbol("["))
            {
                expression = new Member(expression, ReadExpression());
                ExpectSymbol("]");
            }
            else
            {
                return expression;
            }
        }
    }

    private Expression ReadPrimary()
    {
        var token = tokens[at];
        if (token.Kind != TokenKind.End) at++;
        switch (token)
        {
            case { Kind: TokenKind.Number }: return new Constant(token.Number);
            case { Kind: TokenKind.Text }: return new Constant(token.Text);
            case { Kind: TokenKind.Parameter }:
                return parameters.TryGetValue(token.Text, out var value)
                    ? new Constant(value)
                    : throw ServiceError.BadRequest($"The query parameter '{token.Text}' was referenced but its value is not provided.");
            case { Kind: TokenKind.Symbol, Text: "(" }:
                if (IsWord("SELECT")) throw ServiceError.NotModelled("A subquery");
                var inner = ReadExpression();
                ExpectSymbol(")");
                return inner;
            case { Kind: TokenKind.Symbol, Text: "[" }:
                var items = IsSymbol("]") ? [] : ReadList(ReadExpression);
                ExpectSymbol("]");
                return new NewArray(items);
            case { Kind: TokenKind.Symbol, Text: "{" }:
                var members = IsSymbol("}") ? [] : ReadList(ReadMember);
                ExpectSymbol("}");
                return new NewObject(members);
            case { Kind: TokenKind.Word }: return ReadWord(token.Text);
            default: throw Token.SyntaxError(token.Text);
        }
    }

    private Expression ReadWord(string word)
    {
        if (word.Equals("null", StringComparison.OrdinalIgnoreCase)) return new Constant(null);
        if (word.Equals("true", StringComparison.OrdinalIgnoreCase)) return new Constant(true);
        if (word.Equals("false", StringComparison.OrdinalIgnoreCase)) return new Constant(false);
        if (word.Equals("undefined", StringComparison.OrdinalIgnoreCase)) return new Constant(Value.Undefined);
        if (Reserved.Contains(word)) throw word.ToUpperInvariant() is "EXISTS" or "ARRAY" or "UDF" ? ServiceError.NotModelled(word) : Token.SyntaxError(word);
        if (TakeSymbol("("))
        {
            var arguments = IsSymbol(")") ? [] : ReadList(ReadExpression);
            ExpectSymbol(")");
            if (!Aggregates.Contains(word)) return Functions.Make(word, arguments);
            return arguments is [{ HasAggregate: false } argument] ? new Aggregate(word.ToUpperInvariant(), argument) : throw Token.SyntaxError(word);
        }

        if (word == source) return new Root();
        throw ServiceError.BadRequest($$"""{"errors":[{"severity":"Error","code":"SC2001","message":"Identifier '{{word}}' could not be resolved."}]}""");
    }

    private (string Name, Expression Value) ReadMember()
    {
        var name = Next.Kind == TokenKind.Text ? tokens[at++].Text : ReadName();
        ExpectSymbol(":");
        return (name, ReadExpression());
    }

    private string ReadName()
    {
        var token = Next;
        if (token.Kind != TokenKind.Word || Reserved.Contains(token.Text)) throw Token.SyntaxError(token.Text);
        at++;
        return token.Text;
    }

    private bool IsWord(string word) => Next.Kind == TokenKind.Word && Next.Text.Equals(word, StringComparison.OrdinalIgnoreCase);

    private bool IsSymbol(string symbol) => Next.Kind == TokenKind.Symbol && Next.Text == symbol;

    private bool TakeWord(string word)
    {
        var isThere = IsWord(word);
        if (isThere) at++;
        return isThere;
    }

    private bool TakeWords(string first, string second)
    {
        if (!TakeWord(first)) return false;
        Expect(second);
        return true;
    }

    private bool TakeSymbol(string symbol)
    {
        var isThere = IsSymbol(symbol);
        if (isThere) at++;
        return isThere;
    }

    private void Expect(string word)
    {
        if (!TakeWord(word)) throw Token.SyntaxError(Next.Text);
    }

    private void ExpectSymbol(string symbol)
    {
        if (!TakeSymbol(symbol)) throw Token.SyntaxError(Next.Text);
    }

    private void ExpectEnd()
    {
        if (Next.Kind != TokenKind.End) throw Token.SyntaxError(Next.Text);
    }
}
