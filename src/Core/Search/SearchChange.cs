using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Search;

/// <summary>A text of a record that it is found by.</summary>
/// <param name="Name">Of the field; for one inside another both, e.g. <c>custom_fields.plan</c>.</param>
/// <param name="As">How it is searched.</param>
/// <param name="Text">As stored.</param>
public sealed record SearchField(string Name, Searchable As, string Text);

/// <summary>What an index is to know of a record from now on.</summary>
/// <param name="Type">Of the record.</param>
/// <param name="Id">Of the record.</param>
/// <param name="Version">Of the record; for a removal, that of the change that removed it.</param>
/// <param name="Fields">What it is found by; null where it is gone.</param>
public sealed record SearchChange(string Type, string Id, long Version, IReadOnlyList<SearchField>? Fields)
{
    private const int MinDigits = 5;

    /// <summary>What is indexed at all, and how: an index that was filled under other settings is to be built anew.</summary>
    public static string Settings { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join('\n',
            Crm.Catalog.Searchable.Append(CustomRecord.Schema).SelectMany(s => s.Searchables.Select(f => $"{s.Type}.{f.Name}={f.Search}"))
                .Prepend("1"))))[..16]);

    /// <summary>Describes a stored record for the index. An archived record is one to remove.</summary>
    public static SearchChange Of(StoredRecord stored)
    {
        if (ArchiveState.IsArchived(stored)) return Removal(stored.Type, stored.Id, stored.Version);
        var record = Record.Load(Crm.Catalog.Find(stored.Type), stored);
        return new SearchChange(stored.Type, stored.Id, stored.Version, [.. FieldsOf(record)]);
    }

    public static SearchChange Removal(string type, string id, long version) => new(type, id, version, null);

    /// <summary>The texts a record is found by, names first as the schema has them.</summary>
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

    /// <summary>The texts and numbers of a custom field.</summary>
    private static IEnumerable<string> TextsIn(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => [value.GetString()!],
        JsonValueKind.Number => [value.GetRawText()],
        JsonValueKind.Array => value.EnumerateArray().Where(item => item.ValueKind is JsonValueKind.String or JsonValueKind.Number).SelectMany(TextsIn),
        _ => [],
    };

    /// <summary>A custom field of any type may hold an address or a phone number: it is seen by its form.</summary>
    private static Searchable FormOf(string text)
    {
        if (Values.Text.IsEmail(text) || Values.Text.IsWebAddress(text)) return Searchable.Address;
        return text.Length <= 50 && !text.AsSpan().ContainsAnyExcept(FieldDefinition.PhoneCharacters) && text.Count(char.IsAsciiDigit) >= MinDigits
            ? Searchable.Phone
            : Searchable.Detail;
    }
}
