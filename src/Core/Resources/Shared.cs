using NodeStash.Core.Records;

namespace NodeStash.Core.Resources;

/// <summary>Fields that several resources have alike. Each resource gets its own, as a field knows its place in its schema.</summary>
internal static class Shared
{
    public static MapField CustomFields() => new("custom_fields")
    {
        Description = "Values by the slugs of custom fields; a change merges them, null clears one.", Example = "{\"plan\":\"Pro\"}",
        IsCustomFields = true, Search = Searchable.Detail,
    };

    public const string TagsName = "tags";

    public static TextListField Tags() => new(TagsName, max: 20, maxLength: 50)
    {
        Description = "Labels of the record, at most 20.", Example = "[\"vip\"]",
        Filter = FilterKind.HasAll, Search = Searchable.Detail,
    };

    /// <summary>A member of the workspace. Members have a store of their own, so the link is not checked in the commit.</summary>
    public static LinkField OwnerId() => new("owner_id", "usr_", "user")
    {
        Description = "The member of the workspace who is responsible.",
        Filter = FilterKind.Exact, IsChecked = false,
    };
}
