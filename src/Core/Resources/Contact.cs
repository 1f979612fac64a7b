using NodeStash.Core.Records;

namespace NodeStash.Core.Resources;

/// <summary>A person. contract/v1.md, Contacts.</summary>
public static class Contact
{
    public static readonly EmailField Email = new("email") { Filter = FilterKind.Substring, IsSortable = true };
    public static readonly TextField FirstName = new("first_name", 100) { Filter = FilterKind.Substring, IsSortable = true };
    public static readonly TextField LastName = new("last_name", 100) { Filter = FilterKind.Substring, IsSortable = true };
    public static readonly TextField Phone = new("phone", 50);
    public static readonly LinkField CompanyId = new("company_id", "co_", "company") { Filter = FilterKind.Exact };
    public static readonly TextField Title = new("title", 200);
    public static readonly TextField Source = new("source", 100) { Filter = FilterKind.Exact, IsCaseSensitive = true };

    public static Schema Schema { get; } = new("contact", "ct_", "contacts",
        [Email, FirstName, LastName, Phone, CompanyId, Title, Source, Shared.CustomFields(), Shared.Tags()])
    {
        EventNoun = "contact",
        SuccessorClaim = MergeContacts.ClaimOf,
        Includes = [Include.Linked(CompanyId)],
        Uniques =
        [
            new Unique("email", record => Email.Of(record) is { } email ? Text.Fold(email) : null,
                record => $"A contact with email '{Email.Of(record)}' already exists in this workspace", "email"),
        ],
    };
}
