using NodeStash.Core.Records;
using NodeStash.Core.Storage;

namespace NodeStash.Core.Resources;

/// <summary>
/// Declares the records of custom objects. The records of each object have a type of their own, with the same schema. Source: docs/api/v1.md,
/// Custom objects; docs/adr/0016.
/// </summary>
public static class CustomRecord
{
    /// <summary>The slug of the custom object, set by the server.</summary>
    public static readonly TextField Object = new("object", CustomObject.MaxSlugLength)
    {
        Description = "The slug of its custom object.",
        Access = FieldAccess.ReadOnly,
    };

    /// <summary>The name of the record that users see.</summary>
    public static readonly TextField Name = new("name", 200)
    {
        Description = "What the record is called.", Example = "\"Apollo\"",
        IsRequired = true, Search = Searchable.Name, Filter = FilterKind.Substring, IsSortable = true,
    };

    /// <summary>The values of the object's fields, by slug.</summary>
    public static readonly MapField CustomFields = Shared.CustomFields();

    /// <summary>The type of the record that each relation points to, by the slug of the relation; for rules, never answered.</summary>
    public static readonly MapField RelatedTypes = new("related_types") { Access = FieldAccess.Internal, IsFound = true };

    /// <summary>The schema shared by the records of all custom objects.</summary>
    public static Schema Schema { get; } = new(TypeFamily.Records, "rec_", "records", [Object, Name, CustomFields, RelatedTypes], isArchivable: true)
    {
        EnvelopeType = "record",
        Noun = "record",
        Scopes = "objects",
        Decide = Decide,
    };

    /// <summary>Returns the schema for the records of one custom object.</summary>
    public static Schema Of(string slug) => Schema.As(TypeOf(slug), $"objects/{slug}/records", slug);

    /// <summary>Returns the type of the records of one custom object, <c>record:&lt;slug&gt;</c>.</summary>
    public static string TypeOf(string slug) => TypeFamily.Records + slug;

    /// <summary>Returns the cascade that deletes all records of a custom object.</summary>
    internal static Cascade AllOf(string slug) => new(Of(slug), new KeyPath(Object.Name), From: null, DeletesRecords: true);

    private static async ValueTask<Error?> Decide(Change change, CancellationToken ct)
    {
        if (change.After is not { } record) return null;
        var slug = record.Schema.EventNoun!;
        if (change.Before is null)
        {
            if (await change.Store.FindOwner(CustomObject.UniqueKeyOf(slug), ct) is null) return Error.NoObject(slug);
            change.Guards.Add(new Guard.UniqueKeyHeld(CustomObject.UniqueKeyOf(slug)));
            record[Object] = slug;
        }

        return change.Changes(CustomFields) ? await Relations.Check(change, ct) : null;
    }
}
