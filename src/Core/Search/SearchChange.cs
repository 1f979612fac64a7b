using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Search;

/// <summary>Holds one searchable text of a record.</summary>
/// <param name="Name">The name of the field, with that of the outer field, e.g. <c>custom_fields.plan</c>.</param>
/// <param name="As">How the text is searched.</param>
/// <param name="Text">The text, as stored.</param>
public sealed record SearchField(string Name, Searchable As, string Text);

/// <summary>Tells an index how a record is found from now on.</summary>
/// <param name="Type">The type of the record.</param>
/// <param name="Id">The id of the record.</param>
/// <param name="Version">The version of the record; of a removal, the version of the deletion.</param>
/// <param name="Fields">The texts it is found by; null to remove it.</param>
public sealed record SearchChange(string Type, string Id, long Version, IReadOnlyList<SearchField>? Fields)
{
    private const int MinDigits = 5;

    /// <summary>Hash of which fields are searched, and how. An index built with other settings must be rebuilt.</summary>
    public static string Settings { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join('\n',
            Crm.Catalog.Searchable.Append(CustomRecord.Schema).SelectMany(s => s.Searchables.Select(f => $"{s.Type}.{f.Name}={f.Search}"))
                .Prepend("1"))))[..16]);

    /// <summary>Describes a stored record for the index. For an archived record it is a removal.</summary>
    public static SearchChange Of(StoredRecord stored)
    {
        if (ArchiveState.IsArchived(stored)) return Removal(stored.Type, stored.Id, stored.Version);
        var record = Record.Load(Crm.Catalog.Find(stored.Type), stored);
        return new SearchChange(stored.Type, stored.Id, stored.Version, [.. FieldsOf(record)]);
    }

    /// <summary>Describes a record to remove from the index.</summary>
    public static SearchChange Removal(string type, string id, long version) => new(type, id, version, null);

    /// <summary>Returns the texts that a record is found by, in the order of its schema, which has names first.</summary>
    public static IEnumerable<SearchField> FieldsOf(Record record)
    {
        foreach (var field in record.Schema.Searchables)
        {
            switch (record[field])
            {
                case string text:
                    yield return new SearchField(field.Name, field.Search, text);
                    break;
                case IReadOnlyList<string> texts:
                    foreach (var text in texts) yield return new SearchField(field.Name, field.Search, text);
                    break;
                case JsonMap map:
                    foreach (var found in map.SelectMany(
                        entry => TextsIn(entry.Value).Select(text => new SearchField($"{field.Name}.{entry.Key}", FormOf(text), text)))) yield return found;
                    break;
            }
        }
    }

    /// <summary>Returns the texts and numbers of a custom field's value.</summary>
    private static IEnumerable<string> TextsIn(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => [value.GetString()!],
        JsonValueKind.Number => [value.GetRawText()],
        JsonValueKind.Array => value.EnumerateArray().Where(item => item.ValueKind is JsonValueKind.String or JsonValueKind.Number).SelectMany(TextsIn),
        _ => [],
    };

    /// <summary>Tells from its form how the text of a custom field is searched: a field of any type may hold an address or a phone number.</summary>
    private static Searchable FormOf(string text)
    {
        if (Values.Text.IsEmail(text) || Values.Text.IsWebAddress(text)) return Searchable.Address;
        return text.Length <= 50 && !text.AsSpan().ContainsAnyExcept(FieldDefinition.PhoneCharacters) && text.Count(char.IsAsciiDigit) >= MinDigits
            ? Searchable.Phone
            : Searchable.Detail;
    }
}
