using System.Security.Cryptography;
using System.Text;
using Meilisearch;
using NodeStash.Core.Records;
using NodeStash.Core.Search;

namespace NodeStash.Azure.Meilisearch;

/// <summary>Defines the settings of the search server, derived from the schemas. They are applied if the server has another version.</summary>
internal static class ServerSettings
{
    public const string Key = "key", Set = "set", DataSet = "data_set",
        Build = "build", RemovedAt = "removed_at", Number = "number", Codes = "code", Beginnings = "beginning", Parts = "part";

    /// <summary>Maximum number of hits: one more than can be reached shows that there are more.</summary>
    public const int MaxHits = ISearchIndex.MaxHits + 1;

    /// <summary>Attributes without typo tolerance.</summary>
    private static readonly string[] Literal = [Codes, Beginnings, Parts];

    /// <summary>Searched attributes, the most important first.</summary>
    public static readonly IReadOnlyList<string> Searched = [.. new[] { Searchable.Name, Searchable.Detail, Searchable.Body }.Select(AttributeOf), .. Literal];

    public static readonly IReadOnlyList<string> Filterable = [Key, Set, DataSet, Build, RemovedAt];

    /// <summary>Minimum word lengths for one typo and for two.</summary>
    private static readonly int[] TyposFrom = [
        .. Enumerable.Range(1, 2).Select(edits => Enumerable.Range(1, byte.MaxValue).First(length => Typos.Allowed(new string('a', length)) == edits))];

    public static string AttributeOf(Searchable form) => form switch
    {
        Searchable.Name => "name",
        Searchable.Body => "body",
        _ => "detail",
    };

    public static Settings Current => new()
    {
        SearchableAttributes = Searched,
        SortableAttributes = [Number],
        RankingRules = ["typo", "exactness", "attribute", $"{Number}:desc"],
        TypoTolerance = new TypoTolerance
        {
            Enabled = true,
            DisableOnAttributes = Literal,
            MinWordSizeForTypos = new TypoTolerance.TypoSize
            {
                OneTypo = TyposFrom[0] + ServerTerms.TagLength,
                TwoTypos = TyposFrom[1] + ServerTerms.TagLength
            },
        },
        Pagination = new Pagination { MaxTotalHits = MaxHits },
        ProximityPrecision = "byAttribute",
        // A search that is cut off still answers, in another order. By then its caller has given up.
        SearchCutoffMs = (int)SearchOptions.DefaultMaxDuration.TotalMilliseconds,
    };

    /// <summary>Version of the settings above: a hash of them.</summary>
    public static string Version { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join(
        '\n', [.. Searched, "", .. Literal, "", .. Filterable, "", .. Current.RankingRules!, .. TyposFrom.Select(length => $"{length}"),
            $"{MaxHits} {Current.SearchCutoffMs} {Current.ProximityPrecision}"])))[..16]);
}
