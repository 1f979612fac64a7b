using System.Text;

namespace NodeStash.Functions.Api.Tests.Fuzz;

/// <summary>
/// JSON as text with a structure, so that what no serializer writes can be written: duplicate names, lone surrogates, numbers out of range, no JSON
/// at all.
/// </summary>
internal abstract record JsonText
{
    private JsonText()
    {
    }

    public static JsonText Of(string text) => new Scalar(Quoted(text));

    public static Object ObjectOf(params (string Name, JsonText Value)[] members) => new([.. members]);

    /// <summary>As JSON, with lone surrogates and control characters escaped.</summary>
    public static string Quoted(string text) =>
        "\"" + string.Concat(text.Select(c => c is '"' or '\\' || c < ' ' || char.IsSurrogate(c) ? $"\\u{(int)c:x4}" : c.ToString())) + "\"";

    /// <summary>Reads an object or array written with <see cref="ToString"/>'s form; anything else becomes a scalar.</summary>
    public static JsonText Parse(string json) => From(System.Text.Json.JsonElement.Parse(json));

    /// <summary>This one and all inside it.</summary>
    public IEnumerable<JsonText> All() => this switch
    {
        Object o => o.Members.SelectMany(member => member.Value.All()).Prepend(this),
        Array a => a.Items.SelectMany(item => item.All()).Prepend(this),
        _ => [this],
    };

    /// <summary>The same with one node, found by reference, replaced.</summary>
    public JsonText With(JsonText node, JsonText replacement)
    {
        if (ReferenceEquals(this, node)) return replacement;
        return this switch
        {
            Object o => new Object([.. o.Members.Select(member => (member.Name, member.Value.With(node, replacement)))]),
            Array a => new Array([.. a.Items.Select(item => item.With(node, replacement))]),
            _ => this,
        };
    }

    public sealed override string ToString()
    {
        var text = new StringBuilder();
        Write(text);
        return text.ToString();
    }

    protected abstract void Write(StringBuilder text);

    private static JsonText From(System.Text.Json.JsonElement json) => json.ValueKind switch
    {
        System.Text.Json.JsonValueKind.Object => new Object([.. json.EnumerateObject().Select(p => (p.Name, From(p.Value)))]),
        System.Text.Json.JsonValueKind.Array => new Array([.. json.EnumerateArray().Select(From)]),
        _ => new Scalar(json.GetRawText()),
    };

    /// <param name="Text">As it stands in the JSON, quotes included.</param>
    internal sealed record Scalar(string Text) : JsonText
    {
        protected override void Write(StringBuilder text) => text.Append(Text);
    }

    internal sealed record Object(IReadOnlyList<(string Name, JsonText Value)> Members) : JsonText
    {
        protected override void Write(StringBuilder text)
        {
            text.Append('{');
            for (var i = 0; i < Members.Count; i++)
            {
                if (i > 0) text.Append(',');
                text.Append(Quoted(Members[i].Name)).Append(':');
                Members[i].Value.Write(text);
            }

            text.Append('}');
        }
    }

    internal sealed record Array(IReadOnlyList<JsonText> Items) : JsonText
    {
        protected override void Write(StringBuilder text)
        {
            text.Append('[');
            for (var i = 0; i < Items.Count; i++)
            {
                if (i > 0) text.Append(',');
                Items[i].Write(text);
            }

            text.Append(']');
        }
    }
}
