
namespace NodeStash.Core.Storage;

/// <summary>
/// Groups changes that are stored together: all of them or none. Guards are checked first, against the partition as it was before the commit.
/// Then the writes are applied in order.
/// </summary>
public sealed class Commit
{
    /// <summary>Largest sum of writes, guards, events and answer: enough for an atomic batch of 100 operations and all that belongs to them.</summary>
    public const int MaxOperations = 1000;

    /// <summary>Largest sum of bytes of records, keys, event bodies and answer: 2 MiB, the limit of a transactional batch of Cosmos DB.</summary>
    public const int MaxBytes = 2 * 1024 * 1024;

    /// <summary>Writes, applied in order.</summary>
    public IReadOnlyList<Write> Writes { get; init; } = [];

    /// <summary>Conditions that must hold when the commit is stored, checked in order.</summary>
    public IReadOnlyList<Guard> Guards { get; init; } = [];

    /// <summary>Events to store, in the order in which readers get them.</summary>
    public IReadOnlyList<StoredEvent> Events { get; init; } = [];

    /// <summary>The answer to the request that made the commit, kept to answer repeats of it; null to keep none.</summary>
    public StoredAnswer? Answer { get; init; }

    /// <summary>Enforces <see cref="MaxOperations"/> and <see cref="MaxBytes"/>. Every adapter calls it first.</summary>
    /// <exception cref="CommitTooLargeException">There are too many operations, or too many bytes.</exception>
    public void EnsureWithinLimits()
    {
        var operations = Writes.Count + Guards.Count + Events.Count + (Answer is null ? 0 : 1);
        if (operations > MaxOperations) throw new CommitTooLargeException($"a commit has at most {MaxOperations} writes, guards and events, not {operations}");
        var bytes = Writes.Sum(write => (long)write.Bytes) + Events.Sum(happened => (long)happened.Body.Length) + (Answer?.Content.Length ?? 0);
        if (bytes > MaxBytes) throw new CommitTooLargeException($"a commit has at most {MaxBytes} bytes, not {bytes}");
    }
}

/// <summary>Thrown for a commit that exceeds <see cref="Commit.MaxOperations"/> or <see cref="Commit.MaxBytes"/>.</summary>
public sealed class CommitTooLargeException(string message) : ArgumentException(message);

/// <summary>Changes one record or unique key, as part of a commit. Writes are applied in order.</summary>
public abstract record Write
{
    private Write()
    {
    }

    /// <summary>Bytes that count toward <see cref="Commit.MaxBytes"/>.</summary>
    internal virtual int Bytes => 0;

    /// <summary>Stores a record that must not exist yet.</summary>
    /// <param name="Record">The record, of version 1.</param>
    /// <param name="Keys">The values that queries filter and sort by: a JSON object in UTF-8. Values are null, string, number, boolean or
    /// an array of strings; one level of nesting.</param>
    public sealed record Insert(StoredRecord Record, ReadOnlyMemory<byte> Keys) : Write
    {
        internal override int Bytes => Record.Attributes.Length + (Record.Internal?.Length ?? 0) + Keys.Length;
    }

    /// <summary>Replaces a record, whose stored version must be one below the new one.</summary>
    /// <param name="Record">The record; its version is the stored version plus one.</param>
    /// <param name="Keys">The values that queries filter and sort by, as in <see cref="Insert"/>.</param>
    public sealed record Replace(StoredRecord Record, ReadOnlyMemory<byte> Keys) : Write
    {
        internal override int Bytes => Record.Attributes.Length + (Record.Internal?.Length ?? 0) + Keys.Length;
    }

    /// <summary>Removes a record, whose stored version must be this one.</summary>
    public sealed record Remove(string Type, string Id, long Version) : Write;

    /// <summary>Reserves a unique key for a record. If the record holds the key already, nothing changes.</summary>
    public sealed record Reserve(string Key, string Owner) : Write;

    /// <summary>Releases a unique key if this owner holds it; otherwise changes nothing.</summary>
    public sealed record Release(string Key, string Owner) : Write;
}

/// <summary>Demands a condition of the partition when the commit is stored. If it does not hold, nothing is stored.</summary>
public abstract record Guard
{
    private Guard()
    {
    }

    /// <summary>Demands that a record exists.</summary>
    /// <param name="Type">The type of the record.</param>
    /// <param name="Id">The id of the record.</param>
    /// <param name="IsVisible">Whether the record must also not be archived.</param>
    public sealed record RecordExists(string Type, string Id, bool IsVisible = false) : Guard
    {
        /// <summary>Whether the guard holds for the record that was found; pass null if none was found.</summary>
        public bool Holds(StoredRecord? found) => found is not null && !(IsVisible && ArchiveState.IsArchived(found));
    }

    /// <summary>Demands that some record holds the unique key.</summary>
    public sealed record UniqueKeyHeld(string Key) : Guard;

    /// <summary>
    /// Demands that no record matches, e.g. before a record that others must not refer to is deleted. It is safe against concurrent commits that
    /// guard on a record or unique key which this commit removes.
    /// </summary>
    public sealed record NoneMatch(string Type, Condition Where) : Guard;
}

/// <summary>Says whether a commit was stored, or why not.</summary>
public enum CommitResult
{
    /// <summary>The commit was stored.</summary>
    Done,

    /// <summary>Not stored: a record to insert exists already.</summary>
    Exists,

    /// <summary>Not stored: a record to replace or remove is gone or has another version. Read it again and decide anew.</summary>
    Stale,

    /// <summary>Not stored: another record holds a unique key to reserve.</summary>
    UniqueKeyTaken,

    /// <summary>Not stored: a record or unique key that a guard demands does not exist.</summary>
    Missing,

    /// <summary>Not stored: a record matches a <see cref="Guard.NoneMatch"/> guard.</summary>
    Blocked,

    /// <summary>Not stored: the answer's key is taken, so the request was answered before. Checked before everything else.</summary>
    Answered,
}

/// <summary>Reports the result of a commit.</summary>
/// <param name="Result">Done, or why the first failing guard or write failed; then nothing was stored.</param>
/// <param name="Subject">The id of the record, or the unique key, that failed; for <see cref="CommitResult.Blocked"/> the type of the record that matches, for
/// <see cref="CommitResult.Answered"/> the answer's key; null when done.</param>
public readonly record struct CommitOutcome(CommitResult Result, string? Subject = null)
{
    /// <summary>The outcome of a commit that was stored.</summary>
    public static CommitOutcome Done { get; } = new(CommitResult.Done);
}
