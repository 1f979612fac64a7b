using NodeStash.Core.Records;
using NodeStash.Core.Values;

namespace NodeStash.Core.Resources;

/// <summary>Declares the resource of contacts, i.e. persons. Source: docs/api/v1.md, Contacts.</summary>
public static class Contact
{
    /// <summary>The email address; a unique key, compared without case.</summary>
    public static readonly EmailField Email = new("email")
    {
        Description = "The email address; no two contacts of a workspace share one, in any case.", Example = "\"jane@example.com\"",
        Search = Searchable.Address, Filter = FilterKind.Substring, IsSortable = true,
    };

    /// <summary>The given name.</summary>
    public static readonly TextField FirstName = new("first_name", 100)
    {
        Description = "The given name.", Example = "\"Jane\"",
        Search = Searchable.Name, Filter = FilterKind.Substring, IsSortable = true,
    };

    /// <summary>The family name.</summary>
    public static readonly TextField LastName = new("last_name", 100)
    {
        Description = "The family name.", Example = "\"Smith\"",
        Search = Searchable.Name, Filter = FilterKind.Substring, IsSortable = true,
    };

    /// <summary>The phone number, in any notation; search compares the digits.</summary>
    public static readonly TextField Phone = new("phone", 50)
    {
        Description = "The phone number, as given.", Example = "\"+49 30 901820\"",
        Search = Searchable.Phone,
    };

    /// <summary>The company that the person works for; cleared when the company is deleted.</summary>
    public static readonly LinkField CompanyId = new("company_id", "co_", "company")
    {
        Description = "The company the person works for.",
        Filter = FilterKind.Exact,
    };

    /// <summary>The job title.</summary>
    public static readonly TextField Title = new("title", 200)
    {
        Description = "The job title.", Example = "\"Head of Purchasing\"",
        Search = Searchable.Detail,
    };

    /// <summary>The channel that the contact came from, e.g. <c>website</c>; filters compare with case.</summary>
    public static readonly TextField Source = new("source", 100)
    {
        Description = "Where the contact came from.", Example = "\"website\"",
        Filter = FilterKind.Exact, IsCaseSensitive = true,
    };

    /// <summary>The schema. An email address belongs to one contact of an environment; a merged contact leads to its successor.</summary>
    public static Schema Schema { get; } = new("contact", "ct_", "contacts",
        [Email, FirstName, LastName, Phone, CompanyId, Title, Source, Shared.CustomFields(), Shared.Tags()], isArchivable: true)
    {
        EventNoun = "contact",
        SuccessorKey = MergeContacts.UniqueKeyOf,
        Includes = [Include.Linked(CompanyId)],
        Uniques =
        [
            new Unique("email", record => Email.Of(record) is { } email ? Text.Fold(email) : null,
                record => $"A contact with email '{Email.Of(record)}' already exists in this workspace", "email"),
        ],
    };
}
