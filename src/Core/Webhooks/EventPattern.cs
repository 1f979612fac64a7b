using NodeStash.Core.Values;

namespace NodeStash.Core.Webhooks;

/// <summary>
/// Checks and matches the patterns that endpoints subscribe to: <c>*</c>, all events of a noun (<c>deal.*</c>), or one event. Source: docs/api/webhooks.md.
/// </summary>
public static class EventPattern
{
    /// <summary>The pattern that matches every event.</summary>
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

    /// <summary>The nouns that are built in. Custom objects add their slugs.</summary>
    public static IReadOnlyCollection<string> Nouns => Known.Keys;

    /// <summary>Explains what is wrong with a pattern; null where it is valid. A noun that is not built in may be a custom object's slug.</summary>
    public static string? Check(string pattern)
    {
        if (pattern is All) return null;
        if (pattern.Split('.') is not [var noun, var verb] || !Text.IsSlug(noun, 64)) return "Expected *, a noun and .*, or an event such as contact.created";
        var verbs = Known.GetValueOrDefault(noun, RecordVerbs);
        return verb is All || verbs.Contains(verb) ? null : $"No such event; '{noun}' has {string.Join(", ", verbs)}";
    }

    /// <summary>Whether one of the patterns matches the event.</summary>
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
