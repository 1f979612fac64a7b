using System.Net;
using System.Text.Json;
using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Cosmos.Scripts;
using NodeStash.Core.Storage;

namespace NodeStash.Azure.Cosmos;

/// <summary>
/// Stores one commit. What is read to plan it (the documents it removes, the unique keys it gives up) must be unchanged when it is stored, else it
/// is planned anew. Where the service does not say whether it stored it, that is found out, so that nobody is refused for their own success.
/// </summary>
internal sealed class CommitRun(PartitionClient client, CosmosWorkspaceStore store, RecordDocument documents, TimeProvider clock, Commit commit)
{
    /// <summary>The most operations of a transactional batch. Source: Microsoft Learn, "Transactional batch operations".</summary>
    private const int MaxOfBatch = 100;

    /// <summary>The most bytes of a request, with room for the envelopes of its operations.</summary>
    private const int MaxBytes = Commit.MaxBytes - (MaxOfBatch * 300);

    private const int MaxAttempts = 100;

    private readonly Dictionary<string, JsonElement?> removed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string? Owner, string? ETag)> uniqueKeys = new(StringComparer.Ordinal);

    /// <summary>Whether an attempt ended without a word on whether it was done.</summary>
    private bool isUncertain;

    public async ValueTask<CommitOutcome> Run(CancellationToken ct)
    {
        for (var (round, faltered) = (0, 0); round < MaxAttempts; round++)
        {
            await Learn(isAnew: round > 0, ct);
            foreach (var guard in commit.Guards.OfType<Guard.NoneMatch>())
            {
                // What comes before the guard, in the commit's order, may be at fault too.
                if (await store.Matches(guard.Type, guard.Where, ct) && await store.Check(commit, ct) is { Result: not CommitResult.Done } broken)
                    return await Unless(broken, ct);
            }

            var operations = new CommitPlan(store.Partition.Key, documents, new Known(removed, uniqueKeys)).Of(commit);
            if (operations.Count == 0) return CommitOutcome.Done;

            // The stored procedure compares values alone. A record that is archived right after this look is one that was linked to before.
            if (operations.Count > MaxOfBatch && await FindArchived(ct) is { } archived) return await Unless(archived, ct);
            try
            {
                if (await Send(operations, ct) is not { } refused) return CommitOutcome.Done;
                if (refused is { Refused: { } outcome } && !await IsShared(outcome, ct)) return await Unless(outcome, ct);
            }
            catch (FalteringException e)
            {
                isUncertain |= e.MayHaveHappened;
                if (isUncertain && await IsStored(ct)) return CommitOutcome.Done;
                if (faltered == PartitionClient.Waits.Length) throw e.Final();
                await Task.Delay(PartitionClient.Waits[faltered++], clock, ct);
            }
        }

        throw new StoreUnavailableException($"A commit found what it had read changed {MaxAttempts} times.");
    }

    /// <summary>Reads what has to be known to plan the commit.</summary>
    /// <param name="isAnew">Whether what was read before was out of date: what this process has seen may be, too.</param>
    /// <param name="ct">Ends the wait.</param>
    private async ValueTask Learn(bool isAnew, CancellationToken ct)
    {
        ValueTask<JsonElement?> Read(string id) => isAnew ? client.ReadLatest(id, ct) : client.Read(id, ct);
        foreach (var remove in commit.Writes.OfType<Write.Remove>()) removed[remove.Id] = null;
        foreach (var release in commit.Writes.OfType<Write.Release>()) uniqueKeys[release.Key] = default;
        await Task.WhenAll(
        [
            .. removed.Keys.ToList().Select(async id =>
            {
                var document = await Read(id);
                lock (removed) removed[id] = document;
            }),
            .. uniqueKeys.Keys.ToList().Select(async key =>
            {
                var document = await Read(UniqueKeyDocument.Id(key));
                lock (removed) uniqueKeys[key] = document is { } found ? (UniqueKeyDocument.Owner(found), found.GetProperty("_etag").GetString()) : default;
            }),
        ]);
    }

    /// <summary>The outcome where a guard names an archived record that must be visible; null where none does.</summary>
    private async ValueTask<CommitOutcome?> FindArchived(CancellationToken ct)
    {
        foreach (var guard in commit.Guards.OfType<Guard.RecordExists>().Where(guard => guard.IsVisible))
        {
            if (await store.Find(guard.Type, guard.Id, ct) is { } found && !guard.Holds(found)) return new CommitOutcome(CommitResult.Missing, guard.Id);
        }

        return null;
    }

    /// <summary>Whether a unique key that was refused is the owner's own, or free by now: then the commit is to be planned knowing it.</summary>
    private async ValueTask<bool> IsShared(CommitOutcome refused, CancellationToken ct)
    {
        if (refused.Result is not CommitResult.UniqueKeyTaken || !uniqueKeys.TryAdd(refused.Subject!, default)) return false;
        var owner = await client.ReadLatest(UniqueKeyDocument.Id(refused.Subject!), ct) is { } document ? UniqueKeyDocument.Owner(document) : null;
        return owner is null || commit.Writes.OfType<Write.Reserve>().Any(uniqueKey => uniqueKey.Key == refused.Subject && uniqueKey.Owner == owner);
    }

    /// <summary>The outcome, unless the commit was stored by an attempt that did not say so.</summary>
    private async ValueTask<CommitOutcome> Unless(CommitOutcome refused, CancellationToken ct) =>
        isUncertain && await IsStored(ct) ? CommitOutcome.Done : refused;

    /// <summary>Sends the operations, as a batch or, where they are too many, to the stored procedure.</summary>
    /// <returns>The first that could not be done; null where all are.</returns>
    private async ValueTask<CommitOperation?> Send(IReadOnlyList<CommitOperation> operations, CancellationToken ct)
    {
        var bytes = operations.Sum(operation => (long)operation.Bytes);
        if (bytes > MaxBytes) throw new CommitTooLargeException($"a commit has at most {MaxBytes} bytes of documents, not {bytes}");
        return operations.Count <= MaxOfBatch ? await SendBatch(operations, ct) : await Call(operations, ct);
    }

    private async ValueTask<CommitOperation?> SendBatch(IReadOnlyList<CommitOperation> operations, CancellationToken ct)
    {
        var batch = client.Container.CreateTransactionalBatch(client.Key);
        foreach (var operation in operations) operation.AddTo(batch);
        using var answer = await ServiceErrors.Told(() => batch.ExecuteAsync(new TransactionalBatchRequestOptions { SessionToken = client.Sent }, ct), ct);
        if (answer.IsSuccessStatusCode)
        {
            client.Saw(answer.Headers.Session);
            return null;
        }

        for (var i = 0; i < answer.Count; i++)
        {
            if (answer[i].StatusCode is not HttpStatusCode.FailedDependency && IsRefusal(answer[i].StatusCode)) return operations[i];
        }

        throw ServiceErrors.Of(answer.StatusCode, answer.Headers, () => answer.ErrorMessage);
    }

    private async ValueTask<CommitOperation?> Call(IReadOnlyList<CommitOperation> operations, CancellationToken ct)
    {
        using var answer = await ServiceErrors.Told(
            () => client.Container.Scripts.ExecuteStoredProcedureStreamAsync(
                CommitProcedure.Id, CommitProcedure.Arguments(operations), client.Key, new StoredProcedureRequestOptions { SessionToken = client.Sent }, ct),
            ct);
        if (answer.IsSuccessStatusCode)
        {
            client.Saw(answer.Headers.Session);
            return null;
        }

        var refusal = answer.StatusCode is HttpStatusCode.BadRequest ? CommitProcedure.Refusal(answer.ErrorMessage) : null;
        if (refusal is { } at && IsRefusal(at.Status)) return operations[at.Place];
        throw ServiceErrors.Of(refusal?.Status ?? answer.StatusCode, answer.Headers, () => answer.ErrorMessage);
    }

    private static bool IsRefusal(HttpStatusCode status) => status is HttpStatusCode.NotFound or HttpStatusCode.Conflict or HttpStatusCode.PreconditionFailed;

    /// <summary>Whether what the commit would have made is there. Events and answers are of one attempt alone; records by their version and bytes.</summary>
    private async ValueTask<bool> IsStored(CancellationToken ct)
    {
        if (commit.Events is [var happened, ..]) return await client.ReadLatest(happened.Id, ct) is not null;
        if (commit.Answer is { } answer)
            return await client.ReadLatest(AnswerDocument.Id(answer.Key), ct) is { } kept && AnswerDocument.Read(answer.Key, kept) == answer;
        foreach (var write in commit.Writes.Reverse())
        {
            switch (write)
            {
                case Write.Insert { Record: var record }: return await IsStored(record, ct);
                case Write.Replace { Record: var record }: return await IsStored(record, ct);
                case Write.Remove remove: return await client.ReadLatest(remove.Id, ct) is null;
                case Write.Reserve uniqueKey:
                    return await client.ReadLatest(UniqueKeyDocument.Id(uniqueKey.Key), ct) is { } document
                        && UniqueKeyDocument.Owner(document) == uniqueKey.Owner;
            }
        }

        return false;
    }

    private async ValueTask<bool> IsStored(StoredRecord record, CancellationToken ct) =>
        await client.ReadLatest(record.Id, ct) is { } document && RecordDocument.IsOf(record.Type, document)
        && RecordDocument.Read(record.Type, document) is var found && found.Version == record.Version
        && found.Attributes.Span.SequenceEqual(record.Attributes.Span);
}
