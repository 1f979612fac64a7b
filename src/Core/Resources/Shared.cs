using NodeStash.Core.Records;

namespace NodeStash.Core.Resources;

/// <summary>Creates the fields that several resources share. Each resource gets its own instance, because a field knows its place in its schema.</summary>
internal static class Shared
{
    /// <summary>Creates the field with the values of custom fields.</summary>
    public static MapField CustomFields() => new("custom_fields")
    {
        Description = "Values by the slugs of custom fields; a change merges them, null clears one.", Example = "{\"plan\":\"Pro\"}",
        IsCustomFields = true, Search = Searchable.Detail,
    };

    /// <summary>Name of the field with the tags.</summary>
    public const string TagsName = "tags";

    /// <summary>Creates the field with the tags of a record.</summary>
    public static TextListField Tags() => new(TagsName, max: 20, maxLength: 50)
    {
        Description = "Labels of the record, at most 20.", Example = "[\"vip\"]",
        Filter = FilterKind.HasAll, Search = Searchable.Detail,
    };

    /// <summary>Creates the link to the responsible member. Members have a store of their own, so the commit does not check the link.</summary>
    public static LinkField OwnerId() => new("owner_id", "usr_", "user")
    {
        Description = "The member of the workspace who is responsible.",
        Filter = FilterKind.Exact, IsChecked = false,
    };
}
