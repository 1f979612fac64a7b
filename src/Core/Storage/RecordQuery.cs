namespace NodeStash.Core.Storage;

/// <summary>Describes a query over the records of one type as a tree. Each adapter translates it and passes every value as a parameter.</summary>
/// <param name="Type">The record type.</param>
/// <param name="Where">The condition that records must match.</param>
/// <param name="Order">Sort keys, most significant first, at least one. Ties are broken by id, in the direction of the last key. Null and missing
/// values come first ascending, last descending.</param>
/// <param name="After">The <see cref="RecordPage.Next"/> of the page before; null for the first page.</param>
/// <param name="Limit">The most records to answer, at least 1.</param>
public sealed record RecordQuery(string Type, Condition Where, IReadOnlyList<SortKey> Order, Keyset? After, int Limit)
{
    /// <summary>
    /// Number of matching records to skip, from 0. Skipping costs as much as reading: for deep pages use <see cref="After"/>.
    /// </summary>
    public int Skip { get; init; }

    /// <summary>Whether to return archived records, too. Only the store of a request hides them; every other store returns them anyway.</summary>
    public bool WithArchived { get; init; }

    /// <summary>Whether to count all records that match (<see cref="RecordPage.Total"/>).</summary>
    public bool WithTotal { get; init; }
}

/// <summary>Locates a value in a record's keys.</summary>
/// <param name="Name">E.g. <c>email</c>, <c>created_at</c> or <c>custom_fields</c>.</param>
/// <param name="Inner">The name inside it, e.g. a custom field's slug; null for the key itself. It may be any text of a client: adapters must
/// escape it in queries.</param>
public readonly record struct KeyPath(string Name, string? Inner = null)
{
    /// <summary>The path of the record's id, which every record has beside its keys.</summary>
    public static KeyPath Id { get; } = new("id");
}

/// <summary>Sorts records by one key.</summary>
/// <param name="Path">
/// The key to sort by. Text by code point, as the keys hold it (folded already), numbers by value, false before true, arrays as null. Values of
/// different types are grouped; the adapter decides the order of the groups.
/// </param>
/// <param name="Descending">Whether the largest value comes first.</param>
public readonly record struct SortKey(KeyPath Path, bool Descending);

/// <summary>Marks where a page ends: the sort values of its last row, and its id.</summary>
/// <param name="Values">One value for each sort key: null, string, bool, long or double.</param>
/// <param name="Id">The id of that row.</param>
public sealed record Keyset(IReadOnlyList<object?> Values, string Id);

/// <summary>Holds one page of records.</summary>
/// <param name="Records">The records, in the order of the query.</param>
/// <param name="Next">Pass it as <see cref="RecordQuery.After"/> for the next page; null if this is the last.</param>
public sealed record RecordPage(IReadOnlyList<StoredRecord> Records, Keyset? Next)
{
    /// <summary>Number of records that match, on all pages; null unless <see cref="RecordQuery.WithTotal"/> was set.</summary>
    public long? Total { get; init; }
}

/// <summary>
/// Tests a record's keys. Values are null, string, bool, long or double. Values of different JSON types are never equal. A whole number beyond 2^53
/// may be compared as the nearest double.
/// </summary>
public abstract record Condition
{
    private Condition()
    {
    }

    /// <summary>Matches every record.</summary>
    public static Condition Always { get; } = new All([]);

    /// <summary>Combines two conditions: both must hold.</summary>
    public Condition And(Condition other) => (this, other) switch
    {
        (All { Conditions.Count: 0 }, _) => other,
        (_, All { Conditions.Count: 0 }) => this,
        _ => new All([this, other]),
    };

    /// <summary>Holds if all conditions hold; true if there are none.</summary>
    public sealed record All(IReadOnlyList<Condition> Conditions) : Condition;

    /// <summary>Holds if at least one condition holds; false if there are none.</summary>
    public sealed record Any(IReadOnlyList<Condition> Conditions) : Condition;

    /// <summary>Negates a condition. It is the exact complement: it includes records without the value.</summary>
    public sealed record Not(Condition Inner) : Condition;

    /// <summary>Holds if the value equals this one. Null matches records whose value is null or missing.</summary>
    public sealed record Equal(KeyPath Path, object? Value) : Condition;

    /// <summary>Holds if the value equals one of these, as <see cref="Equal"/> compares.</summary>
    public sealed record In(KeyPath Path, IReadOnlyList<object?> Values) : Condition;

    /// <summary>Holds if the value has the same type and compares so: text by code point, numbers by value, false before true. Never for null.</summary>
    public sealed record Compare(KeyPath Path, Comparison How, object Value) : Condition;

    /// <summary>Holds if the value is a text that contains this one, ordinally. <paramref name="Text"/> has no wildcards.</summary>
    public sealed record Contains(KeyPath Path, string Text) : Condition;

    /// <summary>Holds if the value is a text that starts with this one, ordinally.</summary>
    public sealed record StartsWith(KeyPath Path, string Text) : Condition;

    /// <summary>Holds if the value is the id of a record that matches a condition.</summary>
    /// <param name="Path">The key that holds the id.</param>
    /// <param name="Type">The type of the linked record.</param>
    /// <param name="Where">The condition on the linked record.</param>
    public sealed record Linked(KeyPath Path, string Type, Condition Where) : Condition;

    /// <summary>Holds if the value is an array that contains this text.</summary>
    public sealed record Has(KeyPath Path, string Member) : Condition;
}

/// <summary>Compares a stored value, on the left, with a given one.</summary>
public enum Comparison
{
    /// <summary>The stored value is less.</summary>
    Less,

    /// <summary>The stored value is less or equal.</summary>
    LessOrEqual,

    /// <summary>The stored value is greater.</summary>
    Greater,

    /// <summary>The stored value is greater or equal.</summary>
    GreaterOrEqual,
}

/// <summary>Names a key that every store indexes, for sorts and filters: by the key, then by id. The schemas declare which.</summary>
/// <param name="Type">The type of the records, or a family of types (<see cref="TypeFamily"/>).</param>
/// <param name="Key">The name of the key.</param>
public sealed record RecordIndex(string Type, string Key);

/// <summary>
/// Groups record types that workspaces define themselves, in any number. A family shares its indexes. The type is the first column of each, so that
/// the records of one type are a range.
/// </summary>
public static class TypeFamily
{
    /// <summary>Prefix of the types of custom objects' records. No other type contains a colon.</summary>
    public const string Records = "record:";

    /// <summary>Returns the family of a type, or the type itself if it has none.</summary>
    public static string Of(string type) => type.StartsWith(Records, StringComparison.Ordinal) ? Records : type;
}
