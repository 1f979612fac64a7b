using NodeStash.Core.Events;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Records;

/// <summary>One record about to change: what the rules of a resource see, complete and refuse.</summary>
/// <param name="Before">As stored; null on create.</param>
/// <param name="After">As it will be, to be completed by the rules; null on delete.</param>
/// <param name="Now">The time of the change.</param>
/// <param name="Store">To read what the decision needs.</param>
/// <param name="Ids">Makes ids for what the change creates beside it.</param>
public sealed record Change(Record? Before, Record? After, DateTimeOffset Now, IWorkspaceStore Store, Ids Ids)
{
    private PendingCascades? pending;

    /// <summary>The cascades that were pending when the change was decided on. A rule refuses what one of them stands against.</summary>
    /// <exception cref="InvalidOperationException">The engine has not read them: the change is not one that is decided on.</exception>
    public PendingCascades Pending
    {
        get => pending ?? throw new InvalidOperationException("The pending cascades are read before rules decide.");
        internal set => pending = value;
    }

    /// <summary>What must still hold when it is stored, beyond what links and unique values ask.</summary>
    public List<Guard> Guards { get; } = [];

    /// <summary>Reservations and releases beyond those of unique values.</summary>
    public List<Write> Writes { get; } = [];

    /// <summary>Events beside created, updated and deleted, in order.</summary>
    public List<ExtraEvent> Events { get; } = [];

    /// <summary>Changes of other records that are stored with this one.</summary>
    public List<Change> With { get; } = [];

    /// <summary>What it does to every other record that has a value: with it, or by a cascade that it announces.</summary>
    public List<Cascade> Cascades { get; } = [];

    /// <summary>Whether the client insists: what stands against the change is to be cleared.</summary>
    public bool IsForced { get; set; }

    /// <summary>Whether the values are those of other records as they were, so that they are not held against the custom fields' definitions.</summary>
    public bool IsCopied { get; set; }

    /// <summary>What the client gave; null where it gave no fields.</summary>
    public Input? Given { get; set; }

    /// <summary>Errors that the rules find; any of them ends the change with VALIDATION_ERROR.</summary>
    public ValidationErrors Errors { get; } = new();

    /// <summary>The record, as it will be or as it was.</summary>
    public Record Subject => After ?? Before ?? throw new InvalidOperationException("A change has a record before or after it.");

    /// <summary>Whether the field's value will differ from what is stored.</summary>
    public bool Changes(Field field) => After is not null && !field.Same(Before?[field], After[field]);

    /// <summary>A change of another record, to go into <see cref="With"/>.</summary>
    public Change Beside(Record? before, Record? after) => new(before, after, Now, Store, Ids);
}
