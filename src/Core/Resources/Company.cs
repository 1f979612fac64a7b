using NodeStash.Core.Records;
using NodeStash.Core.Values;

namespace NodeStash.Core.Resources;

/// <summary>Declares the resource of companies. Source: docs/api/v1.md, Companies.</summary>
public static class Company
{
    /// <summary>The name of the company.</summary>
    public static readonly TextField Name = new("name", 200)
    {
        Description = "The name of the company.", Example = "\"Acme\"",
        IsRequired = true, Search = Searchable.Name, Filter = FilterKind.Substring, IsSortable = true,
    };

    /// <summary>The web domain; a unique key, compared without case, unless empty.</summary>
    public static readonly TextField Domain = new("domain", 255)
    {
        Description = "The web domain; no two companies of a workspace share one, in any case.", Example = "\"acme.example\"",
        Search = Searchable.Address, Filter = FilterKind.Substring, IsSortable = true,
    };

    /// <summary>The line of business, in any words.</summary>
    public static readonly TextField Industry = new("industry", 100)
    {
        Description = "The line of business.", Example = "\"Logistics\"",
        Search = Searchable.Detail, Filter = FilterKind.Substring,
    };

    /// <summary>The number of employees, or a range of it, as text.</summary>
    public static readonly TextField Size = new("size", 50)
    {
        Description = "The number of employees, or a range of it.", Example = "\"51-200\"",
        Filter = FilterKind.Exact, IsCaseSensitive = true,
    };

    /// <summary>The schema. A domain belongs to one company of an environment.</summary>
    public static Schema Schema { get; } = new(
        "company", "co_", "companies", [Name, Domain, Industry, Size, Shared.CustomFields(), Shared.Tags()], isArchivable: true)
    {
        EventNoun = "company",
        Includes = [Include.Linking("contacts", "contact", "company_id"), Include.Count("contact_count", "contact", "company_id")],
        Uniques =
        [
            new Unique("domain", record => Domain.Of(record) is { Length: > 0 } domain ? Text.Fold(domain) : null,
                record => $"A company with domain '{Domain.Of(record)}' already exists in this workspace", "domain"),
        ],
    };
}
