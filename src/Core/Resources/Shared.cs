using NodeStash.Core.Records;
using NodeStash.Core.Search;

namespace NodeStash.Core.Resources;

/// <summary>Fields that several resources have alike. Each resource gets its own, as a field knows its place in its schema.</summary>
internal static class Shared
{
    public static MapField CustomFields() => new("custom_fields") { IsCustomFields = true, Search = Searchable.Detail };

    public const string TagsName = "tags";

    public static TextListField Tags() => new(TagsName, most: 20, longest: 50) { Filter = FilterKind.HasAll, Search = Searchable.Detail };

    /// <summary>A member of the workspace. Members have a store of their own, so the link is not checked in the commit.</summary>
    public static LinkField OwnerId() => new("owner_id", "usr_", "user") { Filter = FilterKind.Exact, IsChecked = false };
}
