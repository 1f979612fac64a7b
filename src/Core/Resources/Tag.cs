using System.Buffers;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Resources;

/// <summary>
/// Declares the resource of tags: labels with a colour. A record refers to tags by name; a tag of that name need not exist. Renaming or deleting a
/// tag renames or removes it in the records. Source: docs/api/v1.md, Tags.
/// </summary>
public static class Tag
{
    /// <summary>The label; a unique key, compared without case.</summary>
    public static readonly TextField Name = new("name", 50)
    {
        Description = "The label; no two tags of a workspace share one, in any case.", Example = "\"Key account\"",
        IsRequired = true, Filter = FilterKind.Substring, IsSortable = true,
    };

    /// <summary>The colour to show the label in.</summary>
    public static readonly ColorField Color = new("color")
    {
        Description = "The colour to show it in.", Example = "\"#1F6FEB\"",
    };

    /// <summary>The schema. Renaming or deleting a tag cascades to the records that have it.</summary>
    public static Schema Schema { get; } = new("tag", "tag_", "tags", [Name, Color])
    {
        EventNoun = "tag",
        Uniques = [new Unique(
            "name", record => Text.Fold(Name.Of(record)!), record => $"A tag with name '{Name.Of(record)}' already exists in this workspace", "name")],
        Decide = (change, _) =>
        {
            if (change.Before is { } before && change.Changes(Name)) change.Cascades.AddRange(RenameInRecords(Name.Of(before)!, Name.Of(change.After!)));
            return ValueTask.FromResult<Error?>(null);
        },
        CascadesOnDelete = tag => RenameInRecords(Name.Of(tag)!, null),
    };

    private static IEnumerable<Cascade> RenameInRecords(string from, string? to) =>
        Crm.Catalog.All.Where(schema => schema.Find(Shared.TagsName) is not null)
            .Select(schema => new Cascade(schema, new KeyPath(Shared.TagsName), [from], to));
}

/// <summary>Holds a colour as in CSS: <c>#RRGGBB</c>.</summary>
public sealed class ColorField(string name) : TextField(name, 7)
{
    /// <inheritdoc/>
    public override Facets Facets => new(JsonType.String) { Pattern = "^#[0-9A-Fa-f]{6}$" };

    private static readonly SearchValues<char> Hex = SearchValues.Create("0123456789abcdefABCDEF");

    /// <inheritdoc/>
    protected override string? CheckText(string text) =>
        text.Length == 7 && text[0] == '#' && !text.AsSpan(1).ContainsAnyExcept(Hex) ? null : "Expected a colour of the form #RRGGBB, e.g. #1F6FEB";
}
