using NodeStash.Core.Resources;
using NodeStash.Core.Values;

namespace NodeStash.Core.Webhooks;

/// <summary>
/// Checks and matches the patterns that endpoints subscribe to: <c>*</c>, all events of a noun (<c>deal.*</c>), or one event. Source: docs/api/webhooks.md.
/// </summary>
public static class EventPattern
{
    /// <summary>The pattern that matches every event.</summary>
    public const string All = "*";

    private static readonly string[] ChangeVerbs = ["created", "updated", "deleted"];

    private static readonly string[] RecordVerbs = [.. ChangeVerbs, "archived", "restored"];

    /// <summary>The nouns whose events do not follow from a schema alone.</summary>
    private static readonly Dictionary<string, string[]> Special = new(StringComparer.Ordinal)
    {
        ["contact"] = [.. RecordVerbs, "merged"],
        ["deal"] = [.. RecordVerbs, "stage_changed"],
        ["pipeline"] = RecordVerbs,
        ["pipeline_stage"] = RecordVerbs,
        ["webhook"] = ["test"],
    };

    /// <summary>The nouns that are built in. Custom objects add their slugs.</summary>
    public static IReadOnlyCollection<string> Nouns => [.. Crm.Catalog.All.Select(schema => schema.EventNoun).OfType<string>().Union(Special.Keys)];

    /// <summary>Explains what is wrong with a pattern; null where it is valid. A noun that is not built in may be a custom object's slug.</summary>
    public static string? Check(string pattern)
    {
        if (pattern is All) return null;
        if (pattern.Split('.') is not [var noun, var verb] || !Text.IsSlug(noun, 64)) return "Expected *, a noun and .*, or an event such as contact.created";
        var verbs = VerbsOf(noun);
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

    private static string[] VerbsOf(string noun) => Special.GetValueOrDefault(noun)
        ?? (Crm.Catalog.All.FirstOrDefault(schema => schema.EventNoun == noun) is { IsArchivable: false } ? ChangeVerbs : RecordVerbs);
}
