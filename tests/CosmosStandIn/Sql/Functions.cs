using System.Globalization;

namespace NodeStash.CosmosStandIn.Sql;

/// <summary>The functions of the query language that are modelled. Source: Microsoft Learn, "System functions".</summary>
internal static class Functions
{
    private static readonly Dictionary<string, (int Least, int Most, Func<object?[], object?> Body)> All = new(StringComparer.OrdinalIgnoreCase)
    {
        ["IS_DEFINED"] = (1, 1, args => Value.IsDefined(args[0])),
        ["IS_NULL"] = (1, 1, args => args[0] is null),
        ["IS_STRING"] = (1, 1, args => args[0] is string),
        ["IS_NUMBER"] = (1, 1, args => args[0] is double),
        ["IS_BOOL"] = (1, 1, args => args[0] is bool),
        ["IS_ARRAY"] = (1, 1, args => args[0] is JsonArray),
        ["IS_OBJECT"] = (1, 1, args => args[0] is JsonObject),
        ["IS_PRIMITIVE"] = (1, 1, args => args[0] is null or string or double or bool),
        ["CONTAINS"] = (2, 3, args => OfTexts(args, (text, part, how) => text.Contains(part, how))),
        ["STARTSWITH"] = (2, 3, args => OfTexts(args, (text, part, how) => text.StartsWith(part, how))),
        ["ENDSWITH"] = (2, 3, args => OfTexts(args, (text, part, how) => text.EndsWith(part, how))),
        ["STRINGEQUALS"] = (2, 3, args => OfTexts(args, string.Equals)),
        ["ARRAY_CONTAINS"] = (2, 3, ArrayContains),
        ["ARRAY_LENGTH"] = (1, 1, args => args[0] is JsonArray items ? (double)items.Count : Value.Undefined),
        ["LENGTH"] = (1, 1, args => args[0] is string text ? (double)text.Length : Value.Undefined),
        ["LOWER"] = (1, 1, args => args[0] is string text ? text.ToLower(CultureInfo.InvariantCulture) : Value.Undefined),
        ["UPPER"] = (1, 1, args => args[0] is string text ? text.ToUpper(CultureInfo.InvariantCulture) : Value.Undefined),
    };

    public static Call Make(string name, IReadOnlyList<Expression> arguments)
    {
        if (!All.TryGetValue(name, out var function))
        {
            throw ServiceError.BadRequest(
                $$"""{"errors":[{"severity":"Error","code":"SC2005","message":"'{{name}}' is not a recognized built-in function name."}]}""");
        }

        if (arguments.Count < function.Least || arguments.Count > function.Most)
        {
            throw ServiceError.BadRequest(
                $$"""{"errors":[{"severity":"Error","code":"SC2050","message":"The {{name}} function requires {{function.Least}} argument(s)."}]}""");
        }

        return new Call(name.ToUpperInvariant(), arguments, function.Body);
    }

    private static object OfTexts(object?[] args, Func<string, string, StringComparison, bool> compare) =>
        args is [string text, string part, ..] && args.ElementAtOrDefault(2) is null or bool
            ? compare(text, part, args.ElementAtOrDefault(2) is true ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal)
            : Value.Undefined;

    private static object ArrayContains(object?[] args)
    {
        if (args[0] is not JsonArray items || !Value.IsDefined(args[1])) return Value.Undefined;
        var partial = args.ElementAtOrDefault(2) is true;
        return items.Exists(item => partial && item is JsonObject whole && args[1] is JsonObject part
            ? part.All(member => whole.TryGetValue(member.Key, out var value) && Value.AreEqual(value, member.Value))
            : Value.AreEqual(item, args[1]));
    }
}
