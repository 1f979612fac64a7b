using System.Text;
using System.Text.Json;
using NodeStash.Core.Storage;

namespace NodeStash.LocalHost.Store;

/// <summary>SQL text, and the arguments bound to ?1, ?2, ….</summary>
public readonly record struct Statement(string Sql, object?[] Arguments);

/// <summary>
/// Translates queries into SQL over the records table. Values, custom names and the partition are parameters. Only two things are literals: types with an
/// index (SQLite uses a partial index for a literal only), and names encoded by <see cref="KeyName"/>.
/// </summary>
/// <param name="indexes">The indexes the database was opened with.</param>
public sealed class QueryTranslator(IReadOnlyCollection<RecordIndex> indexes)
{
    private readonly HashSet<string> indexedTypes = indexes.Select(index => index.Type).ToHashSet(StringComparer.Ordinal);

    /// <summary>Counts matching records. Result: one row with a number.</summary>
    public Statement Count(long partition, string type, Condition where) => BeginSelect("count(*)", partition, type, where).Statement("");

    /// <summary>Counts matching records for each of some texts at a key path. Result: rows of a number and the stored form of the text.</summary>
    public Statement CountEach(long partition, string type, KeyPath path, IReadOnlyCollection<string> texts, Condition where)
    {
        var sql = BeginSelect("count(*)", partition, type, new Condition.In(path, [.. texts]).And(where), [new SortKey(path, Descending: false)]);
        return sql.Statement($" GROUP BY {sql.Path(path)}");
    }

    /// <summary>Checks whether any record matches. Result: a row, or none.</summary>
    public Statement Any(long partition, string type, Condition where) => BeginSelect("1", partition, type, where).Statement(" LIMIT 1");

    /// <summary>
    /// Lists the statements whose rows together follow the query's keyset, in order. Columns: id, version, attributes, internal, then the value of each sort
    /// key. The last argument of each is its limit: lower it by the rows already read.
    /// </summary>
    /// <remarks>
    /// Each statement is one range of an index: for the order (a, b, id) after (x, y, i) first the rows with a = x, b = y and id beyond i,
    /// then those with a = x and b beyond y, then those with a beyond x. One condition for all three would scan from the beginning.
    /// </remarks>
    /// <exception cref="ArgumentException">No sort key, a limit below 1, records to skip after a keyset, or a keyset of other keys.</exception>
    public IEnumerable<Statement> Page(long partition, RecordQuery query)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1);
        if (query.Skip < 0 || (query.Skip > 0 && query.After is not null))
            throw new ArgumentException("a query skips records or begins after one", nameof(query));
        if (query.Order.Count == 0) throw new ArgumentException("a query has at least one sort key", nameof(query));
        if (query.After is { } after && after.Values.Count != query.Order.Count) throw new ArgumentException("the keyset is of another order", nameof(query));
        return Ranges(query).Select(range => Page(partition, query, range));
    }

    /// <summary>Returns the columns and the condition of the index for a key.</summary>
    internal static string IndexOn(RecordIndex index) => index.Type == TypeFamily.Records
        ? $"(partition, type, {Extract(index.Key)}, id) WHERE {InFamily}"
        : $"(partition, {Extract(index.Key)}, id) WHERE type = {Literal(index.Type)}";

    /// <summary>
    /// Holds for the types of <see cref="TypeFamily.Records"/>. A query must use this exact text to use their indexes. With a range of types instead, SQLite
    /// would prefer the range to the one type of the query, and sort the rows.
    /// </summary>
    private static readonly string InFamily = $"substr(type, 1, {TypeFamily.Records.Length}) = '{TypeFamily.Records}'";

    internal static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    private static string Extract(string key) => key == StoredKeys.UpdatedAt ? StoredKeys.UpdatedAt : $"json_extract(keys, '$.{KeyName.Of(key)}')";

    /// <summary>Range of the rows that follow a keyset.</summary>
    /// <param name="EqualKeys">Number of leading sort keys that equal the keyset.</param>
    /// <param name="Next">Condition on the next sort key, or on the id after the last key.</param>
    private readonly record struct PageRange(int EqualKeys, NextKey Next);

    private enum NextKey
    {
        Any,
        AfterValue,
        Null,
    }

    private static IEnumerable<PageRange> Ranges(RecordQuery query)
    {
        if (query.After is not { } after)
        {
            yield return new PageRange(0, NextKey.Any);
            yield break;
        }

        yield return new PageRange(query.Order.Count, NextKey.AfterValue);
        for (var key = query.Order.Count - 1; key >= 0; key--)
        {
            var fromNull = after.Values[key] is null;
            var descending = query.Order[key].Descending;
            if (!(fromNull && descending)) yield return new PageRange(key, NextKey.AfterValue);
            if (!fromNull && descending) yield return new PageRange(key, NextKey.Null);
        }
    }

    /// <summary>
    /// Selects the keys of links to matching records of a type. The inner table hides the outer one, so no alias is needed.
    /// </summary>
    private string Linked(Builder sql, Condition.Linked linked) =>
        $"{sql.Path(linked.Path)} IN (SELECT '{StoredKeys.Texts}' || id FROM records WHERE partition = {Builder.PartitionParameter}"
        + $" AND {IsType(sql, linked.Type)} AND ({Translate(sql, linked.Where)}))";

    private Statement Page(long partition, RecordQuery query, PageRange range)
    {
        var sql = BeginSelect("id, version, attributes, internal", partition, query.Type, query.Where, query.Order);
        for (var key = 0; key < range.EqualKeys; key++)
            sql.And($"{sql.Path(query.Order[key].Path)} IS {sql.Bind(StoredKeys.Encode(query.After!.Values[key]))}");

        var free = range.EqualKeys;
        if (range.Next is NextKey.Null) sql.And($"{sql.Path(query.Order[free++].Path)} IS NULL");
        if (range.Next is NextKey.AfterValue) sql.And(range.EqualKeys == query.Order.Count ? AfterId(sql, query) : AfterValue(sql, query, range.EqualKeys));

        var order = query.Order.Skip(free).Select(key => sql.Path(key.Path) + Direction(key.Descending)).Append("id" + Direction(query.Order[^1].Descending));
        var offset = query.Skip > 0 ? $" OFFSET {sql.Bind((long)query.Skip)}" : "";
        return sql.Statement($" ORDER BY {string.Join(", ", order)} LIMIT {sql.Bind((long)query.Limit)}{offset}");
    }

    private static string AfterId(Builder sql, RecordQuery query) => $"id {(query.Order[^1].Descending ? '<' : '>')} {sql.Bind(query.After!.Id)}";

    private static string AfterValue(Builder sql, RecordQuery query, int key)
    {
        var path = sql.Path(query.Order[key].Path);
        return StoredKeys.Encode(query.After!.Values[key]) is { } value
            ? $"{path} {(query.Order[key].Descending ? '<' : '>')} {sql.Bind(value)}"
            : $"{path} IS NOT NULL";
    }

    private static string Direction(bool descending) => descending ? " DESC" : "";

    private Builder BeginSelect(string columns, long partition, string type, Condition where, IReadOnlyList<SortKey>? order = null)
    {
        var sql = new Builder();
        sql.Bind(partition);
        foreach (var key in order ?? []) columns += ", " + sql.Path(key.Path);
        sql.Append($"SELECT {columns} FROM records WHERE partition = {Builder.PartitionParameter}");
        sql.And(IsType(sql, type));
        sql.And(Translate(sql, where));
        return sql;
    }

    private string IsType(Builder sql, string type) =>
        indexedTypes.Contains(type)
            ? $"type = {Literal(type)}"
            : TypeFamily.Of(type) == type ? $"type = {sql.Bind(type)}" : $"type = {sql.Bind(type)} AND {InFamily}";

    /// <summary>Returns SQL that is true exactly if the condition holds, else false or NULL.</summary>
    private string Translate(Builder sql, Condition condition) => condition switch
    {
        Condition.All all => Join(sql, all.Conditions, " AND ", "1"),
        Condition.Any any => Join(sql, any.Conditions, " OR ", "0"),
        Condition.Not not => $"({Translate(sql, not.Inner)}) IS NOT TRUE",
        Condition.Equal { Value: null } equal => IsNull(sql, equal.Path),
        Condition.Equal equal => $"{sql.Path(equal.Path)} = {sql.BindValue(equal.Value)}",
        Condition.In @in => In(sql, @in),
        Condition.Compare compare => Compare(sql, compare),
        Condition.Contains contains => $"{IsText(sql, contains.Path)} AND instr(substr({sql.Path(contains.Path)}, 2), {sql.Bind(contains.Text)}) > 0",
        Condition.StartsWith starts => StartsWith(sql, starts),
        Condition.Has has => $"EXISTS (SELECT 1 FROM json_each(arrays, {sql.Bind(StoredPath(has.Path))}) WHERE value = {sql.Bind(has.Member)})",
        Condition.Linked linked => Linked(sql, linked),
        _ => throw new ArgumentException($"unknown condition {condition.GetType()}", nameof(condition)),
    };

    private string Join(Builder sql, IReadOnlyList<Condition> conditions, string with, string ofNone) =>
        conditions.Count == 0 ? ofNone : string.Join(with, conditions.Select(inner => $"({Translate(sql, inner)})"));

    /// <summary>Holds where a record has no such key. Nearly every query asks it of the archive, whose time is hidden: most records hide nothing.</summary>
    private static string IsNull(Builder sql, KeyPath path) => path == ArchiveState.Path
        ? $"(internal IS NULL OR {sql.Path(path)} IS NULL)"
        : $"{sql.Path(path)} IS NULL AND json_type(arrays, {sql.Bind(StoredPath(path))}) IS NULL";

    private static string IsText(Builder sql, KeyPath path) => $"{sql.Path(path)} >= '{StoredKeys.Texts}' AND {sql.Path(path)} < '{StoredKeys.AfterTexts}'";

    private static string In(Builder sql, Condition.In condition)
    {
        // The text is the same for any number of values, so it stays compiled. Ids use their index.
        if (condition.Path == KeyPath.Id)
            return $"id IN (SELECT value FROM json_each({sql.Bind(JsonSerializer.Serialize(condition.Values.OfType<string>()))}))";
        var among = $"{sql.Path(condition.Path)} IN (SELECT value FROM json_each({sql.Bind(StoredKeys.EncodeAll(condition.Values))}))";
        return condition.Values.Contains(null) ? $"{among} OR ({IsNull(sql, condition.Path)})" : among;
    }

    private static string Compare(Builder sql, Condition.Compare condition)
    {
        var path = sql.Path(condition.Path);
        var value = sql.BindValue(condition.Value ?? throw new ArgumentException("nothing compares with null", nameof(condition)));
        var compared = condition.How switch
        {
            Comparison.Less => $"{path} < {value}",
            Comparison.LessOrEqual => $"{path} <= {value}",
            Comparison.Greater => $"{path} > {value}",
            Comparison.GreaterOrEqual => $"{path} >= {value}",
            _ => throw new ArgumentException($"unknown comparison {condition.How}", nameof(condition)),
        };
        var upwards = condition.How is Comparison.Greater or Comparison.GreaterOrEqual;
        return condition.Value switch
        {
            string => upwards ? $"{compared} AND {path} < '{StoredKeys.AfterTexts}'" : $"{compared} AND {path} >= '{StoredKeys.Texts}'",
            bool => upwards ? $"{compared} AND {path} < '{StoredKeys.Texts}'" : $"{compared} AND {path} >= '{StoredKeys.Booleans}'",
            _ => upwards ? $"{compared} AND {path} < ''" : compared,
        };
    }

    /// <summary>Translates to a range, which an index serves: from the text to the first text after all that start with it.</summary>
    private static string StartsWith(Builder sql, Condition.StartsWith condition)
    {
        var path = sql.Path(condition.Path);
        return $"{path} >= {sql.Bind(StoredKeys.Texts + condition.Text)} AND {path} < {sql.Bind(FirstAfterAllWith(StoredKeys.Texts + condition.Text))}";
    }

    /// <summary>Returns the first text, by code point, after all that start with this one, which starts with a letter.</summary>
    private static string FirstAfterAllWith(string start)
    {
        var runes = start.EnumerateRunes().ToList();
        while (runes[^1].Value == 0x10FFFF) runes.RemoveAt(runes.Count - 1);
        runes[^1] = new Rune(runes[^1].Value == 0xD7FF ? 0xE000 : runes[^1].Value + 1);
        return string.Concat(runes);
    }

    private static string StoredPath(KeyPath path) =>
        path.Inner is null ? $"$.{KeyName.Of(path.Name)}" : $"$.{KeyName.Of(path.Name)}.{KeyName.Of(path.Inner)}";

    private sealed class Builder
    {
        /// <summary>Parameter of the partition, the first of every statement.</summary>
        public const string PartitionParameter = "?1";

        private readonly StringBuilder text = new(256);
        private readonly List<object?> arguments = [];
        private readonly Dictionary<KeyPath, string> paths = [];

        public void Append(string sql) => text.Append(sql);

        public void And(string condition) => text.Append(" AND (").Append(condition).Append(')');

        public string Bind(object? value)
        {
            arguments.Add(value);
            return "?" + arguments.Count;
        }

        /// <summary>
        /// Binds a value from a client. SQLite may parse a decimal number one bit off, so a fraction is bound as the text that <see cref="StoredKeys"/>
        /// writes: SQLite parses both alike. (Keysets hold values that SQLite has read, and are bound as they are.)
        /// </summary>
        public string BindValue(object? value) =>
            value is double ? $"json_extract({Bind(StoredKeys.EncodeAll([value]))}, '$[0]')" : Bind(StoredKeys.Encode(value));

        /// <summary>
        /// Returns SQL for the value at a path. A fixed name is a literal, as in its index; an inner path is a parameter, so that all share one text.
        /// </summary>
        public string Path(KeyPath path)
        {
            if (paths.TryGetValue(path, out var sql)) return sql;
            if (path == KeyPath.Id) return $"'{StoredKeys.Texts}' || id";
            return paths[path] = path.Inner is null ? Extract(path.Name) : $"json_extract(keys, {Bind(StoredPath(path))})";
        }

        public Statement Statement(string end) => new(text.Append(end).ToString(), [.. arguments]);
    }
}
