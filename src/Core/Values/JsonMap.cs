using System.Collections;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace NodeStash.Core.Values;

/// <summary>Names and JSON values in the order given. Immutable.</summary>
public sealed class JsonMap(IReadOnlyList<KeyValuePair<string, JsonElement>> entries) : IReadOnlyCollection<KeyValuePair<string, JsonElement>>
{
    public static JsonMap Empty { get; } = new([]);

    public int Count => entries.Count;

    /// <summary>Its length as UTF-8 JSON without white space, near enough to hold a limit.</summary>
    public int Bytes => 2 + entries.Sum(e => e.Key.Length + 4 + JsonMarshal.GetRawUtf8Value(e.Value).Length);

    /// <summary>The value of a name; null where it has none.</summary>
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

    /// <summary>This map with the names of the other set, or removed where the other has null.</summary>
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

    public JsonMap Without(string name) => new([.. entries.Where(e => e.Key != name)]);

    /// <summary>Whether both have the same names with equal values, in whatever order.</summary>
    public bool Same(JsonMap other) => Count == other.Count && entries.All(e => other[e.Key] is { } value && JsonElement.DeepEquals(e.Value, value));

    public IEnumerator<KeyValuePair<string, JsonElement>> GetEnumerator() => entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
