
namespace NodeStash.Core.Storage;

/// <summary>
/// What changes together: stored whole or not at all. Guards are checked on the partition as it is before the commit, then the writes
/// are applied in order.
/// </summary>
public sealed class Commit
{
    /// <summary>The most writes, guards and events in all: an atomic batch of a hundred operations, with the unique keys, guards and events of each.</summary>
    public const int MaxOperations = 1000;

    /// <summary>The most bytes of records, keys and event bodies in all: what a transactional batch of Cosmos DB takes.</summary>
    public const int MaxBytes = 2 * 1024 * 1024;

    public IReadOnlyList<Write> Writes { get; init; } = [];

    /// <summary>What must hold at the moment of the commit.</summary>
    public IReadOnlyList<Guard> Guards { get; init; } = [];

    /// <summary>Events, in the order they are to be read.</summary>
    public IReadOnlyList<StoredEvent> Events { get; init; } = [];

    /// <summary>The answer to the request that asked for the commit, kept for repeats of it; null for none.</summary>
    public StoredAnswer? Answer { get; init; }

    /// <summary>Checks <see cref="MaxOperations"/> and <see cref="MaxBytes"/>; every adapter asks before it does anything.</summary>
    /// <exception cref="CommitTooLargeException">There are too many operations, or too many bytes.</exception>
    public void EnsureWithinLimits()
    {
        var operations = Writes.Count + Guards.Count + Events.Count + (Answer is null ? 0 : 1);
        if (operations > MaxOperations) throw new CommitTooLargeException($"a commit has at most {MaxOperations} writes, guards and events, not {operations}");
        var bytes = Writes.Sum(write => (long)write.Bytes) + Events.Sum(happened => (long)happened.Body.Length) + (Answer?.Content.Length ?? 0);
        if (bytes > MaxBytes) throw new CommitTooLargeException($"a commit has at most {MaxBytes} bytes, not {bytes}");
    }
}

/// <summary>A commit of more operations or bytes than a store takes at once.</summary>
public sealed class CommitTooLargeException(string message) : ArgumentException(message);

/// <summary>One write of a commit. Applied in order.</summary>
public abstract record Write
{
    private Write()
    {
    }

    /// <summary>What it adds to <see cref="Commit.MaxBytes"/>.</summary>
    internal virtual int Bytes => 0;

    /// <summary>Stores a record that must not exist yet.</summary>
    /// <param name="Record">Of version 1.</param>
    /// <param name="Keys">A JSON object, UTF-8: what the record is found and ordered by. Values are null, string, number, boolean or an array of
    /// strings; one level of nesting.</param>
    public sealed record Insert(StoredRecord Record, ReadOnlyMemory<byte> Keys) : Write
    {
        internal override int Bytes => Record.Attributes.Length + (Record.Internal?.Length ?? 0) + Keys.Length;
    }

    /// <summary>Replaces a record that must be of the version before.</summary>
    /// <param name="Record">Its version is the stored one's plus one.</param>
    /// <param name="Keys">As for <see cref="Insert"/>.</param>
    public sealed record Replace(StoredRecord Record, ReadOnlyMemory<byte> Keys) : Write
    {
        internal override int Bytes => Record.Attributes.Length + (Record.Internal?.Length ?? 0) + Keys.Length;
    }

    /// <summary>Removes a record that must be of this version.</summary>
    public sealed record Remove(string Type, string Id, long Version) : Write;

    /// <summary>Reserves a unique key for a record. Reserving what the same owner holds already changes nothing.</summary>
    public sealed record Reserve(string Key, string Owner) : Write;

    /// <summary>Gives up a unique key, if this owner holds it; else changes nothing.</summary>
    public sealed record Release(string Key, string Owner) : Write;
}

/// <summary>A condition on the partition that must hold when the commit is stored.</summary>
public abstract record Guard
{
    private Guard()
    {
    }

    /// <summary>The record exists.</summary>
    /// <param name="Type">Of the record.</param>
    /// <param name="Id">Of the record.</param>
    /// <param name="IsVisible">Whether it must not be archived either.</param>
    public sealed record RecordExists(string Type, string Id, bool IsVisible = false) : Guard
    {
        /// <summary>Whether the guard holds for the record that was found; null for none.</summary>
        public bool Holds(StoredRecord? found) => found is not null && !(IsVisible && ArchiveState.IsArchived(found));
    }

    /// <summary>Someone holds the unique key.</summary>
    public sealed record UniqueKeyHeld(string Key) : Guard;

    /// <summary>
    /// No record matches: for deleting what nothing may refer to. Holds against every commit that guards on a record or unique key this commit
    /// removes.
    /// </summary>
    public sealed record NoneMatch(string Type, Condition Where) : Guard;
}

/// <summary>How a commit ended.</summary>
public enum CommitResult
{
    /// <summary>Stored.</summary>
    Done,

    /// <summary>A record to insert exists already.</summary>
    Exists,

    /// <summary>A record to replace or remove is gone or of another version. Read again and decide anew.</summary>
    Stale,

    /// <summary>Another owner holds a unique key.</summary>
    UniqueKeyTaken,

    /// <summary>What a guard names does not exist.</summary>
    Missing,

    /// <summary>A guard forbids it: a record matches.</summary>
    Blocked,

    /// <summary>The request was answered before: there is an answer under the key. Comes before everything else.</summary>
    Answered,
}

/// <param name="Result">Done, or the first guard or write that did not hold; then nothing was stored.</param>
/// <param name="Subject">The record id or the unique key at fault; for <see cref="CommitResult.Blocked"/> the type of the record that matches, for
/// <see cref="CommitResult.Answered"/> the answer's key; null when done.</param>
public readonly record struct CommitOutcome(CommitResult Result, string? Subject = null)
{
    public static CommitOutcome Done { get; } = new(CommitResult.Done);
}
