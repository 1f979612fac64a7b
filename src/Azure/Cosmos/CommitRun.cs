using System.Net;
using System.Text.Json;
using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Cosmos.Scripts;
using NodeStash.Core.Storage;

namespace NodeStash.Azure.Cosmos;

/// <summary>
/// Stores one commit. The state read to plan it (documents it removes, unique keys it releases) must be unchanged when it is stored; otherwise it is
/// planned again. If a response is lost, the documents show whether the commit was stored, so that no caller is refused because of its own success.
/// </summary>
internal sealed class CommitRun(PartitionClient client, CosmosWorkspaceStore store, RecordDocument documents, TimeProvider clock, Commit commit)
{
    /// <summary>Maximum number of operations in a transactional batch. Source: Microsoft Learn, "Transactional batch operations".</summary>
    private const int MaxOfBatch = 100;

    /// <summary>Maximum bytes of documents in a request, with room for the envelopes of its operations.</summary>
    private const int MaxBytes = Commit.MaxBytes - (MaxOfBatch * 300);

    private const int MaxAttempts = 100;

    private readonly Dictionary<string, JsonElement?> removed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string? Owner, string? ETag)> uniqueKeys = new(StringComparer.Ordinal);

    /// <summary>Whether the response of an attempt was lost.</summary>
    private bool isUncertain;

    public async ValueTask<CommitOutcome> Run(CancellationToken ct)
    {
        for (var (attempt, errors) = (0, 0); attempt < MaxAttempts; attempt++)
        {
            await ReadState(isLatest: attempt > 0, ct);
            foreach (var guard in commit.Guards.OfType<Guard.NoneMatch>())
            {
                // An earlier part of the commit may be refused, too, and takes precedence.
                if (await store.Matches(guard.Type, guard.Where, ct) && await store.Check(commit, ct) is { Result: not CommitResult.Done } broken)
                    return await ResolveOutcome(broken, ct);
            }

            var operations = new CommitPlan(store.Partition.Key, documents, new PlanState(removed, uniqueKeys)).Of(commit);
            if (operations.Count == 0) return CommitOutcome.Done;

            // The stored procedure only compares values. A record archived right after this check counts as linked before it was archived.
            if (operations.Count > MaxOfBatch && await FindArchived(ct) is { } archived) return await ResolveOutcome(archived, ct);
            try
            {
                if (await Send(operations, ct) is not { } refused) return CommitOutcome.Done;
                if (refused is { Refused: { } outcome } && !await IsShared(outcome, ct)) return await ResolveOutcome(outcome, ct);
            }
            catch (TransientException e)
            {
                isUncertain |= e.MayHaveSucceeded;
                if (isUncertain && await IsStored(ct)) return CommitOutcome.Done;
                if (errors == PartitionClient.RetryDelays.Length) throw e.ToStoreUnavailable();
                await Task.Delay(PartitionClient.RetryDelays[errors++], clock, ct);
            }
        }

        throw new StoreUnavailableException($"A commit was refused {MaxAttempts} times because other writers changed the same documents; retry later.");
    }

    /// <summary>Reads the state that the plan needs.</summary>
    /// <param name="isLatest">Whether to read the latest state, because the session of this process may be out of date.</param>
    /// <param name="ct">Ends the wait.</param>
    private async ValueTask ReadState(bool isLatest, CancellationToken ct)
    {
        ValueTask<JsonElement?> Read(string id) => isLatest ? client.ReadLatest(id, ct) : client.Read(id, ct);
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

    /// <summary>Returns the outcome for the first guard whose record must be visible but is archived; null for none.</summary>
    private async ValueTask<CommitOutcome?> FindArchived(CancellationToken ct)
    {
        foreach (var guard in commit.Guards.OfType<Guard.RecordExists>().Where(guard => guard.IsVisible))
        {
            if (await store.Find(guard.Type, guard.Id, ct) is { } found && !guard.Holds(found)) return new CommitOutcome(CommitResult.Missing, guard.Id);
        }

        return null;
    }

    /// <summary>Whether a refused unique key already has the right owner, or is free now. Then the commit is planned again.</summary>
    private async ValueTask<bool> IsShared(CommitOutcome refused, CancellationToken ct)
    {
        if (refused.Result is not CommitResult.UniqueKeyTaken || !uniqueKeys.TryAdd(refused.Subject!, default)) return false;
        var owner = await client.ReadLatest(UniqueKeyDocument.Id(refused.Subject!), ct) is { } document ? UniqueKeyDocument.Owner(document) : null;
        return owner is null || commit.Writes.OfType<Write.Reserve>().Any(uniqueKey => uniqueKey.Key == refused.Subject && uniqueKey.Owner == owner);
    }

    /// <summary>Returns the outcome, or success if an attempt with a lost response has stored the commit.</summary>
    private async ValueTask<CommitOutcome> ResolveOutcome(CommitOutcome refused, CancellationToken ct) =>
        isUncertain && await IsStored(ct) ? CommitOutcome.Done : refused;

    /// <summary>Sends the operations as a batch or, if they are too many, to the stored procedure.</summary>
    /// <returns>The first refused operation; null if all are stored.</returns>
    private async ValueTask<CommitOperation?> Send(IReadOnlyList<CommitOperation> operations, CancellationToken ct)
    {
        var bytes = operations.Sum(operation => (long)operation.Bytes);
        if (bytes > MaxBytes) throw new CommitTooLargeException($"a commit has at most {MaxBytes} bytes of documents; this one has {bytes}");
        return operations.Count <= MaxOfBatch ? await SendBatch(operations, ct) : await SendToProcedure(operations, ct);
    }

    private async ValueTask<CommitOperation?> SendBatch(IReadOnlyList<CommitOperation> operations, CancellationToken ct)
    {
        var batch = client.Container.CreateTransactionalBatch(client.Key);
        foreach (var operation in operations) operation.AddTo(batch);
        using var answer = await ServiceErrors.Send(
            () => batch.ExecuteAsync(new TransactionalBatchRequestOptions { SessionToken = client.SessionToken }, ct), ct);
        if (answer.IsSuccessStatusCode)
        {
            client.RecordSession(answer.Headers.Session);
            return null;
        }

        for (var i = 0; i < answer.Count; i++)
        {
            if (answer[i].StatusCode is not HttpStatusCode.FailedDependency && IsRefusal(answer[i].StatusCode)) return operations[i];
        }

        throw ServiceErrors.ToException(answer.StatusCode, answer.Headers, () => answer.ErrorMessage);
    }

    private async ValueTask<CommitOperation?> SendToProcedure(IReadOnlyList<CommitOperation> operations, CancellationToken ct)
    {
        using var answer = await ServiceErrors.Send(
            () => client.Container.Scripts.ExecuteStoredProcedureStreamAsync(
                CommitProcedure.Id, CommitProcedure.Arguments(operations), client.Key,
                new StoredProcedureRequestOptions { SessionToken = client.SessionToken }, ct),
            ct);
        if (answer.IsSuccessStatusCode)
        {
            client.RecordSession(answer.Headers.Session);
            return null;
        }

        var refusal = answer.StatusCode is HttpStatusCode.BadRequest ? CommitProcedure.Refusal(answer.ErrorMessage) : null;
        if (refusal is { } failed && IsRefusal(failed.Status)) return operations[failed.Index];
        throw ServiceErrors.ToException(refusal?.Status ?? answer.StatusCode, answer.Headers, () => answer.ErrorMessage);
    }

    private static bool IsRefusal(HttpStatusCode status) => status is HttpStatusCode.NotFound or HttpStatusCode.Conflict or HttpStatusCode.PreconditionFailed;

    /// <summary>Whether the commit is stored. Its events and answer are unique to it; records are compared by version and bytes.</summary>
    private async ValueTask<bool> IsStored(CancellationToken ct)
    {
        if (commit.Events is [var @event, ..]) return await client.ReadLatest(@event.Id, ct) is not null;
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
