using FsCheck;
using FsCheck.Fluent;
using NodeStash.Core.Storage;
using Keys = System.Collections.Generic.IReadOnlyDictionary<string, object?>;

namespace NodeStash.Support.Contracts.Storage;

/// <summary>Records and conditions of few values, so that they meet, and as hostile as clients get.</summary>
internal static class QueryCases
{
    private static readonly string[] Texts =
    [
        "", " ", "a", "A", "ab", "abc", "sm", "smith", "b0", "b1", "s", "t", "1", "1.5", "true", "null", "o'brien", "' OR 1=1 --", "\"", "\\", "\\\"", "a\nb",
        "%", "_", "a%", "*", "?1", "$", "$.a", "a.b", "[0]", "{\"a\":1}", "[\"x\"]", "é", "e\u0301", "ß", "日本", "𝔘", "\uFFFD", "a\uFFFD", "a𝔘",
        "\uD7FF", "\uE000", "\U0010FFFF", "a\U0010FFFF", "a\U0010FFFFb", "X61", "x",
    ];

    private static readonly object[] Numbers =
        [0L, 1L, -1L, 2L, 10L, 1.5, 0.1, -0.1, 1e15, 1e300, -1e300, 5e-324, 0.30000000000000004, long.MinValue, 9007199254740991L, 9007199254740992.0];

    private static readonly Gen<object> AnyNumber =
        Gen.OneOf(Gen.Elements(Numbers), ArbMap.Default.GeneratorFor<NormalFloat>().Select(number => (object)(double)number));

    public static Gen<string> Text { get; } = Gen.Elements(Texts);

    private static readonly Gen<object> Something =
        Gen.Frequency((5, Text.Select(text => (object)text)), (3, AnyNumber), (2, Gen.Elements<object>(true, false)));

    private static readonly Gen<object?> Value = Gen.Frequency((1, Gen.Constant<object?>(null)), (5, Something.Select(value => (object?)value)));

    private static readonly Gen<object?> Stored =
        Gen.Frequency((6, Value), (1, Gen.ArrayOf(Text, 2).Select(members => (object?)members)), (1, Gen.Constant<object?>(Array.Empty<string>())));

    /// <summary>Keys with some of: <c>a</c>, <c>b</c>, a key of a strange name, and custom fields of strange names.</summary>
    public static Gen<Keys> Record { get; } =
        from outer in Some(["a", "b", "it's \"a\".b[0]"])
        from custom in Some(Texts)
        from anyCustom in Gen.Choose(0, 3)
        select (Keys)new Dictionary<string, object?>(outer) { ["created_at"] = "2026-01-15T10:30:00Z", ["custom_fields"] = anyCustom == 0 ? null : custom };

    public static Gen<KeyPath> Path { get; } = Gen.OneOf(
        Gen.Elements(
            new KeyPath("a"), new KeyPath("b"), new KeyPath("it's \"a\".b[0]"), new KeyPath("created_at"), new KeyPath("missing"), new KeyPath("a", "a")),
        Text.Select(inner => new KeyPath("custom_fields", inner)));

    public static Gen<Condition> Where { get; } = Gen.Choose(0, 2).SelectMany(Tree);

    public static Gen<SortKey[]> Order { get; } = Gen.Choose(1, 3).SelectMany(length => Gen.ArrayOf(
        from path in Gen.Frequency((3, Gen.Elements(new KeyPath("a"), new KeyPath("b"))), (1, Path))
        from reversed in Gen.Elements(true, false)
        select new SortKey(path, reversed),
        length));

    private static Gen<Dictionary<string, object?>> Some(string[] names) =>
        from chosen in Gen.SubListOf(names)
        from values in Gen.ArrayOf(Stored, chosen.Count)
        select chosen.Zip(values).ToDictionary(pair => pair.First, pair => pair.Second);

    private static Gen<Condition> Tree(int depth) => depth == 0 ? Leaf : Gen.Frequency(
        (2, Leaf),
        (1, Tree(depth - 1).Select(inner => (Condition)new Condition.Not(inner))),
        (2, from length in Gen.Choose(0, 3)
            from inner in Gen.ArrayOf(Tree(depth - 1), length)
            from all in Gen.Elements(true, false)
            select all ? (Condition)new Condition.All(inner) : new Condition.Any(inner)));

    private static Gen<Condition> Leaf { get; } = Gen.OneOf(
        from path in Path from value in Value select (Condition)new Condition.Equal(path, value),
        from path in Path from length in Gen.Choose(0, 3) from values in Gen.ArrayOf(Value, length) select (Condition)new Condition.In(path, values),
        from path in Path
        from how in Gen.Elements(Enum.GetValues<Comparison>())
        from value in Something
        select (Condition)new Condition.Compare(path, how, value),
        from path in Path from text in Text select (Condition)new Condition.Contains(path, text),
        from path in Path from text in Text select (Condition)new Condition.StartsWith(path, text),
        from path in Path from text in Text select (Condition)new Condition.Has(path, text));
}
