namespace NodeStash.CosmosStandIn.Sql;

/// <summary>A query that was read: what to select, which documents, in which order.</summary>
/// <param name="Select">What is made of a row.</param>
/// <param name="Where">Which documents; null for all.</param>
/// <param name="GroupBy">By what documents are put together; empty for not at all.</param>
/// <param name="OrderBy">The order; empty for the one the documents were created in.</param>
/// <param name="IsDistinct">Whether equal results are given once.</param>
/// <param name="Offset">How many results are passed over.</param>
/// <param name="Limit">The most results; null for all.</param>
internal sealed record Query(
    Expression Select, Expression? Where, IReadOnlyList<Expression> GroupBy, IReadOnlyList<(Expression Key, bool Descending)> OrderBy, bool IsDistinct,
    int Offset, int? Limit)
{
    /// <summary>Whether results are of several documents each.</summary>
    public bool IsGrouped => GroupBy.Count > 0 || Select.HasAggregate;

    /// <summary>Whether a document that has another value at the path can't be found by it.</summary>
    public bool Pins(IReadOnlyList<string> path) => Where is not null && Pins(Where, path);

    private static bool Pins(Expression filter, IReadOnlyList<string> path) => filter switch
    {
        Binary { Operator: "AND" } both => Pins(both.Left, path) || Pins(both.Right, path),
        Binary { Operator: "OR" } either => Pins(either.Left, path) && Pins(either.Right, path),
        Binary { Operator: "=" } equal => (IsAt(equal.Left, path) && equal.Right is Constant) || (IsAt(equal.Right, path) && equal.Left is Constant),
        In among => IsAt(among.Operand, path) && among.Items.All(item => item is Constant),
        _ => false,
    };

    private static bool IsAt(Expression expression, IReadOnlyList<string> path) => expression.Path is { } other && other.SequenceEqual(path);
}
