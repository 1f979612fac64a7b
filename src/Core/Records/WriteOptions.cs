using NodeStash.Core.Storage;

namespace NodeStash.Core.Records;

/// <summary>Defines how a <see cref="RecordSet"/> writes.</summary>
/// <param name="IsDryRun">Whether writes are checked and answered as usual, but nothing is stored or sent.</param>
/// <param name="Recorder">Stores the answer in the commit; null to store no answer.</param>
/// <param name="IsOneOfMany">Whether the commit will be stored as one with others, in an atomic batch. Then it changes no other records itself, but
/// announces every cascade that reaches any.</param>
public sealed record WriteOptions(bool IsDryRun, ResponseRecorder? Recorder, bool IsOneOfMany = false);

/// <summary>Stores the answer to a request in the commit of that request, so that a repeat gets the same answer.</summary>
/// <param name="MakeAnswer">Makes the answer from the record after the change, or before it on delete. Each attempt calls it again.</param>
/// <param name="Stored">Called once the commit, with the answer, is stored.</param>
public sealed record ResponseRecorder(Func<StoredRecord, StoredAnswer> MakeAnswer, Action Stored);

/// <summary>
/// Thrown if a commit is refused because a request with the same Idempotency-Key has stored its answer first. The refused commit stored nothing.
/// </summary>
public sealed class AlreadyAnsweredException() : Exception("The request was answered before.");
