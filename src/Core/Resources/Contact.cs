using NodeStash.Core.Records;
using NodeStash.Core.Values;

namespace NodeStash.Core.Resources;

/// <summary>A person. docs/api/v1.md, Contacts.</summary>
public static class Contact
{
    public static readonly EmailField Email = new("email")
    {
        Description = "The email address; no two contacts of a workspace share one, in any case.", Example = "\"jane@example.com\"",
        Search = Searchable.Address, Filter = FilterKind.Substring, IsSortable = true,
    };

    public static readonly TextField FirstName = new("first_name", 100)
    {
        Description = "The given name.", Example = "\"Jane\"",
        Search = Searchable.Name, Filter = FilterKind.Substring, IsSortable = true,
    };

    public static readonly TextField LastName = new("last_name", 100)
    {
        Description = "The family name.", Example = "\"Smith\"",
        Search = Searchable.Name, Filter = FilterKind.Substring, IsSortable = true,
    };

    public static readonly TextField Phone = new("phone", 50)
    {
        Description = "The phone number, as given.", Example = "\"+49 30 901820\"",
        Search = Searchable.Phone,
    };

    public static readonly LinkField CompanyId = new("company_id", "co_", "company")
    {
        Description = "The company the person works for.",
        Filter = FilterKind.Exact,
    };

    public static readonly TextField Title = new("title", 200)
    {
        Description = "The job title.", Example = "\"Head of Purchasing\"",
        Search = Searchable.Detail,
    };

    public static readonly TextField Source = new("source", 100)
    {
        Description = "Where the contact came from.", Example = "\"website\"",
        Filter = FilterKind.Exact, IsCaseSensitive = true,
    };

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
