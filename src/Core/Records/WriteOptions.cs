using NodeStash.Core.Storage;

namespace NodeStash.Core.Records;

/// <summary>How writes are to be done.</summary>
/// <param name="IsDryRun">Whether everything is checked and answered as if, and nothing stored or sent.</param>
/// <param name="Recorder">How the answer is kept in the commit itself; null for not at all.</param>
/// <param name="IsOneOfMany">Whether its commit is to be stored as one with others: then it takes no other records along.</param>
public sealed record WriteOptions(bool IsDryRun, ResponseRecorder? Recorder, bool IsOneOfMany = false);

/// <summary>Keeps the answer to a request in the commit that the request makes.</summary>
/// <param name="MakeAnswer">The answer, of the record as it will be (as it was, where it is deleted). Asked again for each try.</param>
/// <param name="Stored">Told once the commit, with the answer, is stored.</param>
public sealed record ResponseRecorder(Func<StoredRecord, StoredAnswer> MakeAnswer, Action Stored);

/// <summary>A repeat of the request came first: its answer is stored, nothing else was.</summary>
public sealed class AlreadyAnsweredException() : Exception("The request was answered before.");
