using System.Security.Cryptography;
using System.Text;
using NodeStash.Core.Records;

namespace NodeStash.Core.Search;

/// <summary>
/// Fingerprints the format of an index, to detect when it must be rebuilt. The fingerprint covers the search settings of the schemas, and the terms
/// made of some examples.
/// </summary>
public static class IndexFormat
{
    /// <summary>Examples that contain every folded letter, and a text of each form.</summary>
    private static readonly IReadOnlyList<SearchField> Examples =
    [
        new("name", Searchable.Name, "Zoë O’Brien-Łukasz 2nd"),
        new("detail", Searchable.Detail, $"VIP no. 4711-b 東京商事 한국 أحمد {new string('x', Words.MaxLength + 1)}"),
        new("body", Searchable.Body,
            string.Join(' ', Enumerable.Range(0xAA, 0x600 - 0xAA).Concat(Enumerable.Range(0x1E00, 0x200)).Select(letter => (char)letter))),
        new("address", Searchable.Address, "Jane.Smith42@Mail.example.com"),
        new("address", Searchable.Address, "https://www.example.com/a-path?of=it"),
        new("phone", Searchable.Phone, "+49 (0)30 555-0199 ext. 7"),
        new("phone", Searchable.Phone, "0044 20 7946 0000"),
    ];

    /// <summary>Returns the fingerprint of the format: 16 hex digits. An index with another fingerprint must be rebuilt.</summary>
    /// <param name="terms">Makes the terms of a record, as the adapter indexes them.</param>
    public static string Of(Func<IReadOnlyList<SearchField>, IEnumerable<string>> terms) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', terms(Examples).Prepend(SearchChange.Settings)))))[..16];
}
