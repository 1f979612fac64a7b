using System.Text.Json;

namespace NodeStash.LocalHost.Durable;

/// <summary>Reads and writes the tags of an instance as a JSON object; null for none.</summary>
internal static class Tags
{
    public static string? Write(IEnumerable<KeyValuePair<string, string>>? tags) =>
        tags?.ToDictionary() is { Count: > 0 } some ? JsonSerializer.Serialize(some) : null;

    public static Dictionary<string, string> Read(string? tags) => tags is null ? [] : JsonSerializer.Deserialize<Dictionary<string, string>>(tags)!;

    /// <summary>Merges the tags of a sub-orchestration from its parent and its call; those of the call win.</summary>
    public static string? Merge(string? parent, IDictionary<string, string>? call)
    {
        if (call is null or { Count: 0 }) return parent;
        var merged = Read(parent);
        foreach (var (name, value) in call) merged[name] = value;
        return Write(merged);
    }
}
