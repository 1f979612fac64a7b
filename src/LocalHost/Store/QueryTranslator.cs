using System.Text;
using System.Text.Json;
using NodeStash.Core.Storage;

namespace NodeStash.LocalHost.Store;

/// <summary>An SQL text and what is bound to its ?1, ?2, ….</summary>
public readonly record struct Statement(string Sql, object?[] Arguments);

/// <summary>
/// Turns queries into SQL over the records table. Values, custom names and the partition are parameters; pasted are only types that the
/// schemas have an index for (a partial index is used for a literal alone) and names that <see cref="KeyName"/> has encoded.
/// </summary>
/// <param name="indexes">The indexes the database was opened with.</param>
public sealed class QueryTranslator(IReadOnlyCollection<RecordIndex> indexes)
{
    private readonly HashSet<string> indexedTypes = indexes.Select(index => index.Type).ToHashSet(StringComparer.Ordinal);

    /// <summary>How many records match: one row of one number.</summary>
    public Statement Count(long partition, string type, Condition where) => Translation("count(*)", partition, type, where).Statement("");

    /// <summary>How many records that match have each of some texts in a place of their keys: rows of a number and the text's stored form.</summary>
    public Statement CountEach(long partition, string type, KeyPath path, IReadOnlyCollection<string> texts, Condition where)
    {
        var sql = Translation("count(*)", partition, type, new Condition.In(path, [.. texts]).And(where), [new SortKey(path, Descending: false)]);
        return sql.Statement($" GROUP BY {sql.Path(path)}");
    }

    /// <summary>A row if any record matches.</summary>
    public Statement Any(long partition, string type, Condition where) => Translation("1", partition, type, where).Statement(" LIMIT 1");

    /// <summary>
    /// The statements whose rows, one after the other, are those that come after the query's keyset in its order. Columns: id, version,
    /// attributes, internal, then the value of each sort key. The last argument of each is its limit: lower it by the rows already read.
    /// </summary>
    /// <remarks>
    /// Each statement is one range of an index: for the order (a, b, id) after (x, y, i) first the rows with a = x, b = y and id beyond i,
    /// then those with a = x and b beyond y, then those with a beyond x. A single condition of all three would be a scan from the beginning.
    /// </remarks>
    /// <exception cref="ArgumentException">No sort key, a limit below 1, records to skip after a keyset, or a keyset of other keys.</exception>
    public IEnumerable<Statement> Page(long partition, RecordQuery query)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1);
        if (query.Skip < 0 || (query.Skip > 0 && query.After is not null))
            throw new ArgumentException("a query skips records or begins after one", nameof(query));
        if (query.Order.Count == 0) throw new ArgumentException("a query has at least one sort key", nameof(query));
        if (query.After is { } after && after.Values.Count != query.Order.Count) throw new ArgumentException("the keyset is of another order", nameof(query));
        return Legs(query).Select(leg => Page(partition, query, leg));
    }

    /// <summary>The columns of the index for a key, and which records are in it.</summary>
    internal static string IndexOn(RecordIndex index) => index.Type == TypeFamily.Records
        ? $"(partition, type, {Extract(index.Key)}, id) WHERE {InFamily}"
        : $"(partition, {Extract(index.Key)}, id) WHERE type = {Literal(index.Type)}";

    /// <summary>
    /// Holds for the types of <see cref="TypeFamily.Records"/>. A query that is to use their indexes says it in these words. As a range of types it
    /// would be taken for the narrower condition, in place of the one type that is asked for, and the rows sorted.
    /// </summary>
    private static readonly string InFamily = $"substr(type, 1, {TypeFamily.Records.Length}) = '{TypeFamily.Records}'";

    internal static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    private static string Extract(string key) => key == StoredKeys.UpdatedAt ? StoredKeys.UpdatedAt : $"json_extract(keys, '$.{KeyName.Of(key)}')";

    /// <summary>A stretch of the rows after a keyset.</summary>
    /// <param name="Tied">So many of the first sort keys are as in the keyset.</param>
    /// <param name="Next">What holds for what comes after them: the next sort key, or the id.</param>
    private readonly record struct Leg(int Tied, Beyond Next);

    private enum Beyond
    {
        Anything,
        Value,
        Null,
    }

    private static IEnumerable<Leg> Legs(RecordQuery query)
    {
        if (query.After is not { } after)
        {
            yield return new Leg(0, Beyond.Anything);
            yield break;
        }

        yield return new Leg(query.Order.Count, Beyond.Value);
        for (var key = query.Order.Count - 1; key >= 0; key--)
        {
            var fromNull = after.Values[key] is null;
            var descending = query.Order[key].Descending;
            if (!(fromNull && descending)) yield return new Leg(key, Beyond.Value);
            if (!fromNull && descending) yield return new Leg(key, Beyond.Null);
        }
    }

    /// <summary>
    /// The records of a type that match, each as the key that a link to it has. The inner table hides the outer one, so that nothing needs an alias.
    /// </summary>
    private string Linked(Builder sql, Condition.Linked linked) =>
        $"{sql.Path(linked.Path)} IN (SELECT '{StoredKeys.Texts}' || id FROM records WHERE partition = {Builder.PartitionParameter}"
        + $" AND {IsOf(sql, linked.Type)} AND ({Translate(sql, linked.Where)}))";

    private Statement Page(long partition, RecordQuery query, Leg leg)
    {
        var sql = Translation("id, version, attributes, internal", partition, query.Type, query.Where, query.Order);
        for (var key = 0; key < leg.Tied; key++) sql.And($"{sql.Path(query.Order[key].Path)} IS {sql.Bind(StoredKeys.Encode(query.After!.Values[key]))}");

        var free = leg.Tied;
        if (leg.Next is Beyond.Null) sql.And($"{sql.Path(query.Order[free++].Path)} IS NULL");
        if (leg.Next is Beyond.Value) sql.And(leg.Tied == query.Order.Count ? BeyondId(sql, query) : BeyondValue(sql, query, leg.Tied));

        var order = query.Order.Skip(free).Select(key => sql.Path(key.Path) + Direction(key.Descending)).Append("id" + Direction(query.Order[^1].Descending));
        var offset = query.Skip > 0 ? $" OFFSET {sql.Bind((long)query.Skip)}" : "";
        return sql.Statement($" ORDER BY {string.Join(", ", order)} LIMIT {sql.Bind((long)query.Limit)}{offset}");
    }

    private static string BeyondId(Builder sql, RecordQuery query) => $"id {(query.Order[^1].Descending ? '<' : '>')} {sql.Bind(query.After!.Id)}";

    private static string BeyondValue(Builder sql, RecordQuery query, int key)
    {
        var path = sql.Path(query.Order[key].Path);
        return StoredKeys.Encode(query.After!.Values[key]) is { } value
            ? $"{path} {(query.Order[key].Descending ? '<' : '>')} {sql.Bind(value)}"
            : $"{path} IS NOT NULL";
    }

    private static string Direction(bool descending) => descending ? " DESC" : "";

    private Builder Translation(string columns, long partition, string type, Condition where, IReadOnlyList<SortKey>? order = null)
    {
        var sql = new Builder();
        sql.Bind(partition);
        foreach (var key in order ?? []) columns += ", " + sql.Path(key.Path);
        sql.Append($"SELECT {columns} FROM records WHERE partition = {Builder.PartitionParameter}");
        sql.And(IsOf(sql, type));
        sql.And(Translate(sql, where));
        return sql;
    }

    private string IsOf(Builder sql, string type) =>
        indexedTypes.Contains(type)
            ? $"type = {Literal(type)}"
            : TypeFamily.Of(type) == type ? $"type = {sql.Bind(type)}" : $"type = {sql.Bind(type)} AND {InFamily}";

    /// <summary>SQL that is true exactly where the condition holds, and false or NULL elsewhere.</summary>
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
        // One text for any number of values, so that it stays compiled. Ids are looked up in their index.
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

    /// <summary>A range, so that an index serves it: from the text itself to the first text that follows all that start with it.</summary>
    private static string StartsWith(Builder sql, Condition.StartsWith condition)
    {
        var path = sql.Path(condition.Path);
        return $"{path} >= {sql.Bind(StoredKeys.Texts + condition.Text)} AND {path} < {sql.Bind(FirstAfterAllWith(StoredKeys.Texts + condition.Text))}";
    }

    /// <summary>The least text, by code point, above every text that starts with this one, which starts with a letter.</summary>
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
        /// <summary>The partition is what every statement binds first.</summary>
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
        /// A value of a client. SQLite's reading of a decimal number can be off by a bit, so a fraction is bound as the text that
        /// <see cref="StoredKeys"/> writes for it: both are read alike. (Keysets hold what SQLite has read, and are bound as they are.)
        /// </summary>
        public string BindValue(object? value) =>
            value is double ? $"json_extract({Bind(StoredKeys.EncodeAll([value]))}, '$[0]')" : Bind(StoredKeys.Encode(value));

        /// <summary>
        /// The value at a path. One of a fixed name is written out, as in its index; an inner one is a parameter, so that all share one text.
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
