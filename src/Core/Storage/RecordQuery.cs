namespace NodeStash.Core.Storage;

/// <summary>A query over the records of one type, as a tree: each adapter translates it, with every value as a parameter.</summary>
/// <param name="Type">The record type.</param>
/// <param name="Where">What must hold.</param>
/// <param name="Order">Sort keys, most significant first, at least one. Ties are broken by id, in the direction of the last key. Null and missing
/// values come first ascending, last descending.</param>
/// <param name="After">Where the page before ended; null for the first page.</param>
/// <param name="Limit">The most records to answer, at least 1.</param>
public sealed record RecordQuery(string Type, Condition Where, IReadOnlyList<SortKey> Order, Keyset? After, int Limit)
{
    /// <summary>
    /// How many records to leave out before the first that is answered, from 0. It costs as much as to read them: pages that go deep take
    /// <see cref="After"/>.
    /// </summary>
    public int Skip { get; init; }

    /// <summary>Whether archived records are answered, too. Only requests do not see them unless this is set: a store has them among all others.</summary>
    public bool WithArchived { get; init; }

    /// <summary>Whether to count all records that match (<see cref="RecordPage.Total"/>).</summary>
    public bool WithTotal { get; init; }
}

/// <summary>A place in a record's keys.</summary>
/// <param name="Name">E.g. <c>email</c>, <c>created_at</c> or <c>custom_fields</c>.</param>
/// <param name="Inner">The name inside it, e.g. a custom field's slug; null for the key itself. May hold any text of a client: adapters must not
/// paste it into a query unescaped.</param>
public readonly record struct KeyPath(string Name, string? Inner = null)
{
    /// <summary>The record's id, which every record has beside its keys.</summary>
    public static KeyPath Id { get; } = new("id");
}

/// <param name="Path">
/// What to sort by. Text by code point, as the keys hold it (folded already), numbers by value, false before true, arrays as null. Values of
/// different types stand apart, in an order of the adapter's own.
/// </param>
/// <param name="Descending">Largest first.</param>
public readonly record struct SortKey(KeyPath Path, bool Descending);

/// <summary>A place between two rows: the sort values of the last row read, and its id.</summary>
/// <param name="Values">One for each sort key: null, string, bool, long or double.</param>
/// <param name="Id">The id of that row.</param>
public sealed record Keyset(IReadOnlyList<object?> Values, string Id);

/// <param name="Records">In order.</param>
/// <param name="Next">Where the next page starts; null where this is the last.</param>
public sealed record RecordPage(IReadOnlyList<StoredRecord> Records, Keyset? Next)
{
    /// <summary>How many records match, on whatever page; null where it was not asked for.</summary>
    public long? Total { get; init; }
}

/// <summary>
/// A condition on a record's keys. Values are null, string, bool, long or double; comparison never crosses JSON types. A whole number beyond 2^53
/// may count as the double next to it.
/// </summary>
public abstract record Condition
{
    private Condition()
    {
    }

    /// <summary>Holds for every record.</summary>
    public static Condition Always { get; } = new All([]);

    /// <summary>Holds where this condition and another do.</summary>
    public Condition And(Condition other) => (this, other) switch
    {
        (All { Conditions.Count: 0 }, _) => other,
        (_, All { Conditions.Count: 0 }) => this,
        _ => new All([this, other]),
    };

    /// <summary>All of them hold; of none: true.</summary>
    public sealed record All(IReadOnlyList<Condition> Conditions) : Condition;

    /// <summary>At least one holds; of none: false.</summary>
    public sealed record Any(IReadOnlyList<Condition> Conditions) : Condition;

    /// <summary>It does not hold: the exact complement, records without the value included.</summary>
    public sealed record Not(Condition Inner) : Condition;

    /// <summary>The value is this one. Null matches records whose value is null or missing.</summary>
    public sealed record Equal(KeyPath Path, object? Value) : Condition;

    /// <summary>The value is one of these.</summary>
    public sealed record In(KeyPath Path, IReadOnlyList<object?> Values) : Condition;

    /// <summary>The value is of the same type and compares so: text by code point, numbers by value, false before true. Never holds for null.</summary>
    public sealed record Compare(KeyPath Path, Comparison How, object Value) : Condition;

    /// <summary>The value is a text that contains this one, ordinally. Nothing in <paramref name="Text"/> is a wildcard.</summary>
    public sealed record Contains(KeyPath Path, string Text) : Condition;

    /// <summary>The value is a text that starts with this one, ordinally.</summary>
    public sealed record StartsWith(KeyPath Path, string Text) : Condition;

    /// <summary>The value is the id of a record for which a condition holds.</summary>
    /// <param name="Path">Where the id is.</param>
    /// <param name="Type">Of the record it points to.</param>
    /// <param name="Where">What must hold for that record.</param>
    public sealed record Linked(KeyPath Path, string Type, Condition Where) : Condition;

    /// <summary>The value is an array that has this member.</summary>
    public sealed record Has(KeyPath Path, string Member) : Condition;
}

public enum Comparison
{
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// <summary>A sort or filter that every store keeps an index for: the keys, then the id. Read off the schemas.</summary>
/// <param name="Type">Of the records, or a family of types (<see cref="TypeFamily"/>).</param>
/// <param name="Key">The key.</param>
public sealed record RecordIndex(string Type, string Key);

/// <summary>
/// Types that are data: a workspace defines as many as it likes. They share their indexes, which the type leads, so that one type's records are a
/// range of them.
/// </summary>
public static class TypeFamily
{
    /// <summary>What the types of custom objects' records begin with; no other type has a colon.</summary>
    public const string Records = "record:";

    /// <summary>The family of a type; the type itself where it is in none.</summary>
    public static string Of(string type) => type.StartsWith(Records, StringComparison.Ordinal) ? Records : type;
}
