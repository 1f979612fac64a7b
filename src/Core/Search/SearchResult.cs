using System.Text.Json;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Search;

/// <summary>Renders the results of a search over all types: the record, and where the text occurs in it.</summary>
public static class SearchResult
{
    /// <summary>Type of the envelope.</summary>
    public const string Type = "search_result";

    private const int MaxFields = 5;
    private const int MaxMatches = 10;
    private const int MaxSnippetLength = 200;

    /// <summary>Renders the attributes of one result as UTF-8 JSON.</summary>
    /// <param name="stored">The record.</param>
    /// <param name="match">Finds the search text in the record.</param>
    public static ReadOnlyMemory<byte> Attributes(StoredRecord stored, TextMatch match)
    {
        var schema = Crm.Catalog.Find(stored.Type);
        var fields = SearchChange.FieldsOf(Record.Load(schema, stored));
        return JsonForm.Object(writer =>
        {
            writer.WriteString("id"u8, stored.Id);
            writer.WriteString("resource_type"u8, schema.EventNoun);
            writer.WritePropertyName("resource"u8);
            writer.WriteRawValue(stored.Attributes.Span, skipInputValidation: true);
            writer.WriteStartArray("highlights"u8);
            foreach (var (field, matches) in fields.Select(field => (field, match.In(field))).Where(found => found.Item2.Count > 0)
                .Take(MaxFields)) Write(writer, field, matches);
            writer.WriteEndArray();
        });
    }

    /// <summary>
    /// Writes a snippet of a text around its first match, and the positions of the matches in it. It does not mark them in the text, because stored text
    /// may look like marks.
    /// </summary>
    private static void Write(Utf8JsonWriter writer, SearchField field, IReadOnlyList<(int Start, int End)> matches)
    {
        var from = field.Text.Length <= MaxSnippetLength ? 0 : Boundary(field.Text, Math.Max(0, matches[0].Start - (MaxSnippetLength / 4)));
        var to = Boundary(field.Text, Math.Min(field.Text.Length, from + MaxSnippetLength));
        writer.WriteStartObject();
        writer.WriteString("field"u8, field.Name);
        writer.WriteString("snippet"u8, field.Text.AsSpan(from, to - from));
        writer.WriteStartArray("matches"u8);
        foreach (var (start, end) in matches.Where(m => m.Start < to).Take(MaxMatches))
        {
            writer.WriteStartObject();
            writer.WriteNumber("start"u8, start - from);
            writer.WriteNumber("end"u8, Math.Min(end, to) - from);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    /// <summary>Returns the position, or the one before if it would split a surrogate pair.</summary>
    private static int Boundary(string text, int at) => at > 0 && at < text.Length && char.IsLowSurrogate(text[at]) ? at - 1 : at;
}
