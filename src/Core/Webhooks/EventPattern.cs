using NodeStash.Core.Records;

namespace NodeStash.Core.Webhooks;

/// <summary>What an endpoint subscribes to: <c>*</c>, all events of a noun (<c>deal.*</c>), or one event. docs/api/webhooks.md.</summary>
public static class EventPattern
{
    public const string All = "*";

    private static readonly string[] RecordVerbs = ["created", "updated", "deleted", "archived", "restored"];

    private static readonly Dictionary<string, string[]> Known = new(StringComparer.Ordinal)
    {
        ["contact"] = [.. RecordVerbs, "merged"],
        ["company"] = RecordVerbs,
        ["deal"] = [.. RecordVerbs, "stage_changed"],
        ["pipeline"] = RecordVerbs,
        ["pipeline_stage"] = RecordVerbs,
        ["activity"] = RecordVerbs,
        ["tag"] = ["created", "updated", "deleted"],
        ["field"] = ["created", "updated", "deleted"],
        ["object"] = ["created", "updated", "deleted"],
        ["webhook"] = ["test"],
    };

    /// <summary>The nouns that are built in.</summary>
    public static IReadOnlyCollection<string> Nouns => Known.Keys;

    /// <summary>What is wrong with a pattern; null if nothing. A noun that is not built in may be a custom object's slug.</summary>
    public static string? Check(string pattern)
    {
        if (pattern is All) return null;
        if (pattern.Split('.') is not [var noun, var verb] || !Text.IsSlug(noun, 64)) return "Expected *, a noun and .*, or an event such as contact.created";
        var verbs = Known.GetValueOrDefault(noun, RecordVerbs);
        return verb is All || verbs.Contains(verb) ? null : $"No such event; '{noun}' has {string.Join(", ", verbs)}";
    }

    public static bool Matches(IReadOnlyList<string> patterns, string eventName)
    {
        foreach (var pattern in patterns)
        {
            if (pattern is All || pattern == eventName) return true;
            if (pattern.EndsWith(".*", StringComparison.Ordinal) && eventName.AsSpan().StartsWith(pattern.AsSpan(0, pattern.Length - 1))) return true;
        }

        return false;
    }
}
