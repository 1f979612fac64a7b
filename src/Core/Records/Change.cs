using NodeStash.Core.Events;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Records;

/// <summary>Describes one change of a record before it is committed. The rules of the resource complete it or refuse it.</summary>
/// <param name="Before">The stored record; null on create.</param>
/// <param name="After">The record after the change, which the rules may still complete; null on delete.</param>
/// <param name="Now">The time of the change.</param>
/// <param name="Store">The store that the rules read from.</param>
/// <param name="Ids">Makes the ids of events and of other records that the change creates.</param>
public sealed record Change(Record? Before, Record? After, DateTimeOffset Now, IWorkspaceStore Store, Ids Ids)
{
    private PendingCascades? pending;

    /// <summary>The cascades that were pending when the rules decided. A rule refuses a change that conflicts with one of them.</summary>
    /// <exception cref="InvalidOperationException">The engine has not read them yet, because no rule decides about this change.</exception>
    public PendingCascades Pending
    {
        get => pending ?? throw new InvalidOperationException("The pending cascades are read before rules decide.");
        internal set => pending = value;
    }

    /// <summary>The guards that the commit must satisfy. The engine adds those for links itself.</summary>
    public List<Guard> Guards { get; } = [];

    /// <summary>Further writes of the commit, e.g. to reserve or release a unique key. The engine adds those for the record and its unique values.</summary>
    public List<Write> Writes { get; } = [];

    /// <summary>Events to add after the one that the engine writes itself (created, updated, archived, restored or deleted), in order.</summary>
    public List<ExtraEvent> Events { get; } = [];

    /// <summary>Changes of other records to store in the same commit.</summary>
    public List<Change> With { get; } = [];

    /// <summary>
    /// Cascades that this change causes in other records. The engine applies small ones in the same commit and announces the others.
    /// </summary>
    public List<Cascade> Cascades { get; } = [];

    /// <summary>Whether the client sent <c>force</c>: the rules then clear or delete whatever would block the change.</summary>
    public bool IsForced { get; set; }

    /// <summary>Whether the values were copied from other stored records. They are then not checked against the custom field definitions.</summary>
    public bool IsCopied { get; set; }

    /// <summary>The fields that the client sent; null if the request has none.</summary>
    public Input? Given { get; set; }

    /// <summary>The errors that the rules find. If there is any, the change is refused with VALIDATION_ERROR.</summary>
    public ValidationErrors Errors { get; } = new();

    /// <summary>The record after the change, or before it on delete.</summary>
    public Record Subject => After ?? Before ?? throw new InvalidOperationException("A change has a record before or after it.");

    /// <summary>Tells whether the change gives the field another value; false on delete.</summary>
    public bool Changes(Field field) => After is not null && !field.Same(Before?[field], After[field]);

    /// <summary>Creates a change of another record at the same time. The caller adds it to <see cref="With"/>.</summary>
    /// <param name="before">The other record as it is stored; null to create it.</param>
    /// <param name="after">The other record after the change; null to delete it.</param>
    public Change Beside(Record? before, Record? after) => new(before, after, Now, Store, Ids);
}
