using System.Globalization;
using System.Text;
using Microsoft.Azure.Cosmos;
using NodeStash.Core.Storage;
using SortKey = NodeStash.Core.Storage.SortKey;

namespace NodeStash.Azure.Cosmos;

/// <summary>
/// Builds a query over one partition. All values are parameters. Only names are literals, which <see cref="KeyName"/> encodes to letters, digits and
/// underscores.
/// </summary>
internal sealed class SqlBuilder(string columns)
{
    private readonly StringBuilder where = new(256);
    private readonly List<object?> values = [];

    /// <summary>Begins a query for the records of a type that match a condition.</summary>
    /// <param name="columns">The columns to select.</param>
    /// <param name="type">The type.</param>
    /// <param name="condition">A condition without <see cref="Condition.Linked"/>.</param>
    public static SqlBuilder Records(string columns, string type, Condition condition)
    {
        var sql = new SqlBuilder(columns);
        sql.And($"c.type = {sql.Bind(type)}");
        if (condition is not Condition.All { Conditions.Count: 0 }) sql.And($"({sql.Translate(condition)})");
        return sql;
    }

    /// <summary>Returns SQL for the value of a key.</summary>
    public static string Path(KeyPath path) => path == KeyPath.Id ? "c.id" : At("keys", path);

    public SqlBuilder And(string condition)
    {
        where.Append(where.Length == 0 ? "" : " AND ").Append(condition);
        return this;
    }

    public string Bind(object? value)
    {
        values.Add(value);
        return Name(values.Count - 1);
    }

    /// <param name="end">Text after the condition, such as an order.</param>
    public QueryDefinition Query(string end = "")
    {
        var query = new QueryDefinition($"SELECT {columns} FROM c WHERE {where}{end}");
        for (var i = 0; i < values.Count; i++) query.WithParameter(Name(i), values[i]);
        return query;
    }

    /// <summary>Restricts the query to records after a position in an order.</summary>
    public SqlBuilder After(IReadOnlyList<SortKey> order, Keyset place)
    {
        // (a, b, id) after (x, y, i): a beyond x, or a = x and b beyond y, or a = x and b = y and id beyond i.
        var tied = new StringBuilder();
        var either = new List<string>();
        for (var i = 0; i < order.Count; i++)
        {
            if (IsBeyond(order[i], place.Values[i]) is { } beyond) either.Add($"{tied}{beyond}");
            tied.Append(IsEqual(order[i].Path, place.Values[i])).Append(" AND ");
        }

        either.Add($"{tied}c.id {(order[^1].Descending ? '<' : '>')} {Bind(place.Id)}");
        return And($"({string.Join(" OR ", either.Select(one => $"({one})"))})");
    }

    /// <summary>Returns a condition for records with this value. As in sorts, arrays and missing values count as null.</summary>
    public string IsEqual(KeyPath path, object? value) => value is null ? IsNull(path) : $"{Path(path)} = {Bind(value)}";

    /// <summary>
    /// Returns a condition for records beyond a value; null if there can be none. Values of other types are above or below all values of a type.
    /// </summary>
    public string? IsBeyond(SortKey key, object? value)
    {
        var path = Path(key.Path);
        if (value is null) return key.Descending ? null : HasValue(key.Path);
        string[] types = ["IS_BOOL", "IS_NUMBER", "IS_STRING"];
        var own = value switch { bool => 0, string => 2, _ => 1 };
        var others = (key.Descending ? types[..own] : types[(own + 1)..]).Select(type => $"{type}({path})");
        if (key.Descending) others = others.Append(IsNull(key.Path));
        return $"({string.Join(" OR ", others.Prepend($"{path} {(key.Descending ? '<' : '>')} {Bind(value)}"))})";
    }

    public static string HasValue(KeyPath path) => $"(IS_DEFINED({Path(path)}) AND NOT IS_NULL({Path(path)}))";

    private static string IsNull(KeyPath path) => $"(NOT IS_DEFINED({Path(path)}) OR IS_NULL({Path(path)}))";

    private static string At(string member, KeyPath path) =>
        path.Inner is null ? $"c.{member}[\"{KeyName.Of(path.Name)}\"]" : $"c.{member}[\"{KeyName.Of(path.Name)}\"][\"{KeyName.Of(path.Inner)}\"]";

    private static string Name(int index) => "@p" + index.ToString(CultureInfo.InvariantCulture);

    /// <summary>Returns SQL that is true exactly if the condition holds, else false or undefined.</summary>
    private string Translate(Condition condition) => condition switch
    {
        Condition.All all => Join(all.Conditions, " AND ", "true"),
        Condition.Any any => Join(any.Conditions, " OR ", "false"),
        Condition.Not not => $"NOT (({Translate(not.Inner)}) ?? false)",
        Condition.Equal equal => Among(equal.Path, [equal.Value]),
        Condition.In among => Among(among.Path, among.Values),
        Condition.Compare compare =>
            $"{Path(compare.Path)} {Sign(compare.How)} {Bind(compare.Value ?? throw new ArgumentException("nothing compares with null", nameof(condition)))}",
        Condition.Contains contains => $"CONTAINS({Path(contains.Path)}, {Bind(contains.Text)})",
        Condition.StartsWith starts => $"STARTSWITH({Path(starts.Path)}, {Bind(starts.Text)})",
        Condition.Has has => $"ARRAY_CONTAINS({At("lists", has.Path)}, {Bind(has.Member)})",
        _ => throw new ArgumentException($"unknown condition {condition.GetType()}", nameof(condition)),
    };

    private string Join(IReadOnlyList<Condition> conditions, string with, string ofNone) =>
        conditions.Count == 0 ? ofNone : string.Join(with, conditions.Select(inner => $"({Translate(inner)})"));

    private string Among(KeyPath path, IReadOnlyList<object?> among)
    {
        var given = among.OfType<object>().Select(Bind).ToList();
        var either = new List<string>();
        if (given is [var only]) either.Add($"{Path(path)} = {only}");
        else if (given.Count > 0) either.Add($"{Path(path)} IN ({string.Join(", ", given)})");
        if (given.Count < among.Count) either.Add($"({IsNull(path)} AND NOT IS_DEFINED({At("lists", path)}))");
        return either.Count == 0 ? "false" : string.Join(" OR ", either);
    }

    private static string Sign(Comparison how) => how switch
    {
        Comparison.Less => "<",
        Comparison.LessOrEqual => "<=",
        Comparison.Greater => ">",
        Comparison.GreaterOrEqual => ">=",
        _ => throw new ArgumentException($"unknown comparison {how}", nameof(how)),
    };
}
