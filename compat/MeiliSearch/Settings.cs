namespace Meilisearch;

/// <summary>Of an index; what is null stays as it is.</summary>
public class Settings
{
    public IEnumerable<string>? RankingRules { get; set; }

    public IEnumerable<string>? SearchableAttributes { get; set; }

    public IEnumerable<string>? DisplayedAttributes { get; set; }

    public IEnumerable<string>? SortableAttributes { get; set; }

    public TypoTolerance? TypoTolerance { get; set; }

    public Pagination? Pagination { get; set; }

    public string? ProximityPrecision { get; set; }

    public int? SearchCutoffMs { get; set; }
}

public class TypoTolerance
{
    public bool? Enabled { get; set; }

    public IEnumerable<string>? DisableOnAttributes { get; set; }

    public TypoSize? MinWordSizeForTypos { get; set; }

    public class TypoSize
    {
        public int? OneTypo { get; set; }

        public int? TwoTypos { get; set; }
    }
}

public class Pagination
{
    public int MaxTotalHits { get; set; }
}
