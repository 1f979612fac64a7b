namespace NodeStash.CosmosStandIn.Sql;

/// <param name="Document">What the expression is evaluated on; of a group, one of its documents.</param>
/// <param name="Group">The documents of the group, where there is one.</param>
internal sealed record Row(JsonObject Document, IReadOnlyList<JsonObject>? Group = null);

internal abstract record Expression
{
    /// <summary>Whether a value over several documents is computed in it.</summary>
    public bool HasAggregate => this is Aggregate || Parts.Any(part => part.HasAggregate);

    public virtual IEnumerable<Expression> Parts => [];

    /// <summary>The property it names, as a path from the document's root; null where it is something else.</summary>
    public virtual IReadOnlyList<string>? Path => null;

    public abstract object? Evaluate(Row row);

    /// <summary>Two expressions are the same if they are written the same.</summary>
    public sealed override string ToString() => Written;

    public abstract string Written { get; }
}

internal sealed record Constant(object? Content) : Expression
{
    public override string Written => Value.IsDefined(Content) ? Json.Text(Content) : "undefined";

    public override object? Evaluate(Row row) => Content;
}

internal sealed record Root : Expression
{
    public override string Written => "$";

    public override IReadOnlyList<string> Path => [];

    public override object Evaluate(Row row) => row.Document;
}

internal sealed record Member(Expression Of, Expression Key) : Expression
{
    public override string Written => $"{Of.Written}[{Key.Written}]";

    public override IEnumerable<Expression> Parts => [Of, Key];

    public override IReadOnlyList<string>? Path => Of.Path is { } path && Key is Constant { Content: string name } ? [.. path, name] : null;

    public override object? Evaluate(Row row) => (Of.Evaluate(row), Key.Evaluate(row)) switch
    {
        (JsonObject members, string name) when members.TryGetValue(name, out var value) => value,
        (JsonArray items, double index) when double.IsInteger(index) && index >= 0 && index < items.Count => items[(int)index],
        _ => Value.Undefined,
    };
}

internal sealed record NewArray(IReadOnlyList<Expression> Items) : Expression
{
    public override string Written => $"[{string.Join(",", Items)}]";

    public override IEnumerable<Expression> Parts => Items;

    public override object Evaluate(Row row) => Items.Select(item => item.Evaluate(row)).Where(Value.IsDefined).ToList();
}

internal sealed record NewObject(IReadOnlyList<(string Name, Expression Value)> Members) : Expression
{
    public override string Written => $"{{{string.Join(",", Members.Select(member => $"{member.Name}:{member.Value}"))}}}";

    public override IEnumerable<Expression> Parts => Members.Select(member => member.Value);

    public override object Evaluate(Row row)
    {
        var made = new JsonObject();
        foreach (var (name, expression) in Members)
        {
            if (expression.Evaluate(row) is var value && Value.IsDefined(value)) made[name] = value;
        }

        return made;
    }
}

internal sealed record Not(Expression Operand) : Expression
{
    public override string Written => $"NOT {Operand}";

    public override IEnumerable<Expression> Parts => [Operand];

    public override object Evaluate(Row row) => Operand.Evaluate(row) is bool flag ? !flag : Value.Undefined;
}

internal sealed record Negative(Expression Operand) : Expression
{
    public override string Written => $"-{Operand}";

    public override IEnumerable<Expression> Parts => [Operand];

    public override object Evaluate(Row row) => Operand.Evaluate(row) is double number ? -number : Value.Undefined;
}

/// <summary>
/// An operator on two values. What is not defined makes the whole undefined, but for AND with false, OR with true and ??. Equality of values of
/// different types is false, any other comparison of them undefined.
/// </summary>
internal sealed record Binary(string Operator, Expression Left, Expression Right) : Expression
{
    public override string Written => $"({Left} {Operator} {Right})";

    public override IEnumerable<Expression> Parts => [Left, Right];

    public override object? Evaluate(Row row)
    {
        var left = Left.Evaluate(row);
        switch (Operator)
        {
            case "AND" when left is false: return false;
            case "OR" when left is true: return true;
            case "??" when Value.IsDefined(left): return left;
        }

        var right = Right.Evaluate(row);
        return Operator switch
        {
            "AND" => right is false ? false : left is true && right is true ? true : Value.Undefined,
            "OR" => right is true ? true : left is false && right is false ? false : Value.Undefined,
            "??" => right,
            _ when !Value.IsDefined(left) || !Value.IsDefined(right) => Value.Undefined,
            "=" => Value.AreEqual(left, right),
            "!=" or "<>" => !Value.AreEqual(left, right),
            "<" => Value.Compare(left, right, out var order) ? order < 0 : Value.Undefined,
            "<=" => Value.Compare(left, right, out var order) ? order <= 0 : Value.Undefined,
            ">" => Value.Compare(left, right, out var order) ? order > 0 : Value.Undefined,
            ">=" => Value.Compare(left, right, out var order) ? order >= 0 : Value.Undefined,
            "||" => left is string a && right is string b ? a + b : Value.Undefined,
            _ => left is double x && right is double y ? Compute(x, y) : Value.Undefined,
        };
    }

    private object Compute(double x, double y) => Operator switch
    {
        "+" => x + y,
        "-" => x - y,
        "*" => x * y,
        "/" => y == 0 ? Value.Undefined : x / y,
        _ => y == 0 ? Value.Undefined : x % y,
    };
}

internal sealed record In(Expression Operand, IReadOnlyList<Expression> Items) : Expression
{
    public override string Written => $"({Operand} IN ({string.Join(",", Items)}))";

    public override IEnumerable<Expression> Parts => [Operand, .. Items];

    public override object Evaluate(Row row)
    {
        var value = Operand.Evaluate(row);
        return Value.IsDefined(value)
            ? Items.Any(item => item.Evaluate(row) is var candidate && Value.IsDefined(candidate) && Value.AreEqual(value, candidate))
            : Value.Undefined;
    }
}

internal sealed record Call(string Name, IReadOnlyList<Expression> Arguments, Func<object?[], object?> Body) : Expression
{
    public override string Written => $"{Name}({string.Join(",", Arguments)})";

    public override IEnumerable<Expression> Parts => Arguments;

    public override object? Evaluate(Row row) => Body([.. Arguments.Select(argument => argument.Evaluate(row))]);
}

internal sealed record Aggregate(string Name, Expression Argument) : Expression
{
    public override string Written => $"{Name}({Argument})";

    public override IEnumerable<Expression> Parts => [Argument];

    public override object? Evaluate(Row row)
    {
        var values = (row.Group ?? []).Select(document => Argument.Evaluate(new Row(document))).Where(Value.IsDefined).ToList();
        return Name switch
        {
            "COUNT" => (double)values.Count,
            "SUM" => values.All(value => value is double) ? values.Sum(value => (double)value!) : Value.Undefined,
            "AVG" => values.Count > 0 && values.All(value => value is double) ? values.Average(value => (double)value!) : Value.Undefined,
            "MIN" => values.Count > 0 ? values.Min(Comparer<object?>.Create(Value.Order)) : Value.Undefined,
            _ => values.Count > 0 ? values.Max(Comparer<object?>.Create(Value.Order)) : Value.Undefined,
        };
    }
}
