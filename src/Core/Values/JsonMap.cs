using System.Collections;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace NodeStash.Core.Values;

/// <summary>Maps names to JSON values, in the order given. It is immutable.</summary>
/// <param name="entries">The names, each of them once, and their values.</param>
public sealed class JsonMap(IReadOnlyList<KeyValuePair<string, JsonElement>> entries) : IReadOnlyCollection<KeyValuePair<string, JsonElement>>
{
    /// <summary>The map without names.</summary>
    public static JsonMap Empty { get; } = new([]);

    /// <inheritdoc/>
    public int Count => entries.Count;

    /// <summary>The approximate size in bytes as compact UTF-8 JSON, to check a limit.</summary>
    public int Bytes => 2 + entries.Sum(e => e.Key.Length + 4 + JsonMarshal.GetRawUtf8Value(e.Value).Length);

    /// <summary>Gets the value of a name; null if the map lacks the name.</summary>
    public JsonElement? this[string name]
    {
        get
        {
            foreach (var (key, value) in entries)
            {
                if (key == name) return value;
            }

            return null;
        }
    }

    /// <summary>Merges a patch: sets the names of the patch, and removes those that are JSON null in it.</summary>
    /// <returns>The merged map.</returns>
    public JsonMap Merge(JsonMap patch)
    {
        var merged = new OrderedDictionary<string, JsonElement>(entries, StringComparer.Ordinal);
        foreach (var (name, value) in patch)
        {
            if (value.ValueKind is JsonValueKind.Null) merged.Remove(name);
            else merged[name] = value;
        }

        return new JsonMap([.. merged]);
    }

    /// <summary>Copies the map without one name.</summary>
    public JsonMap Without(string name) => new([.. entries.Where(e => e.Key != name)]);

    /// <summary>Tells whether two maps have the same names with equal values, in any order.</summary>
    public bool Same(JsonMap other) => Count == other.Count && entries.All(e => other[e.Key] is { } value && JsonElement.DeepEquals(e.Value, value));

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, JsonElement>> GetEnumerator() => entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
