using NodeStash.Core.Records;
using NodeStash.Core.Storage;

namespace NodeStash.Core.Resources;

/// <summary>A record of a custom object. Each object's are a type of their own, of one schema. docs/api/v1.md, Custom objects; docs/adr/0016.</summary>
public static class CustomRecord
{
    public static readonly TextField Object = new("object", CustomObject.MaxSlugLength)
    {
        Description = "The slug of its custom object.",
        Access = FieldAccess.ReadOnly,
    };

    public static readonly TextField Name = new("name", 200)
    {
        Description = "What the record is called.", Example = "\"Apollo\"",
        IsRequired = true, Search = Searchable.Name, Filter = FilterKind.Substring, IsSortable = true,
    };

    public static readonly MapField CustomFields = Shared.CustomFields();

    /// <summary>The type of what each relation leads to, by the relation's slug.</summary>
    public static readonly MapField RelatedTypes = new("related_types") { Access = FieldAccess.Internal, IsFound = true };

    /// <summary>What all of them have in common.</summary>
    public static Schema Schema { get; } = new(TypeFamily.Records, "rec_", "records", [Object, Name, CustomFields, RelatedTypes], isArchivable: true)
    {
        EnvelopeType = "record",
        Noun = "record",
        Scopes = "objects",
        Decide = Decide,
    };

    /// <summary>That of one object's records.</summary>
    public static Schema Of(string slug) => Schema.As(TypeOf(slug), $"objects/{slug}/records", slug);

    /// <summary>The type of one object's records.</summary>
    public static string TypeOf(string slug) => TypeFamily.Records + slug;

    /// <summary>The removal of all records of an object.</summary>
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
